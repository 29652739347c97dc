#!/usr/bin/env python3
"""A replica without Raft for the simulator's own tests: the lowest id answers, the others redirect.

With `--fault NAME` in front of the usual arguments it does one thing wrong, on purpose. Data lives
in one process, so it must not be the leader that a test kills.
"""

import json
import os
import signal
import socket
import sys


class Line:
    """The connection to the simulator, in whichever dialect the arguments ask for."""

    def __init__(self, arguments):
        self.buffer = b""
        self.terminator = b""
        self.port = None
        if os.path.exists(arguments[0]):
            self.identities = arguments
            self._connect_unix(arguments[0])
        else:
            self.identities = arguments[1:]
            self.port = int(arguments[0])
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", 0))

    def _connect_unix(self, path):
        try:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self.socket.connect(path)
        except OSError:
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.connect(path)
            self.terminator = b"\n"

    def send(self, message):
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        if self.port is None:
            self.socket.send(data + self.terminator)
        else:
            self.socket.sendto(data, ("127.0.0.1", self.port))

    def receive(self):
        """The next messages; ends the process with the connection."""
        data = self.socket.recv(65535)
        if not data:
            sys.exit(0)
        if not self.terminator:
            return [json.loads(data)]
        parts = (self.buffer + data).split(b"\n")
        self.buffer = parts.pop()
        return [json.loads(part) for part in parts]


class StandIn:
    """Answers at once; announces every put, so that the count of messages is plausible."""

    def __init__(self, fault, arguments):
        self.fault = fault
        self.line = Line(arguments)
        self.me = self.line.identities[0]
        self.leader = min(self.line.identities)
        self.store = {}
        self.answers = 0
        if self.line.port is not None and fault != "no-hello":
            self.say("FFFF", "hello", leader="FFFF")

    def say(self, destination, kind, leader=None, **more):
        self.line.send(dict(
            more, src=self.me, dst=destination, leader=leader or self.leader, type=kind))

    def run(self):
        while True:
            for message in self.line.receive():
                if message["type"] in ("get", "put") and self.fault != "never-answers":
                    self.answer(message)

    def answer(self, message):
        client, mid = message["src"], message["MID"]
        if self.me != self.leader:
            self.say(client, "redirect", MID=mid)
            return
        self.answers += 1
        if message["type"] == "put":
            self.store[message["key"]] = message["value"]
            if self.fault != "silent":
                self.say("FFFF", "note")
            more = {}
        else:
            more = {"value": self.store.get(message["key"], "")}
        if self.fault and self.answers == 20:
            self.misbehave(client, mid)
        if self.fault == "fails" and self.answers % 3 == 0:
            self.say(client, "fail", MID=mid)
            return
        if self.fault == "wrong-value" and more:
            more = {"value": "0" * 32}
        if self.fault == "no-value":
            more = {}
        self.say(client, "ok", MID=mid, **more)
        if self.fault == "duplicates":
            self.say(client, "ok", MID=mid, **more)

    def misbehave(self, client, mid):
        """What is done once, in the middle of the run."""
        if self.fault == "unknown-mid":
            self.say(client, "ok", MID="A" * 16)
        elif self.fault == "bad-json":
            self.line.send(b'{"src": }')
        elif self.fault == "bad-id":
            self.say("zzzz", "note")
        elif self.fault == "unknown-destination":
            self.say("00EE", "note")
        elif self.fault == "empty-packet":
            self.line.send(b"")
        elif self.fault == "not-utf8":
            self.line.send(b'{"src": "\xff"}')
        elif self.fault == "dies":
            sys.exit(3)
        elif self.fault == "no-mid":
            self.say(client, "ok")
        elif self.fault == "stuck":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)


def main():
    arguments = sys.argv[1:]
    fault = None
    if arguments[0] == "--fault":
        fault, arguments = arguments[1], arguments[2:]
    StandIn(fault, arguments).run()


if __name__ == "__main__":
    main()
