"""A small client of the Redis port: enough to ask nodes how they are, and to test exact answers."""

import socket
from typing import Any, Dict, Tuple, Union

Address = Union[str, Tuple[str, int]]


class ReplyError(Exception):
    """An error that a node has answered."""


class Connection:
    """One connection, to a path or to (host, port). Each call waits no longer than `patience`."""

    def __init__(self, address: Address, patience: float = 1.0):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(patience)
        try:
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._socket.close()

    def send(self, *words: Any) -> None:
        """Sends a request and does not wait."""
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = [b"*%d\r\n" % len(parts)]
        request += [b"$%d\r\n%s\r\n" % (len(part), part) for part in parts]
        self._socket.sendall(b"".join(request))

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def ask(self, *words: Any) -> Any:
        """Sends a request and returns its answer; an error is raised."""
        self.send(*words)
        answer = self.receive()
        if isinstance(answer, ReplyError):
            raise answer
        return answer

    def receive(self) -> Any:
        """The next answer: bytes, int, None, list, or a ReplyError."""
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the node has closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return ReplyError(rest.decode("utf-8", "replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._bulk(int(rest))
        if kind == b"*":
            return None if rest == b"-1" else [self.receive() for _ in range(int(rest))]
        raise ConnectionError("no answer begins with %r" % line[:40])

    def _bulk(self, length: int) -> bytes:
        text = self._file.read(length + 2)
        if len(text) != length + 2:
            raise ConnectionError("the node has closed the connection")
        return text[:-2]

    def info(self) -> Dict[str, str]:
        """The fields of INFO."""
        lines = self.ask("INFO").decode("utf-8", "replace").splitlines()
        pairs = (line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
        return dict(pairs)
