"""What is shown while runs are under way: one live line on a terminal, else a line per run."""

import sys
from typing import Any, Dict

from .campaign import Run


class Progress:
    """Writes to the standard error; results go to the standard output."""

    def __init__(self, total: int, live: bool):
        self.total = total
        self.live = live
        self.begun = 0
        self.done = 0
        self._shown = False

    def started(self, run: Run) -> None:
        self.begun += 1
        if not self.live:
            self._write("started %s (%s, seed %d)" % (run.label, run.dialect, run.seed))

    def moved(self, run: Run, state: Dict[str, Any]) -> None:
        """Redraws the live line."""
        line = "[%d/%d] %s  %.0f/%.0f s  requests %d/%d  messages %d  leader %s" % (
            self.done + 1, self.total, run.label, state["seconds"], state["total"],
            state["asked"], state["requests"], state["messages"], state["leader"])
        sys.stderr.write("\r\033[K" + line[:110])
        sys.stderr.flush()
        self._shown = True

    def finished(self, run: Run, passed: bool) -> None:
        self.done += 1
        self.clear()
        if not self.live:
            self._write("finished %s: %s (%d of %d)" % (
                run.label, "PASS" if passed else "FAIL", self.done, self.total))

    def retried(self, run: Run) -> None:
        """Names the one run that may be repeated, and why."""
        self.clear()
        self._write("repeating %s: too few gets could be generated with seed %d, which is the "
                    "load's bad luck; next seed %d" % (run.label, run.seed, run.seed + 1))

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._shown = False

    def _write(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
