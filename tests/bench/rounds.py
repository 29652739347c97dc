"""The order of things: every cell in turn, and that again and again.

A round goes through all cells, load by load, so that what will be compared was measured within
seconds. Systems are all up, but only one is under load at any time. Before the rounds every cell is
run shortly, which warms it up and tells how many requests a round of it can take.
"""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Sequence

from . import usage
from .bare_disk import BareDisk, p50_of_three
from .drivers.outcome import LoadFailed, Outcome
from .entrants import OURS, Cell
from .loads import SET_ONE
from .measurement import Measurement, Sample
from .progress import Progress
from .results import Footprint, Results
from .syncs import SyncCounter
from .systems.process import StartFailed
from .systems.system import System

# What may go wrong with one system while the others can still be measured.
FAILURES = (LoadFailed, StartFailed, OSError)
# For the first guess of a rate: something that every system reaches.
RATE_FLOOR = 500.0


@dataclass(frozen=True)
class Pace:
    """How often and how long each cell is measured."""

    rounds: int
    seconds: float

    @property
    def warm_up_seconds(self) -> float:
        return min(0.5, self.seconds / 2)

    @property
    def idle_seconds(self) -> float:
        """CPU time is counted in hundredths of a second, so idleness takes a while to be told."""
        return min(2.0, 5.0 * self.seconds)

    @property
    def bare_seconds(self) -> float:
        return min(0.5, self.seconds)


class Rounds:
    """One run over cells whose systems are up."""

    def __init__(self, systems: Dict[str, System], cells: Sequence[Cell], pace: Pace,
                 results: Results, progress: Progress, home: str):
        self.systems = systems
        self.cells = cells
        self.pace = pace
        self.results = results
        self.progress = progress
        self._home = home
        self._rates: Dict[Cell, float] = {}
        self._bare_disk: Optional[BareDisk] = None

    def run(self) -> None:
        """Everything, from the first look at idle servers to the last."""
        counted = [cell for cell in self.cells if self._is_counted(cell)]
        self.progress.expect(len(self.cells) * (self.pace.rounds + 1) + len(counted))
        self._look_idle()
        self._fill()
        self._go_through("warm-up", self.cells, self._warm_up)
        with BareDisk(self._home) as self._bare_disk:
            for number in range(1, self.pace.rounds + 1):
                part = "round %d of %d" % (number, self.pace.rounds)
                self._go_through(part, self.cells, self._measure)
        self._go_through("counting syncs", counted, self._count_syncs)
        for name, system in self.systems.items():
            self.results.footprints[name].after_bytes = usage.resident_bytes(system.pids())
            self.results.footprints[name].peak_bytes = usage.peak_bytes(system.pids())

    def restart(self) -> None:
        """How long it takes to come back with all data; the last thing that is measured."""
        for name, system in self.systems.items():
            if not system.can_restart:
                continue
            found = self.results.footprints[name]
            system.stop()
            began = time.monotonic()
            try:
                system.start()
                found.restart_seconds = time.monotonic() - began
                found.restart_peak_bytes = usage.peak_bytes(system.pids())
            except FAILURES as error:
                found.restart_failure = str(error)
                self.progress.say("%s: %s" % (name, error))

    def _is_counted(self, cell: Cell) -> bool:
        load, entrant = cell
        return not load.is_read and self.systems[entrant.system].is_durable

    def _look_idle(self) -> None:
        """What servers take that have nothing to do, all of them at the same time."""
        before = {name: usage.cpu_seconds(system.pids()) for name, system in self.systems.items()}
        time.sleep(self.pace.idle_seconds)
        for name, system in self.systems.items():
            spent = usage.cpu_seconds(system.pids()) - before[name]
            found = self.results.footprints[name]
            found.idle_cpu_percent = 100.0 * spent / self.pace.idle_seconds
            found.idle_bytes = usage.resident_bytes(system.pids())
            system.rest()

    def _fill(self) -> None:
        """Gives each system the keys of the first load that it will get."""
        for name, system in self.systems.items():
            load = next(load for load, entrant in self.cells if entrant.system == name)
            self.progress.say("filling %s with %d keys" % (name, load.keys))
            try:
                system.wake()
                system.fill(load)
            except FAILURES as error:
                self._give_up(name, "\n".join([str(error)] + system.deaths()))
            self.results.footprints[name].loaded_bytes = usage.resident_bytes(system.pids())
            system.rest()

    def _give_up(self, name: str, why: str) -> None:
        """All cells of a system have failed."""
        self.progress.say("%s: %s" % (name, why))
        for load, entrant in self.cells:
            if entrant.system == name:
                self._measurement((load, entrant)).failure = why

    def _measurement(self, cell: Cell) -> Measurement:
        load, entrant = cell
        return self.results.cells.setdefault((load.name, entrant.name), Measurement())

    def _go_through(self, part: str, cells: Sequence[Cell],
                    work: Callable[[Cell, Measurement], None]) -> None:
        """Does the work for each cell that has not failed; a failure ends that cell only."""
        for cell in cells:
            load, entrant = cell
            found = self._measurement(cell)
            self.progress.step(part, "%s, %s" % (load.title, entrant.title))
            if found.failure is not None:
                continue
            system = self.systems[entrant.system]
            try:
                system.wake()
                work(cell, found)
                # A cluster goes on when one of its nodes has died: no figures of such.
                found.failure = "\n".join(system.deaths()) or None
            except FAILURES as error:
                found.failure = "\n".join([str(error)] + system.deaths())
            finally:
                system.rest()
            if found.failure is not None:
                self.progress.say("%s, %s: %s" % (load.title, entrant.title, found.failure))

    def _drive(self, cell: Cell, seconds: float) -> Outcome:
        load, entrant = cell
        system = self.systems[entrant.system]
        rate = self._rates.get(cell, RATE_FLOOR * load.pipeline)
        outcome = system.drive(entrant.way, load, seconds, rate)
        self._rates[cell] = outcome.rate
        return outcome

    def _warm_up(self, cell: Cell, _: Measurement) -> None:
        self._drive(cell, self.pace.warm_up_seconds / 2)
        self._drive(cell, self.pace.warm_up_seconds)

    def _measure(self, cell: Cell, found: Measurement) -> None:
        if cell == (SET_ONE, OURS) and self._bare_disk is not None:
            self.results.bare_disk.append(self._bare_disk.p50(self.pace.bare_seconds))
            self.results.bare_disk_three.append(p50_of_three(self._home, self.pace.bare_seconds))
        pids = self.systems[cell[1].system].pids()
        cpu, disk = usage.cpu_seconds(pids), usage.disk_written_bytes(self._home)
        outcome = self._drive(cell, self.pace.seconds)
        cpu = usage.cpu_seconds(pids) - cpu
        written = None if disk is None else usage.disk_written_bytes(self._home) - disk
        found.samples.append(Sample(
            outcome.rate, outcome.p50, outcome.p99, outcome.p999, 1e6 * cpu / outcome.requests,
            None if written is None else written / outcome.requests))

    def _count_syncs(self, cell: Cell, found: Measurement) -> None:
        pids = self.systems[cell[1].system].pids()
        with SyncCounter(pids, self._home) as counter:
            outcome = self._drive(cell, self.pace.warm_up_seconds)
        if counter.count is not None:
            found.syncs = counter.count / outcome.requests


def start(systems: List[System], results: Results, progress: Progress,
          stack: ExitStack) -> Dict[str, System]:
    """Starts systems and leaves their end to `stack`; one that does not start is left out."""
    started = {}
    for system in systems:
        progress.say("starting %s" % system.name)
        stack.callback(system.stop)
        began = time.monotonic()
        try:
            system.start()
        except (StartFailed, OSError) as error:
            results.left_out.append("%s: %s" % (system.name, error))
            progress.say("left out %s" % results.left_out[-1])
            continue
        started[system.name] = system
        results.footprints[system.name] = Footprint(
            version=system.version(), start_seconds=time.monotonic() - began)
    return started

