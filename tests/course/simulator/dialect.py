"""The three dialects of the course's simulators, as data: timings, arguments, thresholds.

`seqpacket` is version 0.8; `stream` and `udp` are version 2. They share the loop, the clients and
the judgement; what differs stands here and, for the bytes, in `wire`.
"""

from dataclasses import dataclass
from typing import Dict, List, Tuple

from . import wire
from .config import Config, ConfigError


@dataclass(frozen=True)
class Dialect:
    """How one version of the simulator speaks and counts time."""

    name: str
    endpoint: type
    start_wait: float
    waits_extend_run: bool
    reads_output: bool
    type_must_be_text: bool
    greets: bool
    old_thresholds: bool


DIALECTS = {
    dialect.name: dialect
    for dialect in (
        Dialect("seqpacket", wire.SeqpacketEndpoint, start_wait=2, waits_extend_run=False,
                reads_output=False, type_must_be_text=False, greets=False, old_thresholds=True),
        Dialect("stream", wire.StreamEndpoint, start_wait=5, waits_extend_run=True,
                reads_output=True, type_must_be_text=True, greets=False, old_thresholds=False),
        Dialect("udp", wire.UdpEndpoint, start_wait=5, waits_extend_run=True,
                reads_output=True, type_must_be_text=True, greets=True, old_thresholds=False),
    )
}


@dataclass(frozen=True)
class Schedule:
    """The times of a run in seconds: when requests begin, their spacing, when all is over."""

    start_wait: float
    spacing: float
    total: float


def schedule(config: Config, dialect: Dialect) -> Schedule:
    """Version 0.8 takes the waits out of the lifetime, version 2 adds them to it."""
    start_wait = dialect.start_wait if config.start_wait is None else config.start_wait
    if dialect.waits_extend_run:
        span, total = config.lifetime, config.lifetime + start_wait + config.end_wait
    else:
        span, total = config.lifetime - start_wait - config.end_wait, config.lifetime
    if span <= 0:
        raise ConfigError(
            config.name, "start_wait + end_wait", start_wait + config.end_wait,
            "less than the lifetime (%g) in the dialect %s" % (config.lifetime, dialect.name))
    return Schedule(start_wait, span / max(config.requests, 1), total)


def thresholds(config: Config, dialect: Dialect) -> Dict[str, List[float]]:
    """The tiers' thresholds of this dialect; version 0.8 was stricter with some duplicates."""
    if not dialect.old_thresholds:
        return config.benchmarks
    merged = dict(config.benchmarks)
    merged.update(config.benchmarks_old)
    return merged


def names() -> Tuple[str, ...]:
    """The dialects' names, for the command line."""
    return tuple(DIALECTS)
