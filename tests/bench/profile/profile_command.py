"""`run.py profile`: a flame graph for each thread of the replicas under a load, and a summary."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from typing import Dict, List

from simulator import build
from simulator.command_options import EXIT_PASSED, BuildFailed, Parser, UsageError

from .. import loads
from ..compare import prepare_generator
from ..loads import Load
from ..results import Results
from ..systems.quorate import Quorate
from ..systems.system import Way
from .flame import draw
from .recorder import NotPermitted, Recorder
from .stacks import Thread, folded, together
from .summary import summary

PROGRAM = os.path.join(build.REPOSITORY, "target", "profiling", "quorate")
OUTPUT = os.path.join("target", "profile")
# The thread that the process began with has the program's name; it is the one of the node.
MAIN_THREAD, NODE = "quorate", "node"

DESCRIPTION = """\
Starts three nodes, built with names and frame pointers, samples them under a load with perf, and
writes a flame graph for each thread: DIR/LOAD/leader-node.svg and so on, with a summary.
"""

EPILOG = """\
What follows a -- is given to each 'quorate serve', like: ./run.py profile set-64 -- --leases
docs/profiling.md says how to read the pictures.

exit status: 0 profiled, 1 the program could not be built, 64 wrong usage or perf is not permitted
"""


def parser() -> Parser:
    made = Parser(prog="run.py profile", description=DESCRIPTION, epilog=EPILOG,
                  formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("load", metavar="LOAD", nargs="?", default="set-64",
                      choices=list(loads.BY_NAME),
                      help="%s (default set-64)" % ", ".join(loads.BY_NAME))
    made.add_argument("--seconds", metavar="S", type=float, default=5.0,
                      help="how long is sampled (default 5)")
    made.add_argument("--dir", metavar="DIR", default=OUTPUT,
                      help="where the pictures go (default: %s)" % OUTPUT)
    made.add_argument("--fold", action="store_true",
                      help="also write the stacks as text, a line for each")
    return made


def build_program() -> None:
    """The profiling build: the release build with names and frame pointers."""
    print("building the profiling binary (cargo build --profile profiling)", file=sys.stderr)
    flags = (os.environ.get("RUSTFLAGS", "") + " -C force-frame-pointers=yes").strip()
    done = subprocess.run(
        ["cargo", "build", "--profile", "profiling", "--locked", "--bin", "quorate"],
        cwd=build.REPOSITORY, stdout=sys.stderr, check=False,
        env=dict(os.environ, RUSTFLAGS=flags))
    if done.returncode != 0:
        raise BuildFailed()


def record(options: argparse.Namespace, load: Load,
           home: str) -> "tuple[Dict[str, Counter], float, float]":
    """The stacks of each thread under the load, the rate of requests meanwhile, and for how many
    seconds that was."""
    with Quorate(home, PROGRAM, options=options.options) as system:
        system.fill(load)
        rate = system.drive(Way.FIRST, load, 0.5, 500.0 * load.pipeline).rate
        leader = system.pids()[system.leader()]
        recorder = Recorder(system.pids(), home)
        with recorder:
            began = time.monotonic()
            rate = system.drive(Way.FIRST, load, options.seconds, rate).rate
            took = time.monotonic() - began
        return by_role(recorder.read(), leader), rate, took


def by_role(found: Dict[Thread, Counter], leader: int) -> Dict[str, Counter]:
    """Threads under names that say what they do; those of the followers are put together."""
    groups: Dict[str, List[Counter]] = {}
    for thread, counted in found.items():
        role = "leader" if thread.process == leader else "followers"
        name = NODE if thread.name == MAIN_THREAD else thread.name
        groups.setdefault("%s-%s" % (role, name), []).append(counted)
    return {name: together(counted) for name, counted in groups.items()}


def write(folder: str, load: Load, threads: Dict[str, Counter], text: str, fold: bool) -> None:
    os.makedirs(folder, exist_ok=True)
    for name, counted in threads.items():
        path = os.path.join(folder, name.replace(" ", "-"))
        with open(path + ".svg", "w", encoding="utf-8") as target:
            target.write(draw("%s under %s" % (name, load.title), counted))
        if fold:
            with open(path + ".txt", "w", encoding="utf-8") as target:
                target.write(folded(counted))
    with open(os.path.join(folder, "summary.txt"), "w", encoding="utf-8") as target:
        target.write(text + "\n")


def parse(arguments: List[str]) -> argparse.Namespace:
    split = arguments.index("--") if "--" in arguments else len(arguments)
    found = parser().parse_args(arguments[:split])
    found.options = arguments[split + 1:]
    if not 0.1 <= found.seconds <= 600:
        raise UsageError("--seconds: is %g, must be from 0.1 to 600" % found.seconds)
    return found


def main(arguments: List[str]) -> int:
    options = parse(arguments)
    load = loads.BY_NAME[options.load]
    build_program()
    prepare_generator(Results())
    home = tempfile.mkdtemp(prefix="profile-", dir=_made(os.path.join(build.REPOSITORY, "data")))
    try:
        threads, rate, took = record(options, load, home)
    except NotPermitted as error:
        raise UsageError(str(error)) from error
    finally:
        shutil.rmtree(home, ignore_errors=True)
    folder = os.path.join(options.dir, load.name)
    text = "%s: %.0f requests a second while it was sampled for %.1f s\n\n%s" % (
        load.title, rate, took, summary(threads, took))
    write(folder, load, threads, text, options.fold)
    print("%s\n\nthe pictures are in %s" % (text, folder))
    return EXIT_PASSED


def _made(path: str) -> str:
    os.makedirs(path, exist_ok=True)
    return path
