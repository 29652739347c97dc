// What ioredis gets to hear at one door. Arguments: the door, and what keys begin with.
"use strict";

const assert = require("node:assert/strict");
const Redis = require("ioredis");

const BIG = Buffer.alloc(1 << 20, "0123456789abcdef\0\xff\r\n");
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function connect(door) {
  const options = { maxRetriesPerRequest: 0, commandTimeout: 10000, retryStrategy: null };
  const [kind, place] = [door.slice(0, door.indexOf(":")), door.slice(door.indexOf(":") + 1)];
  if (kind === "unix") return new Redis({ path: place, ...options });
  const [host, port] = [place.slice(0, place.lastIndexOf(":")), place.slice(place.lastIndexOf(":") + 1)];
  return new Redis({ host, port: Number(port), ...options });
}

const checks = {
  async "GET, SET with options, MGET, MSET"(node, key) {
    await node.del(key, key + "2");
    assert.equal(await node.set(key, "a"), "OK");
    assert.equal(await node.get(key), "a");
    assert.equal(await node.set(key, "b", "NX"), null);
    assert.equal(await node.set(key, "c", "XX", "GET"), "a");
    assert.equal(await node.mset({ [key]: "1", [key + "2"]: "2" }), "OK");
    assert.deepEqual(await node.mget(key, key + "2", key + "3"), ["1", "2", null]);
    assert.equal(await node.del(key, key + "2"), 2);
  },
  async "counters"(node, key) {
    await node.del(key);
    assert.deepEqual(await Promise.all([node.incr(key), node.incr(key), node.incrby(key, 5)]), [1, 2, 7]);
    assert.equal(await node.incrbyfloat(key, 0.5), "7.5");
    await assert.rejects(node.incr(key), /not an integer/);
  },
  async "lifetimes"(node, key) {
    assert.equal(await node.set(key, "1", "EX", 100), "OK");
    assert.ok([99, 100].includes(await node.ttl(key)));
    assert.equal(await node.pexpire(key, 60), 1);
    await sleep(80);
    assert.equal(await node.get(key), null);
  },
  async "1 MiB values, binary keys"(node, key) {
    const odd = Buffer.concat([Buffer.from([0, 255, 13, 10]), Buffer.from(key)]);
    assert.equal(await node.set(odd, BIG), "OK");
    assert.ok(BIG.equals(await node.getBuffer(odd)));
    assert.equal(await node.del(odd), 1);
  },
  async "pipelines of 1000"(node, key) {
    await node.del(key);
    const pipeline = node.pipeline();
    for (let number = 0; number < 500; number += 1) pipeline.incr(key).get(key);
    const answers = await pipeline.exec();
    answers.forEach(([error, value], place) => {
      assert.equal(error, null);
      const count = Math.floor(place / 2) + 1;
      assert.equal(value, place % 2 === 0 ? count : String(count));
    });
  },
  async "MULTI, EXEC, WATCH"(node, key) {
    await node.del(key);
    const answers = await node.multi().set(key, 1).ping().incr(key).get(key).exec();
    assert.deepEqual(answers, [[null, "OK"], [null, "PONG"], [null, 2], [null, "2"]]);
    await node.watch(key);
    const other = node.duplicate();
    await other.set(key, "other");
    other.disconnect();
    assert.equal(await node.multi().set(key, "mine").exec(), null);
    assert.equal(await node.get(key), "other");
    await assert.rejects(node.multi().set(key, 1).call("NONSENSE").exec(), /EXECABORT|unknown command/);
  },
  async "errors"(node, key) {
    await assert.rejects(node.call("NONSENSE", key), /unknown command/);
    await assert.rejects(node.call("GET"), /wrong number of arguments/);
    await assert.rejects(node.lpush(key, 1), /unknown command/);
  },
  async "INFO, SCAN, CLIENT"(node, key) {
    assert.match(await node.info("server"), /^# Server\r\nredis_version:/);
    assert.ok((await node.client("ID")) > 0);
    for (let number = 0; number < 50; number += 1) await node.set(`${key}:${number}`, number);
    const found = new Set();
    for await (const keys of node.scanStream({ match: `${key}:*`, count: 7 })) {
      keys.forEach((name) => found.add(name));
    }
    assert.equal(found.size, 50);
  },
};

async function main() {
  const [door, prefix] = process.argv.slice(2);
  const node = connect(door);
  let place = 0;
  for (const [name, check] of Object.entries(checks)) {
    place += 1;
    try {
      await check(node, `${prefix}ioredis${place}`);
      console.log(`ok ${name}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${String(error.message || error).replaceAll("\n", " ")}`);
    }
  }
  node.disconnect();
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
