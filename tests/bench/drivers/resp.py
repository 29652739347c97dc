"""The generator for the Redis protocol: redis-benchmark, or ours where that is not installed."""

import shutil
from typing import Sequence

from clients.door import Door
from simulator import build

from ..loads import Load
from . import quorate_bench, redis_benchmark
from .outcome import LoadFailed, Outcome


def has_redis_benchmark() -> bool:
    return shutil.which("redis-benchmark") is not None


def run(doors: Sequence[Door], load: Load, seconds: float, rate: float) -> Outcome:
    """A load for about so long, if it is answered at about that rate."""
    if has_redis_benchmark():
        return redis_benchmark.run(doors, load, int(rate * seconds))
    found = quorate_bench.run(build.BINARY, doors, load, seconds)
    if found.lost:
        raise LoadFailed("%d requests were not answered as they should be" % found.lost)
    return Outcome(found.answered, found.rate, found.p50, found.p99, found.p999)
