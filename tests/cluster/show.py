"""What a person sees: how to talk to the cluster, and how it is doing."""

import sys
from typing import Dict, List, Optional, Tuple

from .layout import HOST, Place
from .node_process import NodeProcess

LINE_MAX = 110

Infos = List[Tuple[int, Optional[Dict[str, str]]]]


def how_to_talk(places: List[Place], program: str, directory: str) -> str:
    """Lines to copy, for every kind of client."""
    first = places[0]
    path, port = first.client_socket, first.client_port
    addresses = ",".join("tcp:%s:%d" % (HOST, place.client_port) for place in places)
    lines = ["", "%d nodes run; data and logs are in %s" % (len(places), directory), ""]
    lines += ["  node %-3d port %-6d %s" % (place.id, place.client_port, place.client_socket)
              for place in places]
    lines += [
        "", "Any node takes any command. To talk to node 1:", "",
        "  redis-cli -p %d" % port,
        "  redis-cli -s %s" % path,
        "  %s cli --connect tcp:%s:%d" % (program, HOST, port),
        "  %s status --watch --connect %s" % (program, addresses), "",
        "  Python  redis.Redis(port=%d)" % port,
        "          redis.Redis(unix_socket_path=\"%s\")" % path,
        "  Rust    redis::Client::open(\"redis://%s:%d/\")" % (HOST, port),
        "          redis::Client::open(\"redis+unix://%s\")" % path, "",
        "Ctrl-C ends the nodes; the data stays for the next start.", "",
    ]
    return "\n".join(lines)


def leader_of(infos: Infos) -> Tuple[Optional[str], int]:
    """The leader of the latest term that any node knows of, and that term."""
    term, leader = 0, None
    for _, info in infos:
        if info is not None and info.get("leader", "none") != "none":
            if int(info["term"]) > term:
                term, leader = int(info["term"]), info["leader"]
    return leader, term


def state_line(infos: Infos) -> str:
    """Leader, commit index, and how far each node is behind it."""
    leader, term = leader_of(infos)
    commits = {number: int(info["commit"]) for number, info in infos if info is not None}
    if leader is None or int(leader) not in commits:
        commit = max(commits.values(), default=0)
    else:
        commit = commits[int(leader)]
    lags = " ".join(
        "%d:%s" % (number, max(0, commit - commits[number]) if number in commits else "down")
        for number, _ in infos)
    return "leader %s  term %d  commit %d  lag %s" % (leader or "none", term, commit, lags)


def news(infos: Infos) -> Tuple[Optional[str], Tuple[int, ...]]:
    """What is worth a line of its own when it changes: the leader, and who answers."""
    return leader_of(infos)[0], tuple(number for number, info in infos if info is not None)


class Screen:
    """Lines that stay and, on a terminal, one below them that is drawn anew."""

    def __init__(self, live: bool):
        self.live = live
        self._shown = ""
        self._last_news: object = None

    def say(self, text: str) -> None:
        """Writes lines that stay."""
        self._clear()
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def starting(self, ready: List[NodeProcess], nodes: List[NodeProcess]) -> None:
        """How many nodes are ready."""
        waiting = [node.place.id for node in nodes if node not in ready]
        text = "starting %d nodes: %d ready%s" % (
            len(nodes), len(ready),
            ", waiting for %s" % ", ".join(map(str, waiting)) if waiting else "")
        self._draw(text, len(ready))

    def state(self, infos: Infos) -> None:
        """How the cluster is doing."""
        self._draw(state_line(infos), news(infos))

    def _draw(self, text: str, what_is_new: object) -> None:
        """On a terminal whenever the text changes, elsewhere when there is something new."""
        if self.live:
            if text != self._shown:
                sys.stdout.write("\r\033[K" + text[:LINE_MAX])
                sys.stdout.flush()
                self._shown = text
        elif what_is_new != self._last_news:
            self.say(text)
        self._last_news = what_is_new

    def _clear(self) -> None:
        if self._shown:
            sys.stdout.write("\r\033[K")
            self._shown = ""
