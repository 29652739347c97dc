"""`run.py CONFIG...` and `run.py all`: the course's configurations, judged as the course does."""

import argparse
import os
import sys
from typing import Any, Dict, List, Tuple

from . import build, command_options, report
from .campaign import Campaign, Run
from .command_options import COURSE, EXIT_FAILED, EXIT_PASSED, UsageError, at_least
from .config import Config, parse, read_document
from .dialect import DIALECTS, names, schedule
from .progress import Progress

ALL = (
    "simple-1", "simple-2", "unreliable-1", "unreliable-2", "unreliable-3", "crash-1", "crash-2",
    "crash-3", "crash-4", "partition-1", "partition-2", "partition-3", "partition-4", "advanced-1",
    "advanced-2", "advanced-3", "advanced-4",
)

DESCRIPTION = """\
Runs quorate: in the course's simulator, in ours, or as a cluster; builds and tests the project.

  ./run.py CONFIG...   simulate: a config file, or a name like simple-1 from tests/course
  ./run.py all         simulate the course's 17 configs and print a table
  ./run.py random      simulate random configs, judged for correctness alone (random --help)
  ./run.py cluster     run a cluster on this machine, for any Redis client (cluster --help)
  ./run.py clients     run real Redis clients against a cluster (clients --help)
  ./run.py bench       measure beside Redis and etcd, in one table (bench --help)
  ./run.py profile     draw where the time of each thread goes (profile --help)
  ./run.py sim         try to break clusters in a deterministic simulator (sim --help)
  ./run.py build       build the release binaries
  ./run.py test        run every check and test of the project
"""


def parser() -> argparse.ArgumentParser:
    made = command_options.Parser(
        prog="run.py",
        usage="run.py CONFIG [CONFIG...] | all | random | cluster | clients | sim | bench | "
        "profile | build | test",
        description=DESCRIPTION, epilog=command_options.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("configs", metavar="CONFIG", nargs="+",
                      help="config files or names, or the word all")
    made.add_argument("--dialect", choices=names(), default="udp",
                      help="the simulator to be: seqpacket is version 0.8 with its timings and "
                      "thresholds, stream and udp are version 2 (default udp)")
    command_options.add_common(made)
    made.add_argument("--seed", metavar="N", type=at_least(0), default=None,
                      help="the seed of the load, the losses and the events (default: drawn; it "
                      "is always printed)")
    made.add_argument("--repeat", metavar="N", type=at_least(1), default=1,
                      help="run every config N times, with consecutive seeds")
    made.add_argument("--floor", dest="floor", action="store_true", default=True,
                      help="measure, at the same time, a program that answers at once (default)")
    made.add_argument("--no-floor", dest="floor", action="store_false",
                      help="do not measure the floor")
    made.add_argument("--no-retry", action="store_true",
                      help="do not repeat a run whose load had too few gets by bad luck")
    return made


def find_config(name: str) -> str:
    """The path of a config given as a path or as a bare name."""
    if os.path.isfile(name):
        return name
    known = os.path.join(COURSE, name + ".json")
    if os.sep not in name and os.path.isfile(known):
        return known
    raise UsageError("%s: no such config file, and no config of that name in tests/course" % name)


def read_configs(options: argparse.Namespace) -> List[Tuple[str, Any, Config]]:
    """Every config that is asked for, all of them checked before anything starts."""
    found = []
    for word in options.configs:
        for name in ALL if word == "all" else (word,):
            path = find_config(name)
            document = read_document(path)
            config = parse(path, document)
            schedule(config, DIALECTS[options.dialect])
            for field in config.ignored:
                print("run.py: note: %s: %s: unknown field, ignored" % (path, field),
                      file=sys.stderr)
            found.append((path, document, config))
    return found


def find_floor(wanted: bool) -> Any:
    """The program that answers at once, or None and a word about it."""
    if not wanted or os.access(build.FLOOR, os.X_OK):
        return build.FLOOR if wanted else None
    print("run.py: the floor is left out: target/release/course-floor does not exist",
          file=sys.stderr)
    return None


def plan(options: argparse.Namespace) -> List[Run]:
    """One run per config and repetition."""
    configs = read_configs(options)
    replica = command_options.find_replica(options.replica)
    floor = find_floor(options.floor)
    drawn = command_options.new_seed()
    runs = []
    for path, document, config in configs:
        base = options.seed
        if base is None:
            base = drawn if config.seed is None else config.seed
        label = os.path.splitext(os.path.basename(path))[0]
        for repetition in range(options.repeat):
            runs.append(Run(
                label if options.repeat == 1 else "%s #%d" % (label, repetition + 1), path,
                document, options.dialect, replica, base + repetition, options.silence, floor,
                not options.no_retry, config.description))
    return runs


def main(arguments: List[str]) -> int:
    options = parser().parse_args(arguments)
    runs = plan(options)
    live = sys.stderr.isatty()
    progress = Progress(len(runs), live)

    def finished(run: Run, result: Dict[str, Any]) -> None:
        progress.finished(run, report.verdict(result))
        print(report.run_text(result, run.about), flush=True)

    campaign = Campaign(options.jobs, live, progress.started, progress.moved, finished,
                        progress.retried)
    results = campaign.play(runs)
    if len(results) > 1:
        print(report.table(results))
    command_options.tell_sharing(options.jobs)
    command_options.write_json(options.json, results)
    return EXIT_PASSED if all(map(report.verdict, results)) else EXIT_FAILED
