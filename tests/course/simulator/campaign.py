"""Runs simulations, each in a process of its own, some of them side by side, and collects results.

A run may have a companion: the same configuration and seed played against a program that answers
at once without any Raft. Its medians are the floor which this machine sets at this hour.
"""

import copy
import json
import os
import selectors
import socket
import subprocess
import sys
from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Deque, Dict, List, Optional

from . import interruption

PACKAGE_PARENT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
END_PATIENCE = 10.0
LUCK_RETRIES = 2
LUCK_CHECK = "get-generation"


@dataclass
class Run:
    """One simulation to be run. `about` is a word for the reader, of no effect."""

    label: str
    name: str
    document: Dict[str, Any]
    dialect: str
    replica: str
    seed: int
    silence: bool
    floor: Optional[str] = None
    retry: bool = True
    about: str = ""

    def order(self, replica: str, progress: bool, silence: bool,
              phase: Any = None) -> Dict[str, Any]:
        """What the simulation's process is told."""
        return {"name": self.name, "document": self.document, "dialect": self.dialect,
                "seed": self.seed, "replica": replica, "silence": silence, "progress": progress,
                "phase": phase}


class SimulationFailed(Exception):
    """A simulation's process ended without a result: a fault of the simulator, not the replica."""


class ReplicaUnstartable(Exception):
    """The operating system would not start the replicas; the text is its reason."""


class _Process:
    """A simulation's process and what it has said so far."""

    def __init__(self, order: Dict[str, Any]):
        ours, theirs = socket.socketpair()
        with theirs, interruption.deferred():
            self.process = subprocess.Popen(
                [sys.executable, "-B", "-m", "simulator.single_run"], stdin=theirs,
                cwd=PACKAGE_PARENT)
        self.socket = ours
        self.buffer = b""
        self.result: Optional[Dict[str, Any]] = None
        self.unstartable: Optional[str] = None
        self.socket.sendall(json.dumps(order).encode() + b"\n")

    def fileno(self) -> int:
        return self.socket.fileno()

    def read(self) -> Optional[List[Dict[str, Any]]]:
        """The messages that have come in, or None at the end."""
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionError:
            data = b""
        if not data:
            return None
        lines = (self.buffer + data).split(b"\n")
        self.buffer = lines.pop()
        return [json.loads(line) for line in lines]

    def end(self) -> None:
        """Hangs up, which the simulation takes as the order to clear up and go."""
        self.socket.close()
        try:
            self.process.wait(END_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class _Active:
    """A run in progress: its simulation and, once its clock has started, its floor."""

    def __init__(self, run: Run, attempt: int, progress: bool):
        self.run = run
        self.attempt = attempt
        self.main = _Process(run.order(run.replica, progress, run.silence))
        self.floor: Optional[_Process] = None
        self.open = [self.main]


class Campaign:
    """Keeps up to `jobs` runs going until all are done."""

    def __init__(self, jobs: int, progress: bool,
                 on_start: Callable[[Run], None] = lambda run: None,
                 on_progress: Callable[[Run, Dict[str, Any]], None] = lambda run, state: None,
                 on_finish: Callable[[Run, Dict[str, Any]], None] = lambda run, result: None,
                 on_retry: Callable[[Run], None] = lambda run: None):
        self.jobs = jobs
        self.progress = progress
        self.on_start = on_start
        self.on_progress = on_progress
        self.on_finish = on_finish
        self.on_retry = on_retry
        self._active: List[_Active] = []
        self._selector = selectors.DefaultSelector()

    def play(self, runs: List[Run]) -> List[Dict[str, Any]]:
        """Runs them all; the results come in the order of `runs`."""
        waiting: Deque[Any] = deque((place, run, 0) for place, run in enumerate(runs))
        results: Dict[int, Dict[str, Any]] = {}
        places: Dict[int, int] = {}
        try:
            while waiting or self._active:
                while waiting and len(self._active) < self.jobs:
                    place, run, attempt = waiting.popleft()
                    places[id(self._start(run, attempt))] = place
                for active in self._turn():
                    place = places.pop(id(active))
                    result = self._collect(active)
                    if self._was_bad_luck(active, result):
                        again = copy.copy(active.run)
                        again.seed += 1
                        self.on_retry(active.run)
                        waiting.appendleft((place, again, active.attempt + 1))
                        continue
                    results[place] = result
                    self.on_finish(active.run, result)
        finally:
            with interruption.deferred():
                self._end_all()
        return [results[place] for place in sorted(results)]

    def _start(self, run: Run, attempt: int) -> _Active:
        with interruption.deferred():
            active = _Active(run, attempt, self.progress)
            self._active.append(active)
        self._selector.register(active.main, selectors.EVENT_READ, active)
        self.on_start(run)
        return active

    def _turn(self) -> List[_Active]:
        """Takes in what the simulations say; returns the runs that are over."""
        over = []
        for key, _ in self._selector.select():
            active, process = key.data, key.fileobj
            messages = process.read()
            if messages is None:
                self._selector.unregister(process)
                active.open.remove(process)
                if not active.open:
                    over.append(active)
                continue
            for message in messages:
                self._take(active, process, message)
        return over

    def _take(self, active: _Active, process: _Process, message: Dict[str, Any]) -> None:
        if "result" in message:
            process.result = message["result"]
        elif "unstartable" in message:
            process.unstartable = message["unstartable"]
        elif "progress" in message and process is active.main:
            self.on_progress(active.run, message["progress"])
        elif "started" in message and process is active.main and active.run.floor:
            moment, spacing = message["started"]
            order = active.run.order(
                active.run.floor, False, True, [moment + spacing / 2, spacing])
            with interruption.deferred():
                active.floor = _Process(order)
                active.open.append(active.floor)
            self._selector.register(active.floor, selectors.EVENT_READ, active)

    def _collect(self, active: _Active) -> Dict[str, Any]:
        for process in (active.main, active.floor):
            if process is not None:
                process.end()
        self._active.remove(active)
        if active.main.unstartable:
            raise ReplicaUnstartable(active.main.unstartable)
        result = active.main.result
        if result is None:
            raise SimulationFailed(
                "the simulation %s (seed %d) ended without a result" % (
                    active.run.label, active.run.seed))
        result["label"] = active.run.label
        result["attempt"] = active.attempt
        result["shared_with"] = self.jobs
        result["floor"] = _floor_figures(active, result)
        return result

    def _was_bad_luck(self, active: _Active, result: Dict[str, Any]) -> bool:
        """The one check that fails for reasons no replica has a hand in, and it alone."""
        failed = [check["name"] for check in result["checks"] if not check["passed"]]
        return failed == [LUCK_CHECK] and active.run.retry and active.attempt < LUCK_RETRIES

    def _end_all(self) -> None:
        for active in self._active:
            for process in (active.main, active.floor):
                if process is not None and process.process.poll() is None:
                    process.process.terminate()
        for active in self._active:
            for process in (active.main, active.floor):
                if process is not None:
                    process.end()
        self._selector.close()


def _floor_figures(active: _Active, result: Dict[str, Any]) -> Optional[Dict[str, Any]]:
    """The floor's medians, and how many times longer ours are."""
    floor = active.floor.result if active.floor else None
    if floor is None:
        return None
    found: Dict[str, Any] = {}
    for kind in ("put", "get"):
        ours, least = result["ok_" + kind]["median"], floor["ok_" + kind]["median"]
        found[kind] = least
        found[kind + "_ratio"] = ours / least if ours and least else None
    return found
