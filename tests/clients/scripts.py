"""Clients that are programs of their own: started once for each door.

Such a program is given a door (tcp:HOST:PORT or unix:PATH) and what its keys begin with. It prints
`ok NAME` or `FAILED NAME: WHY` for each of its checks, and ends with status 0 if all were run.
"""

import os
import subprocess
import time
from typing import Dict, List

from .door import Door
from .install import HERE, ioredis, redis_crate, redis_py
from .results import Results

PATIENCE = 30.0


def parse(output: str) -> Dict[str, str]:
    """Checks by name, each with why it failed, or nothing."""
    outcomes = {}
    for line in output.splitlines():
        if line.startswith("ok "):
            outcomes[line[len("ok "):]] = ""
        elif line.startswith("FAILED "):
            name, _, why = line[len("FAILED "):].partition(": ")
            outcomes[name] = why or "no reason given"
    return outcomes


def run_at(door: Door, command: List[str], environment: Dict[str, str]) -> Dict[str, str]:
    """One run of a program; that it does not run through is a failed check."""
    try:
        done = subprocess.run(
            command + [door.text, door.key], env=dict(os.environ, **environment),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired as error:
        outcomes = parse((error.stdout or b"").decode("utf-8", "replace"))
        outcomes["runs through"] = "not within %d seconds" % PATIENCE
        return outcomes
    outcomes = parse(done.stdout.decode("utf-8", "replace"))
    last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or [""]
    outcomes["runs through"] = "" if done.returncode == 0 else "status %d: %s" % (
        done.returncode, last[0])
    return outcomes


def run_everywhere(results: Results, client: str, doors: List[Door], command: List[str],
                   environment: Dict[str, str]) -> None:
    began = time.monotonic()
    outcomes = {door.name: run_at(door, command, environment) for door in doors}
    results.merge(client, outcomes, time.monotonic() - began)


def run_redis_py(results: Results, doors: List[Door]) -> None:
    command = [redis_py(), "-B", os.path.join(HERE, "redis_py", "check.py")]
    run_everywhere(results, "redis-py", doors, command, {})


def run_ioredis(results: Results, doors: List[Door]) -> None:
    modules = os.path.join(ioredis(), "node_modules")
    command = ["node", os.path.join(HERE, "ioredis", "check.js")]
    run_everywhere(results, "ioredis", doors, command, {"NODE_PATH": modules})


def run_redis_crate(results: Results, doors: List[Door]) -> None:
    run_everywhere(results, "redis crate", doors, [redis_crate()], {})
