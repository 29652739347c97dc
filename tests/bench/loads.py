"""What is done to each system: the loads, which are the rows of the table."""

from dataclasses import dataclass, replace
from typing import Dict, Sequence

KEYS = 100_000
VALUE_BYTES = 32
CONNECTIONS = 50
PIPELINE = 64
# What etcd has instead of pipelines: so many requests in flight, spread over the connections.
ETCD_IN_FLIGHT = 800


@dataclass(frozen=True)
class Load:
    """Requests of one kind, each connection keeping `pipeline` of them in flight."""

    name: str
    title: str
    verb: str
    connections: int = CONNECTIONS
    pipeline: int = 1
    keys: int = KEYS
    value_bytes: int = VALUE_BYTES

    @property
    def is_read(self) -> bool:
        return self.verb == "get"

    @property
    def is_alone(self) -> bool:
        """One client with one request in flight: its latency is what counts."""
        return self.connections == 1

    @property
    def in_flight(self) -> int:
        return self.connections * self.pipeline


SET = Load("set", "SET, 50 connections", "set")
SET_64 = replace(SET, name="set-64", title="SET, 50 connections, pipeline 64", pipeline=PIPELINE)
SET_ONE = replace(SET, name="set-one", title="SET, one client", connections=1)
GET = Load("get", "GET, 50 connections", "get")
GET_64 = replace(GET, name="get-64", title="GET, 50 connections, pipeline 64", pipeline=PIPELINE)
GET_ONE = replace(GET, name="get-one", title="GET, one client", connections=1)

LOADS: Sequence[Load] = (SET, SET_64, GET, GET_64, SET_ONE, GET_ONE)
BY_NAME: Dict[str, Load] = {load.name: load for load in LOADS}
