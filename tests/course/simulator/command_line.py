"""What `run.py` calls: the first word decides what is done, and the outcome is an exit status."""

import importlib
import os
import sys
from typing import List

from . import build, course_runs, interruption, random_runs, test_command
from .campaign import ReplicaUnstartable, SimulationFailed
from .command_options import (
    EXIT_FAILED, EXIT_INTERNAL, EXIT_PASSED, EXIT_USAGE, BuildFailed, Parser, UsageError,
)
from .config import ConfigError


# The commands of other folders. What they need is imported by whoever asks for them.
ELSEWHERE = {
    "clients": "clients.clients_command",
    "cluster": "cluster.cluster_command",
    "sim": "sim.sim_command",
    "bench": "bench.bench_command",
    "profile": "bench.profile.profile_command",
}


def dispatch(arguments: List[str]) -> int:
    """Runs the command that the first word names; anything else is taken for a config."""
    command = arguments[0] if arguments else None
    if command is None:
        course_runs.parser().print_help(sys.stderr)
        return EXIT_USAGE
    if command in ELSEWHERE:
        return int(importlib.import_module(ELSEWHERE[command]).main(arguments[1:]))
    if command == "random":
        return random_runs.main(arguments[1:])
    if command == "build":
        Parser(prog="run.py build", description="Builds the release binaries.").parse_args(
            arguments[1:])
        return EXIT_PASSED if build.build() == 0 else EXIT_FAILED
    if command == "test":
        Parser(prog="run.py test", description=test_command.DESCRIPTION).parse_args(arguments[1:])
        return test_command.main()
    return course_runs.main(arguments)


def main(arguments: List[str]) -> int:
    """Every way in which a command can end becomes an exit status."""
    interruption.install()
    try:
        return dispatch(arguments)
    except (UsageError, ConfigError) as error:
        print("run.py: %s" % error, file=sys.stderr)
        return EXIT_USAGE
    except ReplicaUnstartable as error:
        print("run.py: the replicas cannot be started: %s" % error, file=sys.stderr)
        return EXIT_USAGE
    except BuildFailed:
        print("run.py: the replica could not be built", file=sys.stderr)
        return EXIT_FAILED
    except interruption.Interrupted as error:
        print("\nrun.py: interrupted (%s)" % error, file=sys.stderr)
        return 128 + error.number
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_INTERNAL
    except SimulationFailed as error:
        print("run.py: internal: %s" % error, file=sys.stderr)
        return EXIT_INTERNAL
