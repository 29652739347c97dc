"""The process that holds one simulation: `python3 -m simulator.single_run`.

It is started by `campaign` with a socket as its standard input. One line of JSON comes in (what to
run), lines of JSON go out: that the clock has started, the progress if it was asked for, the
result. If the socket ends, whoever started this process is gone, and the run is given up; so not
even a `kill -9` of `run.py` leaves replicas behind.
"""

import gc
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from typing import Any, Dict

from . import config, interruption
from .dialect import DIALECTS
from .results import summarise
from .simulation import Simulation

PROGRESS_SECONDS = 0.5


class Unstartable(Exception):
    """The replicas or their sockets could not be made."""


class Parent:
    """The line to the process that wants the result."""

    def __init__(self) -> None:
        self._socket = socket.socket(fileno=os.dup(0))
        self._lines = self._socket.makefile("r", encoding="utf-8")

    def order(self) -> Dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise interruption.Interrupted("nothing to run")
        return json.loads(line)

    def tell(self, kind: str, content: Any) -> None:
        try:
            self._socket.sendall(json.dumps({kind: content}).encode() + b"\n")
        except OSError as error:
            raise interruption.Interrupted("run.py is gone") from error

    def fileno(self) -> int:
        return self._socket.fileno()

    def gone(self) -> None:
        raise interruption.Interrupted("run.py is gone")


def wait_for_phase(phase: Any) -> None:
    """Waits for a moment that lies `phase[0]` plus a multiple of `phase[1]`.

    Two simulations side by side then send their requests in turn instead of at once.
    """
    if phase:
        time.sleep((phase[0] - time.monotonic()) % phase[1])


def play(order: Dict[str, Any], parent: Parent) -> Dict[str, Any]:
    """Launches, runs and judges one simulation in the current directory."""
    settings = config.parse(order["name"], order["document"])
    simulation = Simulation(settings, DIALECTS[order["dialect"]], order["replica"], order["seed"],
                            order["silence"])
    simulation.poller.watch(parent.fileno(), parent.gone)
    next_told = [0.0]

    def tell_progress(now: float) -> None:
        if now >= next_told[0]:
            next_told[0] = now + PROGRESS_SECONDS
            parent.tell("progress", simulation.progress(now))

    if order["progress"]:
        simulation.on_look = tell_progress
    try:
        try:
            simulation.launch()
        except OSError as error:
            raise Unstartable(str(error)) from error
        wait_for_phase(order["phase"])
        parent.tell("started", [time.monotonic(), simulation.schedule.spacing])
        gc.collect()
        gc.freeze()
        gc.disable()
        simulation.run()
        gc.enable()
    finally:
        with interruption.deferred():
            simulation.end()
    return summarise(simulation)


def main() -> int:
    """Runs what the parent orders; the exit status only says whether there is a result."""
    interruption.install()
    parent = Parent()
    home = os.getcwd()
    directory = tempfile.mkdtemp(prefix="quorate-course-")
    try:
        os.chdir(directory)
        parent.tell("result", play(parent.order(), parent))
        return 0
    except Unstartable as error:
        parent.tell("unstartable", str(error))
        return 1
    except interruption.Interrupted:
        return 1
    finally:
        with interruption.deferred():
            os.chdir(home)
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
