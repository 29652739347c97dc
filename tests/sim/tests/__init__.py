"""Tests of the `sim` command's own logic."""
