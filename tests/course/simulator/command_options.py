"""What the commands of `run.py` share: exit statuses, options, and how their values are found."""

import argparse
import json
import os
import random
import shutil
from typing import Any, Callable, Optional

from . import build

EXIT_PASSED, EXIT_FAILED, EXIT_USAGE, EXIT_INTERNAL = 0, 1, 64, 70
COURSE = os.path.join(build.REPOSITORY, "tests", "course")

EPILOG = """\
exit status: 0 all passed, 1 a check failed, 64 wrong usage or config, 70 fault of the simulator,
128 + the signal's number if interrupted. The replicas are ended in every case.
"""


class UsageError(Exception):
    """Something about the command line that makes no sense; one line says what."""


class BuildFailed(Exception):
    """The replicas could not be built; cargo has said why."""


class Parser(argparse.ArgumentParser):
    """argparse with the exit status which this program uses for wrong usage."""

    def error(self, message: str) -> None:
        raise UsageError("%s (see ./%s --help)" % (message, self.prog))


def at_least(low: int) -> Callable[[str], int]:
    """A whole number with a lower bound, for argparse."""
    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = low - 1
        if value < low:
            raise argparse.ArgumentTypeError("is %s, must be a whole number, at least %d" % (
                text, low))
        return value
    return convert


def writable(path: str) -> str:
    """A file that can be written: better known before the runs than after them."""
    try:
        with open(path, "a", encoding="utf-8"):
            return path
    except OSError as error:
        raise argparse.ArgumentTypeError("%s: %s" % (path, error.strerror)) from error


def add_common(parser: argparse.ArgumentParser) -> None:
    """The options which every simulation has."""
    parser.add_argument("--replica", metavar="PATH", default=None,
                        help="the program to start as replica (default: bin/3700kvstore)")
    parser.add_argument("--jobs", metavar="N", type=at_least(1), default=1,
                        help="simulations at the same time (default 1)")
    parser.add_argument("--json", metavar="FILE", type=writable, default=None,
                        help="write the results to FILE as JSON")
    parser.add_argument("-s", "--silence", action="store_true",
                        help="throw the replicas' output away")


def find_replica(path: Optional[str]) -> str:
    """The absolute path of the program to start; the default one is built first if need be."""
    if path is None:
        if build.build_if_needed() != 0:
            raise BuildFailed()
        path = build.LAUNCHER
    found = os.path.abspath(path)
    if not os.path.exists(found) and os.sep not in path:
        found = shutil.which(path) or found
    if not os.path.isfile(found) or not os.access(found, os.X_OK):
        raise UsageError("--replica: is %s, must be an executable file" % path)
    return found


def new_seed() -> int:
    return random.SystemRandom().randrange(1 << 31)


def tell_sharing(jobs: int) -> None:
    """Latencies taken side by side are not those of one simulation alone: say so."""
    if jobs > 1:
        print("%d simulations at a time shared this machine, which lengthens latencies." % jobs)


def write_json(path: Optional[str], results: Any) -> None:
    """Writes the machine-readable results."""
    if path is None:
        return
    with open(path, "w", encoding="utf-8") as target:
        json.dump(results, target, indent=1)
        target.write("\n")
