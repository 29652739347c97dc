"""Where a client can knock: each node has a door on TCP and one on a Unix socket."""

from dataclasses import dataclass
from typing import List, Optional

from cluster.layout import HOST, Place
from cluster.resp import Address


@dataclass(frozen=True)
class Door:
    """One address of one node."""

    name: str
    port: Optional[int] = None
    path: Optional[str] = None

    @property
    def address(self) -> Address:
        """As `cluster.resp` takes it."""
        return self.path if self.path is not None else (HOST, self.port)

    @property
    def words(self) -> List[str]:
        """As redis-cli and redis-benchmark take it."""
        return ["-s", self.path] if self.path is not None else ["-h", HOST, "-p", str(self.port)]

    @property
    def text(self) -> str:
        """As `quorate cli` and the scripts of clients take it."""
        return "unix:%s" % self.path if self.path is not None else "tcp:%s:%d" % (HOST, self.port)

    @property
    def key(self) -> str:
        """What the keys of whoever comes through it begin with."""
        return self.name.replace(" ", "-") + ":"


def doors(places: List[Place]) -> List[Door]:
    """Both doors of every node."""
    found = []
    for place in places:
        found.append(Door("node %d tcp" % place.id, port=place.client_port))
        found.append(Door("node %d unix" % place.id, path=place.client_socket))
    return found
