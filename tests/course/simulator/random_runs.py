"""`run.py random`: many random configurations, judged for correctness alone."""

import argparse
import os
import sys
from typing import Any, Dict, List

from . import command_options, random_config, report
from .campaign import Campaign, Run
from .command_options import EXIT_FAILED, EXIT_PASSED, UsageError, at_least
from .dialect import names
from .progress import Progress

KEPT_SEEDS = os.path.join(command_options.COURSE, "random-seeds.txt")
LIFETIME, SHORT_LIFETIME = 10, 6
LIFETIME_MIN = 5
SHORT_MARK = "short"

DESCRIPTION = """\
Runs random configs: 3 to 21 replicas, up to 30 % loss, up to four kills and partitions. A config
passes if nothing incorrect was seen, no replica died by itself, the history is linearizable and at
least one put was acknowledged. Requests left open are shown, but they do not fail it.
"""


def parser() -> argparse.ArgumentParser:
    made = command_options.Parser(
        prog="run.py random", description=DESCRIPTION, epilog=command_options.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--count", metavar="N", type=at_least(1), default=10,
                      help="how many configs (default 10)")
    made.add_argument("--seed", metavar="S", type=at_least(0), default=None,
                      help="the first config's seed; the others follow it (default: drawn)")
    made.add_argument("--seeds", metavar="FILE", default=None,
                      help="run the seeds of a file instead: one per line, # comments")
    made.add_argument("--short", action="store_true",
                      help="run the seeds marked `short` in the file (default file: "
                      "tests/course/random-seeds.txt), with a lifetime of %d" % SHORT_LIFETIME)
    made.add_argument("--dialect", choices=names() + (random_config.MIXED,),
                      default=random_config.MIXED,
                      help="the dialect, or mixed: each seed draws its own (default mixed)")
    made.add_argument("--lifetime", metavar="SECONDS", type=at_least(LIFETIME_MIN), default=None,
                      help="seconds of load, at least %d (default %d)" % (LIFETIME_MIN, LIFETIME))
    command_options.add_common(made)
    return made


def read_seeds(path: str, only_short: bool) -> List[int]:
    """The seeds in a file: a number per line, with the word `short` behind it or not."""
    try:
        with open(path, encoding="utf-8") as source:
            lines = source.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("--seeds: %s: %s" % (path, error)) from error
    seeds = []
    for number, line in enumerate(lines, 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if not words[0].isdigit() or words[1:] not in ([], [SHORT_MARK]):
            raise UsageError("%s: line %d: is %r, must be a seed, or a seed and the word %s" % (
                path, number, line, SHORT_MARK))
        if words[1:] or not only_short:
            seeds.append(int(words[0]))
    if not seeds:
        raise UsageError("%s: no seeds in it" % path)
    return seeds


def chosen_seeds(options: argparse.Namespace) -> List[int]:
    if options.short or options.seeds:
        return read_seeds(options.seeds or KEPT_SEEDS, options.short)
    first = command_options.new_seed() if options.seed is None else options.seed
    return list(range(first, first + options.count))


def failures(result: Dict[str, Any]) -> List[str]:
    """Why a random run failed; empty if it passed."""
    wrong = [check["text"] for check in result["checks"]
             if check["name"] in ("incorrect", "died", "no-puts") and not check["passed"]]
    return wrong + ([] if result["linearizable"] else ["history not linearizable"])


def repeat_command(run: Run, options: argparse.Namespace, lifetime: int) -> str:
    """The command that runs exactly this configuration again."""
    command = "./run.py random --seed %d --count 1 --dialect %s --lifetime %d" % (
        run.seed, run.dialect, lifetime)
    return command + (" --replica %s" % options.replica if options.replica else "")


def main(arguments: List[str]) -> int:
    options = parser().parse_args(arguments)
    lifetime = options.lifetime or (SHORT_LIFETIME if options.short else LIFETIME)
    seeds = chosen_seeds(options)
    replica = command_options.find_replica(options.replica)
    runs = []
    for seed in seeds:
        document, dialect = random_config.generate(seed, lifetime, options.dialect)
        about = random_config.describe(document, dialect, lifetime)
        runs.append(Run("random seed %d" % seed, "random-%d" % seed, document, dialect, replica,
                        seed, options.silence, retry=False, about=about))
    live = sys.stderr.isatty()
    progress = Progress(len(runs), live)

    def finished(run: Run, result: Dict[str, Any]) -> None:
        wrong = failures(result)
        progress.finished(run, not wrong)
        print(report.random_row(result, not wrong, "%s: %s" % (run.label, run.about)))
        for line in wrong + report.trouble_lines(result):
            print("     " + line.strip())
        if wrong:
            print("     again: " + repeat_command(run, options, lifetime))
        sys.stdout.flush()

    results = Campaign(
        options.jobs, live, progress.started, progress.moved, finished).play(runs)
    passed = sum(not failures(result) for result in results)
    print("\nPassed %d out of %d random configs" % (passed, len(results)))
    command_options.tell_sharing(options.jobs)
    command_options.write_json(options.json, results)
    return EXIT_PASSED if passed == len(results) else EXIT_FAILED
