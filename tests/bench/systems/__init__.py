"""Who is measured: systems of one or more server processes, started on fresh directories.

Reading order: `process` (one server), `system` (what all systems have in common), then one file for
each of them.
"""
