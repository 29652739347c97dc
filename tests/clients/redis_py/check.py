"""What redis-py gets to hear at one door. Arguments: the door, and what keys begin with."""

import sys
import time
import traceback

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

BIG = bytes(range(256)) * 4096


def connect(door, **options):
    # No second try: a command that is sent twice would hide that an answer was lost.
    options = dict({"socket_timeout": 5, "retry": Retry(NoBackoff(), 0)}, **options)
    kind, _, place = door.partition(":")
    if kind == "unix":
        return redis.Redis(unix_socket_path=place, **options)
    host, _, port = place.rpartition(":")
    return redis.Redis(host=host, port=int(port), **options)


def expect(what, found, wanted):
    if found != wanted:
        raise AssertionError("%s: found %.200r, wanted %.200r" % (what, found, wanted))


def refused(error, text, call):
    try:
        call()
    except error as raised:
        if text not in str(raised):
            raise AssertionError("found %r, wanted %r" % (str(raised), text)) from raised
        return
    raise AssertionError("%r was not raised" % text)


def strings(node, key):
    node.delete(key, key + "2", key + "3")
    expect("SET", node.set(key, "a"), True)
    expect("GET", node.get(key), b"a")
    expect("SET NX", node.set(key, "b", nx=True), None)
    expect("SET XX GET", node.set(key, "c", xx=True, get=True), b"a")
    expect("APPEND", node.append(key, "d"), 2)
    expect("GETRANGE", node.getrange(key, -1, -1), b"d")
    expect("GETDEL", node.getdel(key), b"cd")
    expect("MSET", node.mset({key: 1, key + "2": 2}), True)
    expect("MGET", node.mget(key, key + "2", key + "3"), [b"1", b"2", None])
    expect("EXISTS", node.exists(key, key + "2", key + "3"), 2)
    expect("DEL", node.delete(key, key + "2", key + "3"), 2)


def counters(node, key):
    node.delete(key)
    expect("INCR", [node.incr(key) for _ in range(3)], [1, 2, 3])
    expect("DECRBY", node.decrby(key, 10), -7)
    expect("INCRBYFLOAT", node.incrbyfloat(key, 0.5), -6.5)
    refused(redis.ResponseError, "not an integer", lambda: node.incr(key))


def lifetimes(node, key):
    expect("SET EX", node.set(key, 1, ex=100), True)
    expect("TTL", node.ttl(key) in (99, 100), True)
    expect("PERSIST", node.persist(key), True)
    expect("TTL", node.ttl(key), -1)
    expect("PEXPIRE", node.pexpire(key, 60), True)
    time.sleep(0.08)
    expect("GET", node.get(key), None)
    expect("TTL", node.ttl(key), -2)


def big_and_binary(node, key):
    odd = b"\x00\xff\r\n$-1\r\n" + key.encode()
    expect("SET", node.set(odd, BIG), True)
    expect("GET", node.get(odd) == BIG, True)
    expect("STRLEN", node.strlen(odd), len(BIG))
    expect("DEL", node.delete(odd), 1)


def pipelines(node, key):
    node.delete(key)
    pipe = node.pipeline(transaction=False)
    for number in range(500):
        pipe.incr(key)
        pipe.set("%s:%d" % (key, number), number)
        pipe.get("%s:%d" % (key, number))
    answers = pipe.execute()
    wanted = []
    for number in range(500):
        wanted += [number + 1, True, b"%d" % number]
    expect("answers", answers, wanted)


def transactions(node, key):
    node.delete(key)
    with node.pipeline() as pipe:
        pipe.set(key, 1).ping().incr(key).get(key)
        expect("EXEC", pipe.execute(), [True, True, 2, b"2"])
        pipe.watch(key)
        seen = int(pipe.get(key))
        pipe.multi()
        pipe.set(key, seen + 1)
        expect("WATCH unchanged", pipe.execute(), [True])
        pipe.watch(key)
        node.set(key, "other")
        pipe.multi()
        pipe.set(key, "mine")
        refused(redis.WatchError, "", pipe.execute)
    expect("GET", node.get(key), b"other")


def errors(node, key):
    refused(redis.ResponseError, "unknown command", lambda: node.execute_command("NONSENSE", key))
    refused(redis.ResponseError, "wrong number", lambda: node.execute_command("GET"))
    refused(redis.ResponseError, "unknown command", lambda: node.lpush(key, 1))
    pipe = node.pipeline(transaction=False)
    pipe.set(key, "x").incr(key).get(key)
    answers = pipe.execute(raise_on_error=False)
    expect("kinds", [isinstance(answer, redis.ResponseError) for answer in answers],
           [False, True, False])


def server(node, key):
    info = node.info()
    expect("loading", info["loading"], 0)
    expect("role", info["role"] in ("master", "slave"), True)
    expect("used_memory", info["used_memory"] > 100000, True)
    expect("one section", "redis_version" in node.info("server"), True)
    expect("CONFIG GET", node.config_get("databases"), {"databases": "1"})
    expect("CLIENT ID", node.client_id() > 0, True)
    expect("DBSIZE", node.dbsize() > 0, True)
    expect("TIME", node.time()[0] > 1700000000, True)
    node.mset({"%s:%d" % (key, number): 1 for number in range(50)})
    expect("SCAN", len(set(node.scan_iter(match=key + ":*", count=7))), 50)
    expect("COMMAND", node.command()["get"]["arity"], 2)


CHECKS = {
    "GET, SET with options, MGET, MSET": strings,
    "counters": counters,
    "lifetimes": lifetimes,
    "1 MiB values, binary keys": big_and_binary,
    "pipelines of 1500": pipelines,
    "MULTI, EXEC, WATCH": transactions,
    "errors": errors,
    "INFO, CONFIG, CLIENT, SCAN, COMMAND": server,
}


def main():
    door, key = sys.argv[1:]
    for protocol in (2, 3):
        node = connect(door, protocol=protocol, client_name="checks")
        for name, check in CHECKS.items():
            name = "%s (RESP%d)" % (name, protocol)
            try:
                check(node, key + check.__name__)
            except Exception as error:  # whatever a check meets is its outcome
                where = traceback.extract_tb(error.__traceback__)[-1]
                print("FAILED %s: %s: %s (line %d)" % (
                    name, type(error).__name__, str(error).replace("\n", " "), where.lineno))
            else:
                print("ok " + name)
        node.close()


if __name__ == "__main__":
    main()
