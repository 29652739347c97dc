"""Our own nodes: durable, each with a log and a disk directory of its own, speaking TCP."""

import os
import subprocess
from typing import List, Optional

from clients.door import Door
from cluster.cluster import Cluster
from cluster.cluster import StartFailed as ClusterStartFailed
from cluster.show import leader_of

from ..drivers import fill
from ..loads import Load
from .process import StartFailed
from .system import System, Way

NODES = 3


class Quorate(System):
    """A cluster of a program of ours, which may be another build than the present one."""

    can_restart = True

    def __init__(self, home: str, program: str, name: str = "quorate",
                 options: Optional[List[str]] = None, nodes: int = NODES):
        super().__init__(home)
        self.name = name
        self.program = program
        self._options = options or []
        self._nodes = nodes
        self._cluster: Optional[Cluster] = None

    def start(self) -> None:
        self._cluster = Cluster(self.program, os.path.join(self.home, "data"), nodes=self._nodes,
                                tcp_peers=True, options=self._options)
        try:
            self._cluster.start()
        except ClusterStartFailed as error:
            self.stop()
            raise StartFailed(str(error)) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self._cluster is not None:
            self._cluster.stop()

    @property
    def cluster(self) -> Cluster:
        assert self._cluster is not None, "it was started"
        return self._cluster

    def pids(self) -> List[int]:
        return [node.process.pid for node in self.cluster.nodes if node.process is not None]

    def deaths(self) -> List[str]:
        return ["\n".join(lines) for lines in self.cluster.deaths()]

    def leader(self) -> int:
        """The leader's place in the list of nodes; the first if none is known."""
        name, _ = leader_of([(node.place.id, node.info()) for node in self.cluster.nodes])
        ids = [place.id for place in self.cluster.places]
        return ids.index(int(name)) if name is not None else 0

    def doors(self, way: Way) -> List[Door]:
        places, leader = self.cluster.places, self.leader()
        if way is Way.ALL:
            return [Door("node %d" % place.id, port=place.client_port) for place in places]
        if way is Way.SOCKET:
            return [Door("leader", path=places[leader].client_socket)]
        return [Door("leader", port=places[leader].client_port)]

    def fill(self, load: Load) -> None:
        fill.over_resp(self.doors(Way.FIRST)[0], load)

    def version(self) -> str:
        done = subprocess.run([self.program, "--version"], stdout=subprocess.PIPE, check=False)
        return done.stdout.decode("utf-8", "replace").strip()
