"""The processes of the replicas: started in sessions of their own, and ended whatever happens."""

import os
import signal
import subprocess
import sys
import time
from typing import Callable, List, Optional

from . import interruption
from .wire import Poller

OUTPUT_CHUNK = 1500
END_PATIENCE = 2.0


class ReplicaProcess:
    """One replica's process and, where the dialect reads them, its output pipes."""

    def __init__(self, replica: str, poller: Poller):
        self.replica = replica
        self.poller = poller
        self.process: Optional[subprocess.Popen] = None
        self.ended = False

    def start(self, command: List[str], output: str) -> None:
        """`output` is "inherit", "silence" or "pipe"."""
        target = {"inherit": None, "silence": subprocess.DEVNULL, "pipe": subprocess.PIPE}[output]
        with interruption.deferred():
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=target, stderr=target,
                start_new_session=True)
        if output == "pipe":
            self._watch(self.process.stdout)
            self._watch(self.process.stderr)

    def _watch(self, pipe) -> None:
        os.set_blocking(pipe.fileno(), False)
        self.poller.watch(pipe.fileno(), lambda: self._read_output(pipe))

    def _read_output(self, pipe) -> None:
        """Reads one chunk and prints it; the end of a pipe is told and nothing more."""
        try:
            chunk = os.read(pipe.fileno(), OUTPUT_CHUNK)
        except BlockingIOError:
            return
        if chunk:
            self._print(chunk.decode("utf-8", "replace"))
            return
        self.poller.forget(pipe.fileno())
        if not self.ended:
            self._print("crashed (closed its output)")

    def _print(self, text: str) -> None:
        for line in text.splitlines():
            sys.stdout.write("[%s] %s\n" % (self.replica, line))
        sys.stdout.flush()

    def exit_text(self, patience: float = 0.0) -> Optional[str]:
        """How the process ended by itself, or None while it runs (still, after `patience`)."""
        if self.process is None:
            return None
        deadline = time.monotonic() + patience
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        code = self.process.poll()
        if code is None:
            return None
        if code < 0:
            return "killed by signal %d" % -code
        return "exited with status %d" % code

    def kill(self) -> bool:
        """SIGTERM to the group, then wait; False if the replica had to be forced."""
        self.ended = True
        self._signal(signal.SIGTERM)
        return self.wait_for_end(time.monotonic() + END_PATIENCE)

    def terminate(self) -> None:
        """The first half of `kill`: all are told to go before any is waited for."""
        self.ended = True
        self._signal(signal.SIGTERM)

    def wait_for_end(self, deadline: float) -> bool:
        """Waits until the process is gone, with SIGKILL at the deadline."""
        if self.process is None:
            return True
        willing = True
        pause = 0.0002
        while self.process.poll() is None:
            if time.monotonic() >= deadline:
                willing = False
                self._signal(signal.SIGKILL)
                self.process.wait()
                break
            time.sleep(pause)
            pause = min(pause * 2, 0.01)
        self._signal(signal.SIGKILL)  # what a launcher may have left behind in its group
        self._close_pipes()
        return willing

    def _signal(self, number: int) -> None:
        try:
            if self.process is not None:
                os.killpg(self.process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def _close_pipes(self) -> None:
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                self._drain(pipe)
                self.poller.forget(pipe.fileno())
                pipe.close()

    def _drain(self, pipe) -> None:
        """Last words are often the reason: print what is still in the pipe."""
        try:
            chunk = os.read(pipe.fileno(), 65536)
        except OSError:
            return
        if chunk:
            self._print(chunk.decode("utf-8", "replace"))


def end_all(processes: List[ReplicaProcess], before_wait: Callable[[], None]) -> List[str]:
    """Ends every process, all of them told first; returns those which had to be forced."""
    for process in processes:
        if not process.ended:
            process.terminate()
    before_wait()
    deadline = time.monotonic() + END_PATIENCE
    return [process.replica for process in processes if not process.wait_for_end(deadline)]
