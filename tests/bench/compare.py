"""The comparison itself: which cells, which systems, and everything that is measured of them."""

import argparse
import contextlib
import os
import time
from typing import Callable, Dict, List, Sequence

from clients.install import NotAvailable
from simulator import build
from simulator.command_options import UsageError

from . import build_size, entrants, install, loads, open_loop, rounds, usage
from .progress import Progress
from .results import Results
from .systems.etcd import PROGRAM as ETCD
from .systems.etcd import Etcd
from .systems.quorate import Quorate
from .systems.redis import PROGRAM as REDIS
from .systems.redis import Redis
from .systems.system import System

QUICK = rounds.Pace(rounds=3, seconds=0.4)
FULL = rounds.Pace(rounds=5, seconds=2.0)

# Takes a program and returns one that runs it, within limits perhaps.
Wrap = Callable[[str], str]


def prepare_generator(results: Results) -> None:
    try:
        instead = install.generator()
    except NotAvailable as error:
        raise UsageError("there is nothing to make a load with: redis-benchmark is %s" %
                         error) from error
    if instead is not None:
        results.left_out.append(instead)


def pace_of(options: argparse.Namespace) -> rounds.Pace:
    pace = QUICK if options.quick else FULL
    return rounds.Pace(options.rounds or pace.rounds, options.seconds or pace.seconds)


def cells_for(options: argparse.Namespace) -> List[entrants.Cell]:
    """All cells, or those that were asked for."""
    names = set(options.only)
    few = options.quick and not names
    found = entrants.cells(entrants.MAIN if few else (*entrants.MAIN, *entrants.MORE))
    if options.against is None:
        found = [cell for cell in found if cell[1] is not entrants.OTHER_BUILD]
    if names & set(loads.BY_NAME):
        found = [cell for cell in found if cell[0].name in names]
    if names & set(entrants.BY_NAME):
        found = [cell for cell in found if cell[1].name in names]
    if not found:
        raise UsageError("--only: leaves nothing to be measured")
    return found


def systems_for(cells: Sequence[entrants.Cell], options: argparse.Namespace, home: str,
                results: Results, wrap: Wrap) -> List[System]:
    """Those that take part in a cell and can be had."""
    def ours(name: str, program: str, *more: str) -> System:
        return Quorate(os.path.join(home, name), wrap(program), name, [*options.options, *more])

    def redis(name: str, is_durable: bool) -> System:
        install.redis()
        return Redis(os.path.join(home, name), name, is_durable, wrap(REDIS))

    def etcd() -> System:
        install.etcd()
        return Etcd(os.path.join(home, "etcd"), wrap(ETCD))

    ways: Dict[str, Callable[[], System]] = {
        "quorate": lambda: ours("quorate", build.BINARY),
        "other-build": lambda: ours("other-build", options.against),
        "quorate-leases": lambda: ours("quorate-leases", build.BINARY, "--leases"),
        "redis-always": lambda: redis("redis-always", True),
        "redis": lambda: redis("redis", False),
        "etcd": etcd,
    }
    wanted, found = {entrant.system for _, entrant in cells}, []
    for name, way in ways.items():
        if name in wanted:
            try:
                found.append(way())
            except NotAvailable as error:
                results.left_out.append("%s: %s" % (name, error))
    return found


def measure(options: argparse.Namespace, home: str, progress: Progress,
            wrap: Wrap = lambda program: program) -> Results:
    """Starts what is needed, measures, and ends it."""
    pace, results = pace_of(options), Results(machine=usage.machine())
    results.settings = {"rounds": pace.rounds, "seconds": pace.seconds,
                        "node_options": options.options,
                        "taken": time.strftime("%Y-%m-%d %H:%M")}
    results.binary = build_size.of(build.BINARY)
    prepare_generator(results)
    cells = cells_for(options)
    with contextlib.ExitStack() as stack:
        systems = systems_for(cells, options, home, results, wrap)
        started = rounds.start(systems, results, progress, stack)
        cells = [cell for cell in cells if cell[1].system in started]
        run = rounds.Rounds(started, cells, pace, results, progress, home)
        run.run()
        if not options.only:
            open_loop.run(build.BINARY, started, pace, results, progress)
            run.restart()
    return results
