#!/usr/bin/env python3
"""Builds, tests, runs and simulates quorate. `./run.py --help` says how."""

import os
import sys
import traceback

sys.dont_write_bytecode = True
TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tests")
sys.path[:0] = [os.path.join(TESTS, "course"), TESTS]

from simulator import command_line  # noqa: E402  (the path comes first)

if __name__ == "__main__":
    try:
        sys.exit(command_line.main(sys.argv[1:]))
    except Exception:  # a fault of this program, with its own exit status
        traceback.print_exc()
        sys.exit(command_line.EXIT_INTERNAL)
