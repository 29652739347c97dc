"""Three nodes of etcd with their default settings, which sync every write."""

import os
import re
import signal
import subprocess
from typing import List

from clients.door import Door
from cluster.layout import HOST, find_ports
from simulator import interruption

from ..drivers import etcd_load
from ..drivers.outcome import Outcome
from ..loads import Load
from .process import ServerProcess, wait_until
from .system import System, Way

PROGRAM = "etcd"
NODES = 3


class Etcd(System):
    """A cluster of etcd.

    Its nodes keep a few percent of a core busy while nothing is asked of them, which would be taken
    from the others: they are stopped (SIGSTOP) while others are measured.
    """

    name = "etcd"

    def __init__(self, home: str, program: str = PROGRAM):
        super().__init__(home)
        self._program = program
        self._servers: List[ServerProcess] = []
        self._port = 0

    def start(self) -> None:
        self._port = find_ports(2 * NODES, None, False)
        peers = ["n%d=http://%s:%d" % (number, HOST, self._port + NODES + number)
                 for number in range(NODES)]
        for number in range(NODES):
            with interruption.deferred():
                self._servers.append(self._start_node(number, peers))
        wait_until(self._is_ready, self._servers)

    def _start_node(self, number: int, peers: List[str]) -> ServerProcess:
        name, _, peer_url = peers[number].partition("=")
        client_url = "http://%s:%d" % (HOST, self._port + number)
        return ServerProcess(
            [self._program, "--name", name, "--data-dir", os.path.join(self.home, name),
             "--listen-peer-urls", peer_url, "--initial-advertise-peer-urls", peer_url,
             "--listen-client-urls", client_url, "--advertise-client-urls", client_url,
             "--initial-cluster", ",".join(peers), "--initial-cluster-state", "new",
             "--log-level", "error"], self.home, "etcd-" + name)

    def _is_ready(self) -> bool:
        return etcd_load.answers(self.doors(Way.ALL))

    def stop(self) -> None:
        for server in self._servers:
            server.end()

    def pids(self) -> List[int]:
        return [server.pid for server in self._servers]

    def deaths(self) -> List[str]:
        found = [(server, server.ended()) for server in self._servers]
        return [server.report(ended) for server, ended in found if ended is not None]

    def doors(self, way: Way) -> List[Door]:
        every = [Door("n%d" % number, port=self._port + number) for number in range(NODES)]
        return every if way is Way.ALL else [etcd_load.leader(every)]

    def fill(self, load: Load) -> None:
        etcd_load.fill(self.doors(Way.FIRST), load)

    def drive(self, way: Way, load: Load, seconds: float, rate: float) -> Outcome:
        return etcd_load.run(self.doors(way), load, seconds)

    def version(self) -> str:
        done = subprocess.run([PROGRAM, "--version"], stdout=subprocess.PIPE, check=False)
        found = re.search(r"etcd Version: (\S+)", done.stdout.decode("utf-8", "replace"))
        return "etcd %s" % (found.group(1) if found else "?")

    def rest(self) -> None:
        for server in self._servers:
            server.signal(signal.SIGSTOP)

    def wake(self) -> None:
        for server in self._servers:
            server.signal(signal.SIGCONT)
        wait_until(self._is_ready, self._servers)
