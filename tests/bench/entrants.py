"""Which system is reached in which way: the columns of the comparison."""

from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

from .loads import LOADS, Load
from .systems.system import Way


@dataclass(frozen=True)
class Entrant:
    """A system and how its clients reach it."""

    name: str
    title: str
    system: str
    way: Way = Way.FIRST


OURS = Entrant("quorate", "quorate, 3 nodes", "quorate")
# Another build of ours, for a comparison of before and after.
OTHER_BUILD = Entrant("other-build", "quorate, other build", "other-build")
OURS_LEASES = Entrant("quorate-leases", "quorate, leases", "quorate-leases")
OURS_ALL = Entrant("quorate-all", "quorate, clients on all nodes", "quorate", Way.ALL)
OURS_SOCKET = Entrant("quorate-unix", "quorate, Unix socket", "quorate", Way.SOCKET)
REDIS_ALWAYS = Entrant("redis-always", "Redis, appendfsync always", "redis-always")
REDIS_ALWAYS_SOCKET = Entrant("redis-always-unix", "Redis, appendfsync always, Unix socket",
                              "redis-always", Way.SOCKET)
REDIS = Entrant("redis", "Redis, nothing durable", "redis")
REDIS_SOCKET = Entrant("redis-unix", "Redis, nothing durable, Unix socket", "redis", Way.SOCKET)
ETCD = Entrant("etcd", "etcd, 3 nodes", "etcd")

MAIN: Sequence[Entrant] = (OURS, OTHER_BUILD, OURS_LEASES, REDIS_ALWAYS, REDIS, ETCD)
MORE: Sequence[Entrant] = (OURS_ALL, OURS_SOCKET, REDIS_ALWAYS_SOCKET, REDIS_SOCKET)
BY_NAME: Dict[str, Entrant] = {entrant.name: entrant for entrant in (*MAIN, *MORE)}

Cell = Tuple[Load, Entrant]


def takes(entrant: Entrant, load: Load) -> bool:
    """Whether an entrant has something of its own to show under a load."""
    if entrant is OURS_LEASES:
        return load.is_read
    if entrant is OURS_ALL:
        return not load.is_alone
    return True


def cells(entrants: Sequence[Entrant]) -> List[Cell]:
    """Load by load, so that those which are compared are measured right after one another."""
    return [(load, entrant) for load in LOADS for entrant in entrants if takes(entrant, load)]
