"""All nodes of a cluster, from the first start to the end. To be used with `with`."""

import fcntl
import os
import time
from typing import Any, Callable, List, Optional

from simulator import interruption

from .layout import Directory, LayoutError, Place, find_ports
from .node_process import NodeProcess

# How long the nodes may take to end by themselves.
END_PATIENCE = 5.0
START_PATIENCE = 30.0
START_PAUSE = 0.02


class StartFailed(Exception):
    """The cluster did not get ready; the lines say why."""


class Cluster:
    """Nodes that are started together and ended together, whatever happens in between."""

    def __init__(self, program: str, directory: str, nodes: Optional[int] = None,
                 port: Optional[int] = None, tcp_peers: bool = False,
                 options: Optional[List[str]] = None):
        self.program = program
        self.options = options or []
        self.directory = Directory(directory)
        os.makedirs(self.directory.path, exist_ok=True)
        self._lock = self._take_lock()
        count = self.directory.choose_nodes(nodes)
        first = find_ports(count, port, tcp_peers)
        places = self.directory.places(count, first, tcp_peers)
        self.directory.refuse_lost_nodes(places)
        self.nodes = [NodeProcess(place) for place in places]

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    @property
    def places(self) -> List[Place]:
        return [node.place for node in self.nodes]

    def _take_lock(self) -> Any:
        """Two clusters in one directory would spoil each other's sockets and logs."""
        lock = open(os.path.join(self.directory.path, "lock"), "w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise LayoutError("--dir: the cluster in %s runs already" % self.directory.path) \
                from error
        return lock

    def start(self, progress: Callable[[List[NodeProcess]], None] = lambda _: None) -> None:
        """Starts all nodes and waits until each of them knows a leader.

        `progress` is called with those that do, again and again.
        """
        peers = ",".join("%d=%s" % (place.id, place.peer) for place in self.places)
        for node in self.nodes:
            node.start(self.program, peers, self.options)
        deadline = time.monotonic() + START_PATIENCE
        ready: List[NodeProcess] = []
        while len(ready) < len(self.nodes):
            for node in self.nodes:
                self._check_start(node, deadline)
                if node not in ready and node.is_ready():
                    ready.append(node)
            progress(ready)
            time.sleep(START_PAUSE)
        self.directory.remember(len(self.nodes))

    def _check_start(self, node: NodeProcess, deadline: float) -> None:
        ended = node.ended()
        if ended is None and time.monotonic() < deadline:
            return
        why = ended or "did not get ready in %d seconds" % START_PATIENCE
        raise StartFailed("\n".join(report(node, why)))

    def deaths(self) -> List[List[str]]:
        """Reports of the nodes that have died since this was asked before."""
        reports = []
        for node in self.nodes:
            ended = node.ended()
            if ended is not None and not node.reported:
                node.reported = True
                reports.append(report(node, ended))
        return reports

    def all_dead(self) -> bool:
        return all(node.ended() is not None for node in self.nodes)

    def stop(self) -> List[int]:
        """Ends every node; returns those that had to be forced.

        A second interruption waits until this is done: it takes five seconds at most.
        """
        with interruption.deferred():
            for node in self.nodes:
                node.terminate()
            deadline = time.monotonic() + END_PATIENCE
            forced = [node.place.id for node in self.nodes if not node.wait(deadline)]
            self.directory.clear()
            self._lock.close()
        return forced


def report(node: NodeProcess, why: str) -> List[str]:
    """Lines about a node that is in trouble, with the end of its log."""
    lines = node.last_lines()
    end = ["  | " + line for line in lines] or ["  | (nothing was logged)"]
    return ["node %d %s; the end of %s:" % (node.place.id, why, node.place.log)] + end
