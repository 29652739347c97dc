"""redis-cli as it is used by hand and in scripts, and `quorate cli`, which must say the same."""

import subprocess
import time
from typing import List, Optional, Sequence

from simulator import build

from .door import Door
from .results import Check, expect, expect_true

PATIENCE = 10.0


def run(program: str, words: Sequence[str], given: Optional[bytes] = None) -> bytes:
    """The output of a program that has to succeed."""
    done = subprocess.run([program, *words], input=given if given is not None else b"",
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE,
                          check=False)
    expect_true("%s %s ended with status %d: %s" % (
        program, " ".join(words), done.returncode, done.stderr.decode("utf-8", "replace")),
        done.returncode == 0)
    return done.stdout


def cli(door: Door, *words: str, given: Optional[bytes] = None) -> bytes:
    return run("redis-cli", door.words + list(words), given)


def strings(door: Door) -> None:
    key = door.key + "cli"
    expect("DEL", cli(door, "--no-raw", "del", key, key + "2")[:9], b"(integer)")
    expect("SET", cli(door, "set", key, "hello world"), b"OK\n")
    expect("GET", cli(door, "--no-raw", "get", key), b'"hello world"\n')
    expect("SET NX", cli(door, "--no-raw", "set", key, "x", "nx"), b"(nil)\n")
    expect("INCRBY", cli(door, "--no-raw", "incrby", key + "2", "-5"), b"(integer) -5\n")
    expect("MSET", cli(door, "mset", key, "1", key + "2", "2"), b"OK\n")
    expect("MGET", cli(door, "mget", key, key + "2", key + "3"), b"1\n2\n\n")
    expect("TTL", cli(door, "ttl", key), b"-1\n")


def bytes_and_sizes(door: Door) -> None:
    key = door.key + "cli-bytes"
    for value in (bytes(range(256)), b"x" * (1 << 20)):
        expect("SET", cli(door, "-x", "set", key, given=value), b"OK\n")
        expect("GET", cli(door, "get", key), value + b"\n")
    expect("DEL", cli(door, "del", key), b"1\n")


def lifetimes(door: Door) -> None:
    key = door.key + "cli-lifetime"
    expect("SET PX", cli(door, "set", key, "1", "px", "80"), b"OK\n")
    time.sleep(0.1)
    expect("GET", cli(door, "--no-raw", "get", key), b"(nil)\n")
    expect("SET EX", cli(door, "set", key, "1", "ex", "100"), b"OK\n")
    expect_true("TTL", int(cli(door, "ttl", key)) in (99, 100))


def pipe_mode(door: Door) -> None:
    """redis-cli --pipe, which sends all at once and an ECHO behind it."""
    key = door.key + "cli-pipe"
    lines = b"".join(b"SET %s:%d %d\r\n" % (key.encode(), number, number)
                     for number in range(2000))
    expect_true("--pipe", b"errors: 0, replies: 2000" in cli(door, "--pipe", given=lines))
    found = cli(door, "--scan", "--pattern", key + ":1??").split()
    expect("--scan", len(found), 100)
    expect_true("--bigkeys", b"Biggest string found" in cli(door, "--bigkeys"))


def newer_protocol(door: Door) -> None:
    answer = cli(door, "-3", "--no-raw", "config", "get", "databases")
    expect("CONFIG GET", answer, b'1# "databases" => "1"\n')
    hello = cli(door, "-3", "hello")
    expect_true("HELLO", b"proto 3" in hello and b"role " in hello)


def wrong_commands(door: Door) -> None:
    answer = cli(door, "nonsense", "a")
    expect("unknown", answer,
           b"ERR unknown command 'nonsense', with args beginning with: 'a' \n\n")
    expect("arguments", cli(door, "get"),
           b"ERR wrong number of arguments for 'get' command\n\n")
    cli(door, "set", door.key + "text", "x")
    expect("no number", cli(door, "incr", door.key + "text"),
           b"ERR value is not an integer or out of range\n\n")


CHECKS: "tuple[Check, ...]" = (
    ("GET, SET, INCRBY, MSET, MGET", strings),
    ("binary and 1 MiB values through -x", bytes_and_sizes),
    ("lifetimes", lifetimes),
    ("--pipe, --scan, --bigkeys", pipe_mode),
    ("RESP3", newer_protocol),
    ("errors of wrong commands", wrong_commands),
)

SCRIPT = rb"""
mset KEY 1 KEY2 2
del KEY KEY2
set KEY "a\x00\xff\"b"
get KEY
mget KEY KEY2
incr KEY
incr KEY2
multi
ping
incr KEY2
get KEY
exec
nonsense 'a b'
config get databases
command getkeys mset a 1 b 2
command info get
ttl KEY
scan 0 match nothing
cluster keyslot KEY
set "unbalanced
ping
"""


def same_as_redis_cli(door: Door) -> None:
    """The same lines for both programs, and the same output from them."""
    script = SCRIPT.replace(b"KEY", (door.key + "same").encode())
    for mode in ("--raw", "--no-raw"):
        wanted = cli(door, mode, given=script)
        done = subprocess.run([build.BINARY, "cli", "--connect", door.text, mode], input=script,
                              stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
        expect("the status, as there were errors", done.returncode, 1)
        expect("output with %s" % mode, done.stdout.splitlines(), wanted.splitlines())


def status_of(doors: List[Door]) -> Check:
    """`quorate status` names a leader and counts keys."""
    def check(_: Door) -> None:
        addresses = ",".join(door.text for door in doors)
        lines = run(build.BINARY, ["status", "--connect", addresses]).decode().splitlines()
        expect("lines", len(lines), len(doors) + 3)
        expect_true("a leader", lines[-1].startswith("leader: node "))
        rows = [line.split() for line in lines[1:len(doors) + 1]]
        expect("one leads, through two doors", sum(row[2] == "leader" for row in rows), 2)
        expect("keys", len({row[7] for row in rows}), 1)
    return "quorate status", check


QUORATE_CLI: "tuple[Check, ...]" = (("says what redis-cli says", same_as_redis_cli),)
