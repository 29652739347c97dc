"""Latency below the limit: an open loop at 70 % of the best rate, found anew in each round."""

from typing import Dict, List, Optional

from .drivers import quorate_bench
from .drivers.outcome import LoadFailed
from .entrants import OURS, REDIS_ALWAYS, Entrant
from .loads import SET_64
from .measurement import median
from .progress import Progress
from .results import Results
from .rounds import Pace
from .systems.system import System

SHARE = 0.7
ENTRANTS = (OURS, REDIS_ALWAYS)


def run(program: str, systems: Dict[str, System], pace: Pace, results: Results,
        progress: Progress) -> None:
    """Fills `results.open_loop`; says so if the generator is not there."""
    present = [entrant for entrant in ENTRANTS if entrant.system in systems]
    if not present:
        return
    if not quorate_bench.is_there(program):
        results.left_out.append("open loop: this build of quorate has no 'bench'")
        return
    progress.expect(pace.rounds * len(present))
    for number in range(1, pace.rounds + 1):
        for entrant in present:
            progress.step("open loop, round %d" % number, entrant.title)
            try:
                _round(program, systems[entrant.system], entrant, pace, results)
            except LoadFailed as error:
                results.left_out.append("open loop, %s: %s" % (entrant.title, error))
                return


def _round(program: str, system: System, entrant: Entrant, pace: Pace, results: Results) -> None:
    doors = system.doors(entrant.way)
    best = quorate_bench.run(program, doors, SET_64, pace.seconds)
    found = quorate_bench.run(program, doors, SET_64, pace.seconds, SHARE * best.rate)
    results.open_loop.setdefault(entrant.name, []).append(
        {"best": best.rate, "rate": found.rate, "p50": found.p50, "p99": found.p99,
         "p999": found.p999, "lost": float(found.lost)})


def figure(results: Results, entrant: Entrant, name: str) -> Optional[float]:
    """The median over rounds; of what was lost the most."""
    found: List[float] = [sample[name] for sample in results.open_loop.get(entrant.name, [])]
    if not found:
        return None
    return max(found) if name == "lost" else median(found)
