"""`run.py sim`: the deterministic simulator over many seeds, on all cores."""
