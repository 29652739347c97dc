"""The load for etcd (`etcd-load` beside this folder), and the few questions that etcd is asked."""

import http.client
import json
import re
from typing import Any, Dict, List, Optional, Sequence

from clients.door import Door
from cluster.layout import HOST

from ..install import ETCD_LOAD
from ..loads import ETCD_IN_FLIGHT, Load
from .outcome import LoadFailed, Outcome, run_all

ASK_PATIENCE = 1.0
FIGURE = re.compile(r"(\w+)=([\d.]+)")


def run(doors: Sequence[Door], load: Load, seconds: float) -> Outcome:
    """Puts or gets for so many seconds; for a pipelined load with as many requests in flight as
    suit etcd."""
    in_flight = load.connections if load.pipeline == 1 else ETCD_IN_FLIGHT
    words = ["get" if load.is_read else "put", "--in-flight", str(in_flight), "--seconds",
             "%.2f" % seconds]
    return parse(run_all([command(doors, load, words)])[0])


def fill(doors: Sequence[Door], load: Load) -> None:
    run_all([command(doors, load, ["fill", "--in-flight", str(ETCD_IN_FLIGHT)])])


def command(doors: Sequence[Door], load: Load, words: List[str]) -> List[str]:
    endpoints = ",".join("http://%s:%d" % (HOST, door.port) for door in doors)
    return [ETCD_LOAD, *words, "--endpoints", endpoints, "--connections", str(load.connections),
            "--keys", str(load.keys), "--value-bytes", str(load.value_bytes)]


def parse(output: str) -> Outcome:
    """The line of figures that etcd-load prints."""
    found = {name: float(figure) for name, figure in FIGURE.findall(output)}
    try:
        return Outcome(int(found["requests"]), found["rate"], found["p50"], found["p99"],
                       found["p999"])
    except KeyError as error:
        raise LoadFailed("etcd-load's line has no %s: %r" % (error, output[-200:])) from error


def status(door: Door) -> Optional[Dict[str, Any]]:
    """What a node says of itself, through its gateway for JSON; None if it does not answer."""
    try:
        connection = http.client.HTTPConnection(HOST, door.port, timeout=ASK_PATIENCE)
        try:
            connection.request("POST", "/v3/maintenance/status", "{}")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException):
        return None


def answers(doors: Sequence[Door]) -> bool:
    """Whether every node knows a leader."""
    return all((status(door) or {}).get("leader", "0") != "0" for door in doors)


def leader(doors: Sequence[Door]) -> Door:
    """The node that leads; the first if that cannot be told."""
    for door in doors:
        found = status(door)
        if found is not None and found.get("leader") == found.get("header", {}).get("member_id"):
            return door
    return doors[0]
