"""`run.py test`: every check and test of the project, one after the other, until one fails."""

import os
import subprocess
import sys
import time
from typing import List, NamedTuple, Tuple

from . import build
from .command_options import EXIT_FAILED, EXIT_PASSED

DESCRIPTION = """\
Runs every check and test of the project, in this order: formatting, clippy, documentation, the
simulator's own tests, those of the cluster, sim, clients and bench commands, cargo test, fifty
simulated hours, real Redis clients. Stops at the first that fails.
"""


class Step(NamedTuple):
    """One command; `environment` is added to the one we have."""

    title: str
    command: List[str]
    environment: Tuple[Tuple[str, str], ...] = ()


STEPS = (
    Step("formatting", ["cargo", "fmt", "--check"]),
    Step("clippy", ["cargo", "clippy", "--all-targets", "--locked", "--", "-D", "warnings"]),
    Step("documentation", ["cargo", "doc", "--no-deps", "--locked"],
         (("RUSTDOCFLAGS", "-Dwarnings"),)),
    Step("the simulator's own tests",
         [sys.executable, "-B", "-m", "unittest", "discover", "-s", "tests/course", "-t",
          "tests/course"]),
    Step("the cluster command's own tests",
         [sys.executable, "-B", "-m", "unittest", "discover", "-s", "tests/cluster", "-t", "tests"],
         (("PYTHONPATH", "tests/course"),)),
    Step("the sim command's own tests",
         [sys.executable, "-B", "-m", "unittest", "discover", "-s", "tests/sim", "-t", "tests"],
         (("PYTHONPATH", "tests/course"),)),
    Step("the client checks' own tests",
         [sys.executable, "-B", "-m", "unittest", "discover", "-s", "tests/clients", "-t", "tests"],
         (("PYTHONPATH", "tests/course"),)),
    Step("the benchmark's own tests",
         [sys.executable, "-B", "-m", "unittest", "discover", "-s", "tests/bench", "-t", "tests"],
         (("PYTHONPATH", "tests/course"),)),
    Step("cargo test", ["cargo", "test", "--locked"]),
    Step("fifty simulated hours",
         [sys.executable, "-B", "run.py", "sim", "--seeds", "15000", "--first", "0"]),
    Step("real Redis clients", [sys.executable, "-B", "run.py", "clients"]),
)


def run_step(step: Step) -> int:
    """The command's exit status; a missing program is a failure with a line of its own."""
    shown = " ".join(["%s=%s" % pair for pair in step.environment] + step.command)
    print("\n== %s: %s" % (step.title, shown.replace(sys.executable, "python3")), flush=True)
    began = time.monotonic()
    try:
        status = subprocess.run(
            step.command, cwd=build.REPOSITORY, check=False,
            env=dict(os.environ, **dict(step.environment))).returncode
    except FileNotFoundError:
        print("run.py: %s is not installed" % step.command[0], file=sys.stderr)
        status = EXIT_FAILED
    outcome = "ok" if status == 0 else "FAILED (status %d)" % status
    print("== %s: %s in %.1f s" % (step.title, outcome, time.monotonic() - began), flush=True)
    return status if status >= 0 else 128 - status


def main() -> int:
    began = time.monotonic()
    for number, step in enumerate(STEPS):
        status = run_step(step)
        if status != 0:
            print("\nrun.py test: FAILED at %s (step %d of %d) after %.1f s" % (
                step.title, number + 1, len(STEPS), time.monotonic() - began))
            return status
    print("\nrun.py test: all %d steps passed in %.1f s" % (
        len(STEPS), time.monotonic() - began))
    return EXIT_PASSED
