"""The limits that we hold ourselves to, and how far a run keeps them.

Each is a ratio of medians within one run, or a bound that no machine should change.
"""

from dataclasses import dataclass
from typing import Callable, List, Optional, Sequence

from .. import open_loop
from ..entrants import ETCD, OURS, OURS_LEASES, REDIS, REDIS_ALWAYS, Entrant
from ..loads import GET, GET_64, GET_ONE, SET, SET_64, SET_ONE, Load
from ..results import Results
from .table import Table, figure

MIB = 1 << 20
MISSED = "MISSED"


@dataclass(frozen=True)
class Target:
    """`find` gives the figure, or None where something that it needs was not measured. Below
    `credible_from` it cannot be: then something else kept the machine busy."""

    title: str
    limit: float
    is_floor: bool
    find: Callable[[Results], Optional[float]]
    credible_from: float = 0.0

    def is_met(self, found: float) -> bool:
        return found >= self.limit if self.is_floor else found <= self.limit


def _divided(over: Optional[float], under: Optional[float]) -> Optional[float]:
    return None if over is None or not under else over / under


def faster(load: Load, ours: Entrant, theirs: Entrant, limit: float) -> Target:
    """At least so many times their rate."""
    return Target(
        "%s: %s as fast as %s" % (load.title, ours.title, theirs.title), limit, True,
        lambda results: _divided(results.median(load.name, ours.name, "rate"),
                                 results.median(load.name, theirs.name, "rate")))


def cheaper(figure_name: str, what: str, load: Load, theirs: Entrant, limit: float) -> Target:
    """At most so many times what they take."""
    return Target(
        "%s: %s beside %s" % (load.title, what, theirs.title), limit, False,
        lambda results: _divided(results.median(load.name, OURS.name, figure_name),
                                 results.median(load.name, theirs.name, figure_name)))


def etcd_best(results: Results) -> Optional[float]:
    """Its best rate of writes under any load."""
    rates = [results.median(load.name, ETCD.name, "rate") for load in (SET, SET_64)]
    return max((rate for rate in rates if rate is not None), default=None)


def memory_beside_redis(results: Results) -> Optional[float]:
    """A loaded node beside what it may have: 1.5 times the bytes of Redis' data, and 16 MiB."""
    ours, redis = results.footprints.get(OURS.system), results.footprints.get(REDIS.system)
    if ours is None or redis is None:
        return None
    data = max(redis.loaded_bytes) - max(redis.idle_bytes)
    return max(ours.loaded_bytes) / (1.5 * data + 16 * MIB)


def idle_mebibytes(results: Results) -> Optional[float]:
    ours = results.footprints.get(OURS.system)
    return None if ours is None else max(ours.idle_bytes) / MIB


TARGETS: Sequence[Target] = (
    faster(SET_64, OURS, REDIS_ALWAYS, 1.0),
    Target("%s: quorate as fast as etcd at its best" % SET_64.title, 20.0, True,
           lambda results: _divided(results.median(SET_64.name, OURS.name, "rate"),
                                    etcd_best(results))),
    faster(SET, OURS, REDIS_ALWAYS, 0.8),
    faster(SET, OURS, ETCD, 6.0),
    faster(GET, OURS, REDIS, 0.7),
    faster(GET_64, OURS, REDIS, 0.5),
    faster(GET, OURS_LEASES, REDIS, 0.9),
    faster(GET_64, OURS_LEASES, REDIS, 0.8),
    cheaper("p50", "p50", SET_ONE, ETCD, 0.5),
    Target("%s: p50 beside a bare write and fdatasync" % SET_ONE.title, 2.2, False,
           lambda results: _divided(results.median(SET_ONE.name, OURS.name, "p50"),
                                    results.bare_disk_p50()), credible_from=1.0),
    cheaper("p50", "p50", GET_ONE, REDIS, 2.0),
    Target("Open loop at 70 % of the best rate: p99 in ms", 10.0, False,
           lambda results: open_loop.figure(results, OURS, "p99")),
    Target("Open loop at 70 % of the best rate: requests lost", 0.0, False,
           lambda results: open_loop.figure(results, OURS, "lost")),
    Target("Memory of a loaded node beside 1.5 times Redis' data and 16 MiB", 1.0, False,
           memory_beside_redis),
    Target("Memory of an idle node in MiB", 10.0, False, idle_mebibytes),
    Target("Size of the stripped program in MB", 4.0, False,
           lambda results: _divided(results.binary.get("stripped"), 1e6)),
    cheaper("cpu", "CPU time of all nodes", SET_64, REDIS_ALWAYS, 3.0),
)


def judge(results: Results, targets: Sequence[Target] = TARGETS) -> "tuple[Table, List[str]]":
    """A table of all limits, and the titles of those that are not kept."""
    table, missed = Table("limit", "found", "asked", ""), []
    for target in targets:
        found = target.find(results)
        asked = "%s %g" % ("at least" if target.is_floor else "at most", target.limit)
        verdict = _verdict(target, found)
        if verdict == MISSED:
            missed.append(target.title)
        table.add(target.title, figure(found), asked, verdict)
    return table, missed


def _verdict(target: Target, found: Optional[float]) -> str:
    if found is None:
        return "not measured"
    if found < target.credible_from:
        return "not credible"
    return "kept" if target.is_met(found) else MISSED
