"""Gives every key its value before it is measured: the keys that redis-benchmark will ask for."""

import socket
from typing import Iterator

from clients.door import Door

from ..loads import Load
from .outcome import LoadFailed

# So many commands wait for their answers at a time.
BATCH = 1_000
PATIENCE = 20.0
OK = b"+OK\r\n"


def batches(load: Load) -> Iterator[bytes]:
    """SET of every key once, in the order of the keys."""
    head = b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n"
    tail = b"$%d\r\n%s\r\n" % (load.value_bytes, b"x" * load.value_bytes)
    for first in range(0, load.keys, BATCH):
        last = min(first + BATCH, load.keys)
        yield b"".join(head % key + tail for key in range(first, last))


def over_resp(door: Door, load: Load) -> None:
    """Sends the batches one after the other; an answer other than OK is an error."""
    family = socket.AF_UNIX if isinstance(door.address, str) else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(door.address)
        left = load.keys
        for batch in batches(load):
            connection.sendall(batch)
            count = min(BATCH, left)
            _expect_ok(connection, count)
            left -= count


def _expect_ok(connection: socket.socket, count: int) -> None:
    answers = b""
    while len(answers) < count * len(OK):
        more = connection.recv(1 << 16)
        answers += more
        if not more or not (OK * count).startswith(answers):
            raise LoadFailed("a SET was answered with %r" % answers[-100:])
