"""Our own load generator, for what redis-benchmark cannot do: an open loop.

In an open loop requests are sent at their times, whether earlier ones were answered or not, and the
latency of a request counts from its time. A closed loop waits for a slow server and so asks less
while it is slow, which hides just the requests that would have waited.
"""

import json
import subprocess
from dataclasses import dataclass
from typing import List, Optional, Sequence

from clients.door import Door

from ..loads import Load
from .outcome import LoadFailed, run_all

# How a request can end other than by its answer.
LOST = ("refused", "uncertain", "failed", "unknown", "unsent")


@dataclass(frozen=True)
class Report:
    """Latencies are in milliseconds; `lost` are requests without the answer that they deserve."""

    answered: int
    rate: float
    p50: float
    p99: float
    p999: float
    lost: int


def is_there(program: str) -> bool:
    """Whether there is such a program and it has the command."""
    try:
        done = subprocess.run([program, "bench", "--help"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


def run(program: str, doors: Sequence[Door], load: Load, seconds: float,
        rate: Optional[float] = None) -> Report:
    """At so many requests a second, or in a closed loop as fast as they are answered."""
    command = [program, "bench", *(door.text for door in doors), "--json",
               "--mix", "%s=1" % load.verb, "--clients", str(load.connections),
               "--pipeline", str(load.pipeline), "--keys", str(load.keys),
               "--value", str(load.value_bytes), "--seconds", "%g" % seconds,
               "--warmup", "%g" % (seconds / 4)]
    return parse(run_all([command + _pace(rate)])[0])


def _pace(rate: Optional[float]) -> List[str]:
    return [] if rate is None else ["--rate", "%d" % rate]


def parse(output: str) -> Report:
    """The figures of its report for programs, which has microseconds."""
    try:
        found = json.loads(output)
        latency = found["latency_us"]
        return Report(found["answered"], found["throughput"], latency["p50"] / 1e3,
                      latency["p99"] / 1e3, latency["p999"] / 1e3,
                      sum(found[name] for name in LOST))
    except (ValueError, KeyError, TypeError) as error:
        raise LoadFailed("quorate bench's report is not understood (%s): %r" % (
            error, output[-200:])) from error
