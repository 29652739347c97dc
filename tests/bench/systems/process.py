"""One server process and its log, from its start to its end."""

import os
import signal
import subprocess
import time
from typing import List, Optional

from simulator import interruption

END_PATIENCE = 5.0
LAST_LINES = 8


class StartFailed(Exception):
    """A server did not get ready; the text says why."""


class ServerProcess:
    """A server that is started once, in a session of its own: Ctrl-C is ours to handle.

    It is to be made while interruptions are deferred, so that none is started and not remembered.
    """

    def __init__(self, command: List[str], home: str, name: str):
        self.name = name
        self.log_path = os.path.join(home, name + ".log")
        os.makedirs(home, exist_ok=True)
        with open(self.log_path, "wb") as log:
            self._process = subprocess.Popen(
                command, cwd=home, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> Optional[str]:
        """How it ended, or None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        return "was killed by signal %d" % -code if code < 0 else "ended with status %d" % code

    def report(self, why: str) -> str:
        """What is wrong, with the end of the log."""
        with open(self.log_path, "rb") as log:
            lines = log.read().decode("utf-8", "replace").splitlines()[-LAST_LINES:]
        return "\n".join(["%s %s; its log ends:" % (self.name, why)]
                         + ["  | " + line[:200] for line in lines])

    def signal(self, number: int) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    def end(self) -> None:
        """SIGTERM, and SIGKILL if that is not enough; a process at rest is woken for it."""
        with interruption.deferred():
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGCONT)
            try:
                self._process.wait(END_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def wait_until(is_ready, servers: List[ServerProcess], patience: float = 20.0) -> None:
    """Waits until `is_ready()`; a server that has ended, or too long a wait, is an error."""
    deadline = time.monotonic() + patience
    while not is_ready():
        for server in servers:
            ended = server.ended()
            if ended is not None:
                raise StartFailed(server.report(ended))
        if time.monotonic() > deadline:
            raise StartFailed(servers[0].report("did not get ready in %d seconds" % patience))
        time.sleep(0.02)
