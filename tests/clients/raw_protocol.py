"""The protocol itself: bytes that clients could send, and the answers they must get."""

import time

from cluster.resp import Connection, ReplyError

from .door import Door
from .results import Check, expect, expect_true

PATIENCE = 5.0
BULK_MAX = 1 << 20


def connect(door: Door) -> Connection:
    return Connection(door.address, PATIENCE)


def inline(door: Door) -> None:
    """Commands as a person types them, in pieces."""
    with connect(door) as node:
        node.send_raw(b"PI")
        time.sleep(0.01)
        node.send_raw(b"NG\r\n\r\nSET %sinline 'a b'\r\n" % door.key.encode())
        expect("PING", node.receive(), b"PONG")
        expect("SET", node.receive(), b"OK")
        expect("GET", node.ask("GET", door.key + "inline"), b"a b")


def pipeline(door: Door) -> None:
    """A thousand commands in one go; every answer in its place."""
    with connect(door) as node:
        key = door.key + "pipeline"
        node.ask("DEL", key)
        for number in range(1000):
            node.send(*[("INCR", key), ("PING", number), ("GET", key)][number % 3])
        count = 0
        for number in range(1000):
            if number % 3 == 0:
                count += 1
            wanted = [count, b"%d" % number, b"%d" % count][number % 3]
            expect("answer %d" % number, node.receive(), wanted)


def large_batches(door: Door) -> None:
    """More than a node carries out at once, in one go: nothing of it is left lying."""
    with connect(door) as node:
        key = door.key + "batches"
        node.ask("DEL", key)
        node.send_raw(b"INCR %s\r\n" % key.encode() * 5000)
        for count in range(5000):
            expect("INCR", node.receive(), count + 1)
        value = b"x" * 100000
        for _ in range(20):
            node.send("SET", key, value)
        expect("SET", [node.receive() for _ in range(20)], [b"OK"] * 20)
        # What has to wait for the answer before it is not forgotten either.
        node.send_raw(b"SET %s 1\r\nONCE %s%d INCR %s\r\nWATCH %s\r\nMULTI\r\nEXEC\r\n" % (
            key.encode(), key.encode(), time.time_ns(), key.encode(), key.encode()))
        expect("answers", [node.receive() for _ in range(5)], [b"OK", 2, b"OK", b"OK", []])


def transaction(door: Door) -> None:
    """MULTI with commands that the store answers and commands that it does not."""
    with connect(door) as node:
        key = door.key + "transaction"
        node.ask("MULTI")
        for words in (("SET", key, 1), ("PING", "x"), ("INCR", key), ("INCR", key + "!", 1)):
            node.send(*words)
        expect("queued", [node.receive() for _ in range(3)], [b"QUEUED"] * 3)
        expect_true("a wrong command is refused", isinstance(node.receive(), ReplyError))
        node.send("EXEC")
        expect_true("EXECABORT", str(node.receive()).startswith("EXECABORT"))
        node.ask("MULTI")
        node.ask("SET", key, 5)
        node.ask("PING", "x")
        node.ask("GET", key)
        expect("EXEC", node.ask("EXEC"), [b"OK", b"x", b"5"])


def too_large(door: Door) -> None:
    """A value beyond the limit, and a transaction that is: refused, and the node lives."""
    with connect(door) as node:
        key = door.key + "large"
        expect("the largest", node.ask("SET", key, b"x" * BULK_MAX), b"OK")
        for _ in range(3):
            expect("and again", node.ask("GET", key), b"x" * BULK_MAX)
        node.ask("MULTI")
        for _ in range(10):
            node.send("SET", key, b"y" * BULK_MAX)
            node.receive()
        node.send("EXEC")
        expect_true("EXECABORT", str(node.receive()).startswith("EXECABORT"))
        expect("nothing was done", node.ask("STRLEN", key), BULK_MAX)
        expect("DEL", node.ask("DEL", key), 1)
    with connect(door) as node:
        node.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n" % (BULK_MAX + 1))
        expect("too long", str(node.receive()), "ERR Protocol error: invalid bulk length")
    with connect(door) as node:
        expect("PING", node.ask("PING"), b"PONG")


def large_answers(door: Door) -> None:
    """Far more to read than one message between two nodes holds, in one go."""
    with connect(door) as node:
        key, value = door.key + "answers", b"x" * BULK_MAX
        node.ask("SET", key, value)
        node.send("MGET", *[key] * 12)
        expect_true("MGET of 12 MB", node.receive() == [value] * 12)
        node.send("PING", "before")
        for _ in range(60):
            node.send("GET", key)
        node.send("PING", "behind")
        expect("order", node.receive(), b"before")
        expect_true("60 MB in a pipeline", all(node.receive() == value for _ in range(60)))
        expect("order", node.receive(), b"behind")
        node.ask("DEL", key)


def exactly_once(door: Door) -> None:
    """ONCE: the same token takes effect once."""
    with connect(door) as node:
        key, token = door.key + "once", "%s%d" % (door.key, time.time_ns())
        node.ask("DEL", key)
        answers = [node.ask("ONCE", token, "INCR", key) for _ in range(3)]
        expect("answers", answers, [1, 1, 1])
        expect("value", node.ask("GET", key), b"1")


def cluster_view(door: Door) -> None:
    """CLUSTER in its forms: one owner of all slots, one `myself`."""
    with connect(door) as node:
        lines = node.ask("CLUSTER", "NODES").decode().splitlines()
        expect("myself", sum("myself," in line for line in lines), 1)
        masters = [line.split() for line in lines if "master" in line.split()[2]]
        expect("owners", [line[8:] for line in masters], [["0-16383"]])
        slots = node.ask("CLUSTER", "SLOTS")
        expect("slots", slots[0][:2], [0, 16383])
        expect("who owns them", slots[0][2][2].decode(), masters[0][0])
        expect("nodes", len(slots[0]) - 2, len(lines))
        info = node.ask("CLUSTER", "INFO")
        expect_true("state", b"cluster_state:ok\r\n" in info)
        shards = node.ask("CLUSTER", "SHARDS")
        expect("shards", shards[0][:2], [b"slots", [0, 16383]])
        node.ask("SET", door.key + "{slot}", 1)
        slot = node.ask("CLUSTER", "KEYSLOT", "slot")
        expect_true("keys of a slot", node.ask("CLUSTER", "COUNTKEYSINSLOT", slot) >= 1)


CHECKS: "tuple[Check, ...]" = (
    ("inline commands in pieces", inline),
    ("a pipeline of 1000, mixed", pipeline),
    ("pipelines of 5000 and of 2 MB", large_batches),
    ("MULTI, EXEC, EXECABORT", transaction),
    ("the largest value, and what is larger", too_large),
    ("12 MB in an answer, 60 MB in a pipeline", large_answers),
    ("ONCE takes effect once", exactly_once),
    ("CLUSTER NODES, SLOTS, SHARDS, INFO", cluster_view),
)


def everywhere(doors: "list[Door]") -> Check:
    """What is written through one door is there for whoever reads through another afterwards."""
    def check(door: Door) -> None:
        with connect(door) as writer:
            for number, other in enumerate(doors):
                with connect(other) as reader:
                    for step in range(10):
                        value = b"%d" % (100 * number + step)
                        writer.ask("SET", door.key + "seen", value)
                        expect("read through %s" % other.name,
                               reader.ask("GET", door.key + "seen"), value)
    return "a write is seen through every other door", check
