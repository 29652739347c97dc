"""The bytes between the simulator and one replica, in three ways: seqpacket, stream, UDP.

An endpoint is the simulator's end for one replica. It reads one packet (or one chunk) whenever its
socket is ready and hands complete messages on, untouched; it never looks inside them. The replica
at the other end may die, stall or talk nonsense: `on_lost` reports the first of these that ends the
connection.
"""

import os
import select
import socket
import struct
from typing import Callable, Dict

SENT, BLOCKED, NOT_CONNECTED, LOST = "sent", "blocked", "not connected", "lost"

SEND_WAIT_MS = 10
RECEIVE_MAX = 16384
DATAGRAM_MAX = 65535
# A version 0.8 simulator would wait for ever for a replica that stopped reading.
STALLED_SECONDS = 10


class Poller:
    """The one wait of the simulation: descriptors and what to call when they are readable.

    poll() reports in the order of registration, like select() does, and is cheaper.
    """

    def __init__(self) -> None:
        self.handlers: Dict[int, Callable[[], None]] = {}
        self._poll = select.poll()
        self.wait = self._poll.poll

    def watch(self, descriptor: int, handler: Callable[[], None]) -> None:
        self.handlers[descriptor] = handler
        self._poll.register(descriptor, select.POLLIN)

    def forget(self, descriptor: int) -> None:
        if self.handlers.pop(descriptor, None) is not None:
            self._poll.unregister(descriptor)


class _Endpoint:
    """What the three have in common: a socket that is watched until it is closed."""

    def __init__(self, replica: str, poller: Poller, on_message: Callable[[bytes], None],
                 on_lost: Callable[[str], None]):
        self.replica = replica
        self.poller = poller
        self.on_message = on_message
        self.on_lost = on_lost
        self.closed = False
        self.socket = None
        self.argument = replica

    def close(self) -> None:
        """Nothing is read from or sent to this replica from now on."""
        self.closed = True
        self._drop_socket()

    def _watch(self, new_socket: socket.socket, handler: Callable[[], None]) -> None:
        self.socket = new_socket
        self.poller.watch(new_socket.fileno(), handler)

    def _drop_socket(self) -> None:
        if self.socket is not None:
            self.poller.forget(self.socket.fileno())
            self.socket.close()
            self.socket = None

    def _writable(self) -> bool:
        """Waits up to SEND_WAIT for room."""
        probe = select.poll()
        probe.register(self.socket.fileno(), select.POLLOUT)
        return bool(probe.poll(SEND_WAIT_MS))


class _UnixEndpoint(_Endpoint):
    """A unix socket named after the replica in the working directory, accepted in the loop."""

    kind = 0

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.connected = False
        listener = socket.socket(socket.AF_UNIX, self.kind)
        listener.bind(self.replica)
        listener.listen(1)
        listener.setblocking(False)
        self._watch(listener, self._accept)

    def _accept(self) -> None:
        try:
            connection, _ = self.socket.accept()
        except OSError:
            return
        self._drop_socket()
        # Blocking sends are the protocol; the time limit only keeps a dead end from lasting.
        connection.setblocking(True)
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", STALLED_SECONDS, 0))
        self.connected = True
        self._watch(connection, self._receive)

    def _receive(self) -> None:
        raise NotImplementedError

    def _read(self) -> bytes:
        """One packet or chunk; empty at the end of the connection, which is then reported."""
        try:
            data = self.socket.recv(RECEIVE_MAX, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return b""
        except OSError as error:
            self.on_lost("connection lost: %s" % error.strerror)
            return b""
        if not data:
            self.on_lost("closed its connection")
        return data

    def close(self) -> None:
        super().close()
        if os.path.exists(self.replica):
            os.unlink(self.replica)


class SeqpacketEndpoint(_UnixEndpoint):
    """Version 0.8: one message per packet, cut off at 16384 bytes, sends block."""

    kind = getattr(socket, "SOCK_SEQPACKET", 5)

    def _receive(self) -> None:
        data = self._read()
        if data:
            self.on_message(data)

    def send(self, message: bytes) -> str:
        if not self.connected:
            return NOT_CONNECTED
        try:
            self.socket.send(message)
        except OSError:
            return LOST
        return SENT


class StreamEndpoint(_UnixEndpoint):
    """Version 2 of autumn 2021: a byte stream, each message ends with the two bytes `}` newline."""

    kind = socket.SOCK_STREAM

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.buffer = b""

    def _receive(self) -> None:
        data = self._read()
        if not data:
            return
        parts = (self.buffer + data).split(b"}\n")
        self.buffer = parts.pop()
        for part in parts:
            self.on_message(part + b"}")
            if self.closed:
                return

    def send(self, message: bytes) -> str:
        if not self.connected:
            return NOT_CONNECTED
        if not self._writable():
            return BLOCKED
        try:
            self.socket.sendall(message + b"\n")
        except OSError:
            return LOST
        return SENT


class UdpEndpoint(_Endpoint):
    """Version 2 from 2022 on: a UDP socket of its own for every replica, which says hello first."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.peer = None
        self.sender = None
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.bind(("127.0.0.1", 0))
        own.setblocking(False)
        self.argument = str(own.getsockname()[1])
        self._watch(own, self._receive)

    def _receive(self) -> None:
        try:
            data, self.sender = self.socket.recvfrom(DATAGRAM_MAX)
        except OSError:
            return
        if data:
            self.on_message(data)
        else:
            self.on_lost("sent an empty datagram")

    def greet(self) -> None:
        """The message just read was a hello: its sender's port is where the replica listens."""
        self.peer = self.sender

    def send(self, message: bytes) -> str:
        if self.peer is None:
            return NOT_CONNECTED
        try:
            self.socket.sendto(message, self.peer)
            return SENT
        except BlockingIOError:
            pass
        except OSError:
            return LOST
        if not self._writable():
            return BLOCKED
        try:
            self.socket.sendto(message, self.peer)
            return SENT
        except BlockingIOError:
            return BLOCKED
        except OSError:
            return LOST
