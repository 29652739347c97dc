"""One node: its process, its log, and what it says of itself."""

import os
import signal
import subprocess
import time
from typing import Dict, List, Optional

from simulator import interruption

from .layout import Place
from .resp import Connection, ReplyError

# What a node may take to answer a question about itself.
ASK_PATIENCE = 0.5
LAST_LINES = 12


def environment() -> Dict[str, str]:
    """Ours, without settings that were meant for another node."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith("QUORATE_") or name == "QUORATE_LOG"}


class NodeProcess:
    """A node that is started once. `reported` tells that its death is known."""

    def __init__(self, place: Place):
        self.place = place
        self.process: Optional[subprocess.Popen] = None
        self.reported = False
        self._log_start = 0
        self._connection: Optional[Connection] = None

    def start(self, program: str, peers: str, options: List[str]) -> None:
        """Starts the node; a directory without one is formatted."""
        place = self.place
        command = [program, "serve", "--id", str(place.id), "--data", place.data,
                   "--peer", place.peer, "--peers", peers]
        for address in place.clients:
            command += ["--client", address]
        if not place.is_founded:
            command.append("--bootstrap")
        with open(place.log, "ab") as log, interruption.deferred():
            self._log_start = log.tell()
            self.process = subprocess.Popen(
                command + options, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env=environment())

    def ended(self) -> Optional[str]:
        """How the process ended, or None while it runs."""
        code = self.process.poll() if self.process is not None else None
        if code is None:
            return None
        return "was killed by signal %d" % -code if code < 0 else "ended with status %d" % code

    def last_lines(self) -> List[str]:
        """The end of what it has logged since it was started."""
        with open(self.place.log, "rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace").splitlines()[-LAST_LINES:]

    def info(self) -> Optional[Dict[str, str]]:
        """The fields of its INFO, or None if it does not answer."""
        if self.ended() is not None:
            return None
        try:
            if self._connection is None:
                self._connection = Connection(self.place.client_socket, ASK_PATIENCE)
            return self._connection.info()
        except (OSError, ReplyError, ValueError):
            self._forget()
            return None

    def is_ready(self) -> bool:
        """Whether it knows a leader, and so can serve."""
        info = self.info()
        return info is not None and info.get("leader", "none") != "none"

    def terminate(self, number: int = signal.SIGTERM) -> None:
        """Tells it to end; the process may be gone already."""
        self._forget()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def wait(self, deadline: float) -> bool:
        """Waits for the end; False if SIGKILL was needed."""
        if self.process is None:
            return True
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
            return True
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
