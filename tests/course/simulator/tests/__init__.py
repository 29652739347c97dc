"""Tests of the simulator itself: `python3 -m unittest discover -s tests/course -t tests/course`."""
