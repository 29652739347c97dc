"""One Redis, either as its users mostly run it or with every write synced before it is answered."""

import os
import subprocess
from typing import List, Optional

from clients.door import Door
from cluster.layout import HOST, find_ports
from cluster.resp import Connection, ReplyError
from simulator import interruption

from ..drivers import fill
from ..loads import Load
from .process import ServerProcess, wait_until
from .system import System, Way

PROGRAM = "redis-server"
ALWAYS = ["--appendonly", "yes", "--appendfsync", "always"]
NOTHING = ["--appendonly", "no"]


class Redis(System):
    """A server without snapshots; its other settings are its defaults."""

    def __init__(self, home: str, name: str, is_durable: bool, program: str = PROGRAM):
        super().__init__(home)
        self.name = name
        self._program = program
        # Only then it comes back with its data.
        self.can_restart = is_durable
        self.is_durable = is_durable
        self._server: Optional[ServerProcess] = None
        self._port = 0

    @property
    def _socket(self) -> str:
        return os.path.join(self.home, "redis.sock")

    def start(self) -> None:
        self._port = find_ports(1, None, False)
        command = [self._program, "--bind", HOST, "--port", str(self._port), "--unixsocket",
                   self._socket, "--dir", self.home, "--save", "",
                   *(ALWAYS if self.is_durable else NOTHING)]
        with interruption.deferred():
            self._server = ServerProcess(command, self.home, self.name)
        wait_until(self._is_ready, [self._server])

    def _is_ready(self) -> bool:
        try:
            with Connection(self._socket) as connection:
                return connection.ask("PING") == b"PONG"
        except (OSError, ReplyError):
            return False

    def stop(self) -> None:
        if self._server is not None:
            self._server.end()

    def pids(self) -> List[int]:
        return [self._server.pid] if self._server is not None else []

    def deaths(self) -> List[str]:
        ended = self._server.ended() if self._server is not None else None
        return [self._server.report(ended)] if self._server is not None and ended else []

    def doors(self, way: Way) -> List[Door]:
        if way is Way.SOCKET:
            return [Door(self.name, path=self._socket)]
        return [Door(self.name, port=self._port)]

    def fill(self, load: Load) -> None:
        fill.over_resp(self.doors(Way.FIRST)[0], load)

    def version(self) -> str:
        done = subprocess.run([PROGRAM, "--version"], stdout=subprocess.PIPE, check=False)
        words = done.stdout.decode("utf-8", "replace").split()
        return "Redis %s" % next((word[2:] for word in words if word.startswith("v=")), "?")
