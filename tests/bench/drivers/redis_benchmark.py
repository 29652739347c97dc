"""redis-benchmark, for everything that speaks the Redis protocol.

Its report for people is read, not its CSV, which does not tell the 99.9th percentile.
"""

import re
from typing import List, Sequence

from clients.door import Door

from ..loads import Load
from .outcome import LoadFailed, Outcome, run_all, together

RATE = re.compile(r"throughput summary: ([\d.]+) requests per second")
REQUESTS = re.compile(r"(\d+) requests completed in")
PERCENTILE = re.compile(r"([\d.]+)% <= ([\d.]+) milliseconds \(cumulative count \d+\)")


def run(doors: Sequence[Door], load: Load, requests: int) -> Outcome:
    """Spreads the connections over the doors, with one generator for each."""
    shares = share(load.connections, len(doors))
    commands = [command(door, load, connections, requests * connections // load.connections)
                for door, connections in zip(doors, shares)]
    return together([parse(output) for output in run_all(commands)])


def share(connections: int, doors: int) -> List[int]:
    """As even as can be, and none of nothing."""
    shares = [connections // doors + (number < connections % doors) for number in range(doors)]
    return [connections for connections in shares if connections]


def command(door: Door, load: Load, connections: int, requests: int) -> List[str]:
    # Whole pipelines: redis-benchmark would send more than asked for.
    whole = max(1, requests // (connections * load.pipeline)) * connections * load.pipeline
    return ["redis-benchmark", *door.words, "-t", load.verb, "-n", str(whole),
            "-c", str(connections), "-P", str(load.pipeline), "-r", str(load.keys),
            "-d", str(load.value_bytes)]


def parse(output: str) -> Outcome:
    """The figures of a report.

    Percentiles come in steps that halve the rest: 50, 75, ... 99.902, 99.951. The 99th is told in
    a table of its own; for the 99.9th the first step beyond it is taken.
    """
    output = output.replace("\r", "\n")
    rate, requests = RATE.search(output), REQUESTS.search(output)
    steps = [(float(share), float(latency)) for share, latency in PERCENTILE.findall(
        output.partition("Cumulative distribution")[0])]
    summary = _summary(output)
    if rate is None or requests is None or not steps:
        raise LoadFailed("redis-benchmark's report is not understood: %r" % output[-200:])
    beyond = next((latency for share, latency in steps if share >= 99.9), steps[-1][1])
    return Outcome(int(requests.group(1)), float(rate.group(1)), summary["p50"], summary["p99"],
                   beyond)


def _summary(output: str) -> "dict[str, float]":
    """The two lines of names and numbers below `latency summary`."""
    lines = output.partition("latency summary (msec):")[2].strip().splitlines()[:2]
    if len(lines) < 2:
        raise LoadFailed("redis-benchmark's report has no summary: %r" % output[-200:])
    return dict(zip(lines[0].split(), map(float, lines[1].split())))
