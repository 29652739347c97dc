"""`run.py clients`: real clients at every door of a real cluster; a line for each check."""

import argparse
import os
import tempfile
import time
from typing import Callable, Dict, List

from cluster.cluster import Cluster, StartFailed
from cluster.layout import LayoutError
from simulator import build
from simulator.command_options import EXIT_FAILED, EXIT_PASSED, BuildFailed, Parser, UsageError

from . import install, raw_protocol, redis_benchmark, redis_tools, scripts
from .door import Door, doors
from .install import NotAvailable
from .results import Results

DESCRIPTION = """\
Starts three nodes and runs real clients against each of them, over TCP and over Unix sockets. What
is missing is installed: redis-tools with apt-get (as root), the others into target/clients. A
client that cannot be installed is skipped, with a line that says so.
"""


def run_raw(results: Results, found: List[Door]) -> None:
    results.run("raw protocol", found, raw_protocol.CHECKS)
    results.run("raw protocol", found, [raw_protocol.everywhere(found)])


def run_redis_cli(results: Results, found: List[Door]) -> None:
    install.redis_tools()
    results.run("redis-cli", found, redis_tools.CHECKS)


def run_quorate_cli(results: Results, found: List[Door]) -> None:
    results.run("quorate cli", found[:1], [redis_tools.status_of(found)])
    install.redis_tools()
    results.run("quorate cli", found, redis_tools.QUORATE_CLI)


def run_redis_benchmark(results: Results, found: List[Door]) -> None:
    install.redis_tools()
    results.run("redis-benchmark", found, redis_benchmark.CHECKS)


CLIENTS: Dict[str, Callable[[Results, List[Door]], None]] = {
    "raw": run_raw,
    "redis-cli": run_redis_cli,
    "quorate-cli": run_quorate_cli,
    "redis-benchmark": run_redis_benchmark,
    "redis-py": scripts.run_redis_py,
    "ioredis": scripts.run_ioredis,
    "redis-crate": scripts.run_redis_crate,
}


def parser() -> Parser:
    made = Parser(prog="run.py clients", description=DESCRIPTION,
                  epilog="exit status: 0 all passed, 1 a check failed or a node died, 64 wrong "
                  "usage", formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("clients", metavar="CLIENT", nargs="*",
                      help="%s (default: all)" % ", ".join(CLIENTS))
    made.add_argument("--require", action="store_true",
                      help="a client that cannot be installed is a failure")
    return made


def run(names: List[str], cluster: Cluster, results: Results) -> None:
    """Runs the clients one after the other, for they share two cores with the nodes."""
    found = doors(cluster.places)
    for name in names:
        try:
            CLIENTS[name](results, found)
        except NotAvailable as error:
            results.skip(name, "skipped: %s" % error)
        for lines in cluster.deaths():
            results.check(name, "all nodes live", 1, ["\n".join(lines)], 0.0)


def main(arguments: List[str]) -> int:
    options = parser().parse_args(arguments)
    for name in options.clients:
        if name not in CLIENTS:
            raise UsageError("%s: no such client; there are %s" % (name, ", ".join(CLIENTS)))
    if build.build_if_needed() != 0:
        raise BuildFailed()
    began = time.monotonic()
    results = Results()
    with tempfile.TemporaryDirectory(prefix="quorate-") as holder:
        try:
            with Cluster(build.BINARY, os.path.join(holder, "c"), nodes=3) as cluster:
                cluster.start()
                run(options.clients or list(CLIENTS), cluster, results)
        except LayoutError as error:
            raise UsageError(str(error)) from error
        except StartFailed as error:
            print("run.py clients: the cluster did not start: %s" % error)
            return EXIT_FAILED
    print("%d checks passed, %d failed, %d clients skipped, %.1f s" % (
        results.passed, results.failed, len(results.skipped), time.monotonic() - began))
    is_failed = results.failed > 0 or (options.require and results.skipped)
    return EXIT_FAILED if is_failed else EXIT_PASSED
