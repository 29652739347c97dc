"""Where everything of a cluster is: directories, logs, sockets and ports.

A cluster's directory remembers how many nodes it was founded with: nodes that are told of another
number would take themselves for another cluster. Ports and socket files may differ at each start.
"""

import json
import os
import socket
import tempfile
from dataclasses import dataclass
from typing import List, Optional

HOST = "127.0.0.1"
FIRST_PORT = 6379
# The port for the other nodes lies so far above the one for clients, as with Redis.
PEER_PORT_DISTANCE = 10000
PORT_MAX = 65535
NODES_MAX = 64
NODES_DEFAULT = 3
# What the operating system takes is 107; the longest name in the directory needs its share.
SOCKET_DIRECTORY_MAX = 90
RECORD = "cluster.json"


class LayoutError(Exception):
    """Something about the directory or the ports that cannot work; one line says what."""


@dataclass(frozen=True)
class Place:
    """Where one node is. `peer` is its address in the words of `quorate serve`."""

    id: int
    data: str
    log: str
    client_socket: str
    client_port: int
    peer: str

    @property
    def clients(self) -> List[str]:
        """Its addresses for clients, in the words of `quorate serve`."""
        return ["tcp:%s:%d" % (HOST, self.client_port), "unix:" + self.client_socket]

    @property
    def is_founded(self) -> bool:
        """Whether its directory holds a node already."""
        return os.path.exists(os.path.join(self.data, "identity"))


def is_free(port: int) -> bool:
    """Whether a node could listen at a port of this machine now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _wanted(first: int, nodes: int, with_peers: bool) -> List[int]:
    ports = list(range(first, first + nodes))
    return ports + [port + PEER_PORT_DISTANCE for port in ports] if with_peers else ports


def find_ports(nodes: int, fixed: Optional[int], with_peers: bool) -> int:
    """The first of the clients' ports; those that follow are free as well."""
    last = PORT_MAX - nodes - (PEER_PORT_DISTANCE if with_peers else 0)
    if fixed is not None:
        taken = [port for port in _wanted(fixed, nodes, with_peers)
                 if port > PORT_MAX or not is_free(port)]
        if taken:
            raise LayoutError("--port: is %d, but port %d is taken or too large" % (
                fixed, taken[0]))
        return fixed
    first = FIRST_PORT
    while first <= last:
        taken = [port for port in _wanted(first, nodes, with_peers) if not is_free(port)]
        if not taken:
            return first
        first += 1
    raise LayoutError("no %d ports in a row are free" % nodes)


class Directory:
    """The directory of a cluster: how many nodes it has, and whether all of them were founded."""

    def __init__(self, path: str):
        self.path = os.path.abspath(path)
        self._temporary: Optional[str] = None

    def founded(self) -> Optional[int]:
        """How many nodes the cluster in it has; None if there is none that ever ran."""
        path = os.path.join(self.path, RECORD)
        try:
            with open(path, encoding="utf-8") as record:
                nodes = json.load(record)["nodes"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise LayoutError("%s cannot be read (%s)" % (path, error)) from error
        if not isinstance(nodes, int) or not 1 <= nodes <= NODES_MAX:
            raise LayoutError("%s: nodes is %r, must be from 1 to %d" % (path, nodes, NODES_MAX))
        return nodes

    def remember(self, nodes: int) -> None:
        """All nodes have run: from now on none of them is founded anew."""
        path = os.path.join(self.path, RECORD)
        with open(path + ".new", "w", encoding="utf-8") as record:
            json.dump({"nodes": nodes}, record)
        os.replace(path + ".new", path)

    def choose_nodes(self, wanted: Optional[int]) -> int:
        """How many nodes to start: as many as there are, else as many as are wanted."""
        founded = self.founded()
        if founded is None:
            return wanted or NODES_DEFAULT
        if wanted not in (None, founded):
            raise LayoutError("--nodes: is %d, but the cluster in %s has %d; choose another --dir"
                              % (wanted, self.path, founded))
        return founded

    def places(self, nodes: int, first_port: int, tcp_peers: bool) -> List[Place]:
        """Where each node is."""
        sockets = self._sockets()
        places = []
        for number in range(1, nodes + 1):
            port = first_port + number - 1
            peer = ("tcp:%s:%d" % (HOST, port + PEER_PORT_DISTANCE) if tcp_peers
                    else "unix:" + os.path.join(sockets, "peer-%d.sock" % number))
            home = os.path.join(self.path, "node%d" % number)
            places.append(Place(number, home, home + ".log",
                                os.path.join(sockets, "client-%d.sock" % number), port, peer))
        return places

    def refuse_lost_nodes(self, places: List[Place]) -> None:
        """A node whose data is gone must not come back empty under its old name."""
        if self.founded() is None:
            return
        for place in places:
            if not place.is_founded:
                raise LayoutError("%s: the data of node %d is gone; remove the whole directory to "
                                  "begin anew" % (place.data, place.id))

    def _sockets(self) -> str:
        """A directory for socket files: their paths must be short, whatever ours is."""
        path = os.path.join(self.path, "sockets")
        if len(os.fsencode(path)) > SOCKET_DIRECTORY_MAX:
            self._temporary = self._temporary or tempfile.mkdtemp(prefix="quorate-")
            return self._temporary
        os.makedirs(path, exist_ok=True)
        return path

    def clear(self) -> None:
        """Removes what has no use after the end."""
        if self._temporary is not None:
            for name in os.listdir(self._temporary):
                os.unlink(os.path.join(self._temporary, name))
            os.rmdir(self._temporary)
            self._temporary = None
