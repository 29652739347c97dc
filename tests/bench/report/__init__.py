"""How results are shown.

Reading order: `table`, `comparison` (which tables), `targets`, `picture`, `documents`.
"""
