"""What is shown while it is measured: one live line on a terminal, else a line per round."""

import sys
import time


class Progress:
    """Writes to the standard error; `total` steps of about equal length are to come."""

    def __init__(self) -> None:
        self._live = sys.stderr.isatty()
        self._began = time.monotonic()
        self._done = 0
        self._total = 1
        self._said = ""

    def expect(self, total: int) -> None:
        """So many steps from now on."""
        self._began, self._done, self._total = time.monotonic(), 0, max(1, total)

    def step(self, part: str, what: str) -> None:
        """A step begins; parts (rounds) are told even where there is no terminal."""
        took = time.monotonic() - self._began
        left = took / self._done * (self._total - self._done) if self._done else 0.0
        self._done += 1
        if self._live:
            line = "[%d/%d, %d s left] %s: %s" % (self._done, self._total, left, part, what)
            sys.stderr.write("\r\033[K" + line[:100])
        elif part != self._said:
            sys.stderr.write(part + "\n")
        self._said = part
        sys.stderr.flush()

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._live and self._said:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
