"""What all systems have in common."""

import enum
import os
from typing import Any, List

from clients.door import Door

from ..drivers import resp
from ..drivers.outcome import Outcome
from ..loads import Load


class Way(enum.Enum):
    """How clients reach a system. A system of one server has only `FIRST` and its socket."""

    FIRST = "TCP, all clients at the leader"
    ALL = "TCP, clients spread over all nodes"
    SOCKET = "Unix socket, all clients at the leader"


class System:
    """Servers that are started, measured and ended together. To be used with `with`."""

    name = ""
    # Whether an acknowledged write has been synced to a disk.
    is_durable = True
    # Whether it can be stopped and started again with its data.
    can_restart = False

    def __init__(self, home: str):
        self.home = home
        os.makedirs(home, exist_ok=True)

    def __enter__(self) -> "System":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def start(self) -> None:
        """Starts all servers and waits until they serve; what has begun is ended by `stop`."""
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def pids(self) -> List[int]:
        raise NotImplementedError

    def deaths(self) -> List[str]:
        """Reports of servers that are not there any more."""
        raise NotImplementedError

    def doors(self, way: Way) -> List[Door]:
        """Where clients are to connect now."""
        raise NotImplementedError

    def fill(self, load: Load) -> None:
        """Gives every key of a load its value."""
        raise NotImplementedError

    def drive(self, way: Way, load: Load, seconds: float, rate: float) -> Outcome:
        """Applies a load for about so long, if it is answered at about that rate."""
        return resp.run(self.doors(way), load, seconds, rate)

    def version(self) -> str:
        raise NotImplementedError

    def rest(self) -> None:
        """Others are measured now: to be no burden."""

    def wake(self) -> None:
        """Undoes `rest`."""
