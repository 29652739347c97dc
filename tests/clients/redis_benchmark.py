"""redis-benchmark in its usual ways: that it runs through, and that every command took effect."""

import re
from typing import Sequence

from .door import Door
from .redis_tools import cli, run
from .results import Check, expect, expect_true

# Whole pipelines of 16: redis-benchmark would send more than asked for.
REQUESTS = 60 * 16
CLIENTS = 20
TESTS = ("PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)")
COUNTER = "counter:__rand_int__"


def benchmark(*options: str) -> Check:
    """The tests with these options beside those that they always have."""
    def check(door: Door) -> None:
        before = int(cli(door, "get", COUNTER).strip() or b"0")
        words = door.words + ["-t", "ping,set,get,incr,mset", "-n", str(REQUESTS),
                              "-c", str(CLIENTS), "--csv", *options]
        rows = _rows(run("redis-benchmark", words).decode())
        expect("tests", tuple(rows), TESTS)
        for name, rate in rows.items():
            expect_true("%s: %g requests a second" % (name, rate), rate > 0)
        counted = int(cli(door, "get", COUNTER)) - before
        expect("INCR took effect", counted, REQUESTS)
    return "ping,set,get,incr,mset %s" % (" ".join(options) or "(plain)"), check


def _rows(output: str) -> "dict[str, float]":
    """Requests a second of each test, from lines like "SET","12345.67",..."""
    found = re.findall(r'^"([^"]+)","([^"]+)"', output, re.MULTILINE)
    # What took no measurable time has an infinite rate, which Python reads as such.
    return {name: float(rate) for name, rate in found if name != "test"}


CHECKS: Sequence[Check] = (benchmark(), benchmark("-P", "16"), benchmark("-3"))
