"""perf, as it is run here: the stacks of some processes for some seconds."""

import os
import shutil
import signal
import subprocess
from collections import Counter
from typing import Any, Dict, List

from simulator import interruption

from . import stacks
from .stacks import Thread

# Not a divisor of anything that happens regularly.
SAMPLES_A_SECOND = 997
PARANOID = "/proc/sys/kernel/perf_event_paranoid"
END_PATIENCE = 30.0


class NotPermitted(Exception):
    """perf is missing or may not look; the text says what to do."""


class Recorder:
    """Records while the block runs.

    The clock of the CPU is sampled, not one of its counters: those are missing on most virtual
    machines. Call stacks are followed by frame pointers, which costs next to nothing.
    """

    def __init__(self, pids: List[int], home: str):
        if shutil.which("perf") is None:
            raise NotPermitted("perf is not installed (apt-get install linux-perf)")
        self._data = os.path.join(home, "perf.data")
        self._log = os.path.join(home, "perf.log")
        self._command = ["perf", "record", "--quiet", "-e", "cpu-clock", "-F",
                         str(SAMPLES_A_SECOND), "--call-graph", "fp", "-o", self._data, "-p",
                         ",".join(map(str, pids))]
        self._perf = None

    def __enter__(self) -> "Recorder":
        # Should it be forgotten: it ends with the processes that it looks at.
        with open(self._log, "wb") as log:
            self._perf = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, start_new_session=True)
        return self

    def __exit__(self, *_: Any) -> None:
        with interruption.deferred():
            if self._perf.poll() is None:
                self._perf.send_signal(signal.SIGINT)
            try:
                self._perf.wait(END_PATIENCE)
            except subprocess.TimeoutExpired:
                self._perf.kill()
                self._perf.wait()

    def read(self) -> Dict[Thread, Counter]:
        """What was recorded; an error if nothing was."""
        if not os.path.exists(self._data) or not os.path.getsize(self._data):
            raise NotPermitted(self._why_not())
        script = subprocess.Popen(
            ["perf", "script", "-i", self._data, "--no-inline", "-F", "comm,pid,tid,period,ip,sym"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, errors="replace")
        with script:
            return stacks.read(script.stdout)

    def _why_not(self) -> str:
        with open(self._log, encoding="utf-8", errors="replace") as log:
            said = " ".join(log.read().split())[:200] or "it said nothing"
        try:
            with open(PARANOID, encoding="ascii") as level:
                paranoid = level.read().strip()
        except OSError:
            return "perf has recorded nothing (%s); this kernel may lack perf events" % said
        return ("perf has recorded nothing (%s); kernel.perf_event_paranoid is %s here: run this "
                "as root, or allow it with 'sysctl kernel.perf_event_paranoid=1'" % (
                    said, paranoid))
