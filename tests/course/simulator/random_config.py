"""Random configurations that a correct replica survives.

Whatever is drawn, a majority of the replicas stays alive, every partition is healed, and the last
seconds are quiet. So a run may leave requests open, but it must never be wrong.
"""

import random
from typing import Any, Dict, List, Tuple

from .dialect import DIALECTS, names

MIXED = "mixed"
START_WAIT = 3
END_WAIT = 5
QUIET_SECONDS = 2
FAULTS_MAX = 4
PARTITION_SECONDS = (0.5, 4.0)
KILLS = ("kill_leader", "kill_non_leader")
PARTITIONS = ("part_easy", "part_hard")
UNREACHABLE_TIERS = {
    name: [0, 0, 0] for name in ("total_msgs", "failures", "duplicates", "median_latency")
}


def generate(seed: int, lifetime: int, dialect: str) -> Tuple[Dict[str, Any], str]:
    """The configuration of a seed, and its dialect: the one asked for, or the seed's own."""
    chance = random.Random("random config %d" % seed)
    own_dialect = chance.choice(names())
    chosen = own_dialect if dialect == MIXED else dialect
    replicas = chance.randint(3, 21)
    drops = chance.choice((0.0, round(chance.uniform(0.0, 0.3), 3)))
    mix = round(chance.uniform(0.1, 0.9), 2)
    rate = chance.randint(5, 40)
    document = {
        "replicas": replicas, "drops": drops, "mix": mix, "requests": rate * lifetime,
        "start_wait": START_WAIT, "end_wait": END_WAIT, "max_packets": 900000,
        "events": _events(chance, replicas, lifetime),
        # Version 0.8 counts the waits as part of the lifetime; the load lasts equally long in all.
        "lifetime": lifetime if DIALECTS[chosen].waits_extend_run
        else lifetime + START_WAIT + END_WAIT,
        "tests": {"benchmarks": UNREACHABLE_TIERS},
    }
    return document, chosen


def _events(chance: random.Random, replicas: int, lifetime: int) -> List[Dict[str, Any]]:
    """Up to four faults of any kind, and for every partition the end that heals it."""
    latest = lifetime - QUIET_SECONDS
    kills_left = (replicas - 1) // 2
    events = []
    for _ in range(chance.randint(0, FAULTS_MAX)):
        kind = chance.choice(KILLS + PARTITIONS + ("part_end",))
        moment = chance.uniform(0.3, latest)
        if kind in KILLS:
            if not kills_left:
                continue
            kills_left -= 1
        events.append((moment, kind))
        if kind in PARTITIONS:
            events.append((min(latest, moment + chance.uniform(*PARTITION_SECONDS)), "part_end"))
    return [{"type": kind, "time": round(moment, 3)} for moment, kind in sorted(events)]


def describe(document: Dict[str, Any], dialect: str, lifetime: int) -> str:
    """A configuration in a few words."""
    events = " ".join("%s@%g" % (event["type"], event["time"]) for event in document["events"])
    return "%s, %d replicas, drops %g, mix %g, %d/s, %s" % (
        dialect, document["replicas"], document["drops"], document["mix"],
        document["requests"] // lifetime, events or "no events")
