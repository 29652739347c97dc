"""The simulated clients: what they ask, whom they ask, and what they make of the answers.

The load is an open loop: a client never gives up on a request, never repeats one by itself and may
have several open at once, even puts of the same key. Only a redirect or a fail makes it ask again,
at once and under a new message id.
"""

import hashlib
import json
import random
import string
import time
from typing import Any, Callable, Dict, List, Optional

from .network import UNKNOWN

MID_ALPHABET = string.ascii_uppercase + string.digits
MID_LENGTH = 16
KEY_LENGTH = 32


class Operation:
    """One message of a client and what became of it; together they are the run's history."""

    __slots__ = (
        "client", "mid", "kind", "key", "value", "invoked", "answered", "outcome", "result",
    )

    def __init__(self, client: str, mid: str, kind: str, key: str, value: Optional[str],
                 invoked: float):
        self.client = client
        self.mid = mid
        self.kind = kind
        self.key = key
        self.value = value
        self.invoked = invoked
        self.answered: Optional[float] = None
        self.outcome: Optional[str] = None
        self.result: Any = None


class Tally:
    """What all clients count together."""

    def __init__(self) -> None:
        self.gets = 0
        self.puts = 0
        self.ungenerated_gets = 0
        self.duplicates = 0
        self.operations: List[Operation] = []


def digest(text: str) -> str:
    """The next value in a key's chain."""
    return hashlib.md5(text.encode()).hexdigest()


class Client:
    """One client. `send` hands a request to a replica, `complain` reports an incorrect answer."""

    def __init__(self, identity: str, tally: Tally, living: List[str], seed: str,
                 send: Callable[[str, bytes], None], complain: Callable[[str, Any], None]):
        self.identity = identity
        self.tally = tally
        self.living = living
        self.send = send
        self.complain = complain
        self.leader = UNKNOWN
        self.values: Dict[str, str] = {}
        self.keys: List[str] = []
        self.open: Dict[str, Operation] = {}
        self.completed = set()
        self._workload = random.Random("%s workload %s" % (seed, identity))
        self._routing = random.Random("%s routing %s" % (seed, identity))

    def forget_leader(self) -> None:
        self.leader = UNKNOWN

    def generate(self, wants_get: bool) -> None:
        """A new request. Without an acknowledged key there is nothing to get: then it is a put."""
        if wants_get:
            self.tally.gets += 1
            if self.keys:
                self._ask("get", self._workload.choice(self.keys), None)
                return
            self.tally.ungenerated_gets += 1
        self.tally.puts += 1
        if not self.keys or self._workload.random() < 0.5:
            key = "".join(self._workload.choices(MID_ALPHABET, k=KEY_LENGTH))
            self._ask("put", key, digest(key))
        else:
            key = self._workload.choice(self.keys)
            self._ask("put", key, digest(self.values[key]))

    def _ask(self, kind: str, key: str, value: Optional[str]) -> None:
        destination = self._destination()
        mid = "".join(self._routing.choices(MID_ALPHABET, k=MID_LENGTH))
        message = {"src": self.identity, "dst": destination, "leader": self.leader, "type": kind,
                   "MID": mid, "key": key}
        if value is not None:
            message["value"] = value
        operation = Operation(self.identity, mid, kind, key, value, time.monotonic())
        self.open[mid] = operation
        self.tally.operations.append(operation)
        if destination is not None:
            self.send(destination, json.dumps(message).encode())

    def _destination(self) -> Optional[str]:
        """The leader, if one is known and alive, else any living replica (None if all are gone)."""
        if self.leader in self.living:
            return self.leader
        return self._routing.choice(self.living) if self.living else None

    def reply(self, message: Dict[str, Any]) -> None:
        """An answer has arrived and has passed the checks which hold for every message."""
        mid = message.get("MID")
        if not isinstance(mid, str):
            self.complain("message to a client without a MID", message)
            return
        outcome = message["type"]
        if outcome not in ("ok", "redirect", "fail"):
            self.complain("message to a client of an unknown type", message)
            return
        if mid in self.completed:
            self.tally.duplicates += 1
            return
        operation = self.open.pop(mid, None)
        if operation is None:
            self.complain("reply with a MID that the client does not wait for", message)
            return
        operation.answered = time.monotonic()
        operation.outcome = outcome
        self.leader = message["leader"]
        if outcome == "ok":
            self.completed.add(mid)
            self._complete(operation, message)
        else:
            self._ask(operation.kind, operation.key, operation.value)

    def _complete(self, operation: Operation, message: Dict[str, Any]) -> None:
        """An ok: a put is acknowledged now; a get must show the last acknowledged put."""
        key = operation.key
        if operation.kind == "put":
            if key not in self.values:
                self.keys.append(key)
            self.values[key] = operation.value
        elif "value" not in message:
            self.complain("ok to a get without a value", message)
        else:
            operation.result = message["value"]
            if message["value"] != self.values[key]:
                self.complain("get shows a wrong value, expected " + self.values[key], message)
