"""`run.py sim`: many seeds of the simulator on all cores, for a time or a number."""

import argparse
import os
import subprocess
import sys
import time
from typing import Any, Callable, Dict, Iterator, List, Optional

from simulator import build, command_options
from simulator.command_options import (
    EXIT_FAILED, EXIT_PASSED, BuildFailed, Parser, UsageError, at_least,
)

from . import failures
from .share import Share, Worker
from .totals import Totals

DESCRIPTION = """\
Runs seeds of 'quorate sim' on all cores. Seeds that have failed before are run first. Every failure
is added to a file, with the command that shows it again; every hundredth seed is run twice.
"""

EPILOG = """\
What follows a -- is given to each 'quorate sim', like: ./run.py sim -- --nodes 5 --faults crash

exit status: 0 every seed is clean, 1 a promise was broken, 64 wrong usage
"""

# Seeds in a share: enough that a process's start costs nothing, few enough to end in time.
SHARE = 100
PAUSE = 0.02


def parser() -> Parser:
    made = Parser(prog="run.py sim", description=DESCRIPTION, epilog=EPILOG,
                  formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--minutes", metavar="M", type=float, default=None,
                      help="for so long (default: 1, unless --seeds says how many)")
    made.add_argument("--seeds", metavar="N", type=at_least(1), default=None,
                      help="so many seeds (default: as many as there is time for)")
    made.add_argument("--first", metavar="S", type=at_least(0), default=None,
                      help="the first of them (default: drawn, and told)")
    made.add_argument("--jobs", metavar="N", type=at_least(1), default=os.cpu_count() or 1,
                      help="processes at a time (default: one for each core)")
    made.add_argument("--failures", metavar="FILE", default=None,
                      help="where failures are kept (default: %s)" % failures.DEFAULT)
    made.add_argument("--json", metavar="FILE", type=command_options.writable, default=None,
                      help="write the sums to FILE as JSON")
    made.add_argument("options", nargs="*", metavar="OPTION", help=argparse.SUPPRESS)
    return made


def shares(first: int, seeds: Optional[int], options: List[str]) -> Iterator[Share]:
    """Shares without end, or as many as the seeds make."""
    done = 0
    while seeds is None or done < seeds:
        count = SHARE if seeds is None else min(SHARE, seeds - done)
        yield Share(first + done, count, options)
        done += count


def version() -> str:
    """The commit that is checked out, marked if something has changed since."""
    try:
        out = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=build.REPOSITORY,
                             capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return out.stdout.strip()


class Pool:
    """Processes side by side, each with a share; a new one as soon as one is done."""

    def __init__(self, program: str, jobs: int, until: Optional[float],
                 finished: Callable[[Share, Dict[str, Any]], None], ticked: Callable[[], None]):
        self.program, self.jobs, self.until = program, jobs, until
        self.finished, self.ticked = finished, ticked
        self.workers: List[Worker] = []

    def run(self, work: Iterator[Share]) -> None:
        """Runs the shares until there are no more, or the time is over."""
        waiting: List[Share] = []
        more = True
        try:
            while more or self.workers:
                more = more and not self.is_over()
                while more and len(self.workers) < self.jobs:
                    share = waiting.pop() if waiting else next(work, None)
                    if share is None:
                        more = False
                    else:
                        self.workers.append(Worker(self.program, share))
                waiting += self.collect()
                more = more or bool(waiting and not self.is_over())
                self.ticked()
                time.sleep(PAUSE)
        finally:
            for worker in self.workers:
                worker.stop()

    def is_over(self) -> bool:
        return self.until is not None and time.monotonic() >= self.until

    def collect(self) -> List[Share]:
        """Takes the reports of those that are done; answers what they have left over."""
        left = []
        for worker in [worker for worker in self.workers if worker.is_done()]:
            self.workers.remove(worker)
            report = worker.report()
            self.finished(worker.share, report)
            failure = report.get("failure")
            rest = worker.share.rest_after(failure["seed"]) if failure else None
            left += [rest] if rest else []
        return left


class Session:
    """One call of the command."""

    def __init__(self, options: argparse.Namespace):
        self.path = options.failures or os.path.join(build.REPOSITORY, failures.DEFAULT)
        self.totals = Totals()
        self.version = version()
        self.began = time.monotonic()
        self.is_live = sys.stderr.isatty()
        self.shown = 0.0

    def seconds(self) -> float:
        return time.monotonic() - self.began

    def tick(self) -> None:
        """The progress line, for people, twice a second."""
        if self.is_live and self.seconds() >= self.shown + 0.5:
            self.shown = self.seconds()
            print("\r\x1b[K" + self.totals.line(self.shown), end="", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        if self.is_live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        print(text, flush=True)

    def finished(self, share: Share, report: Dict[str, Any]) -> None:
        self.totals.add(report)
        failure = report.get("failure")
        if failure:
            kept = {name: failure[name] for name in ("seed", "id", "detail", "command")}
            is_new = failures.add(self.path, dict(kept, version=self.version))
            self.say("%s: seed %d breaks %s: %s\n    %s\n    %s" % (
                "new failure" if is_new else "still fails", failure["seed"], failure["id"],
                failure["sentence"], failure["detail"], failure["command"]))
        elif share.is_earlier:
            self.say("passes now: quorate sim --seed %d %s" % (
                share.first, " ".join(share.options)))


def main(arguments: List[str]) -> int:
    options = parser().parse_args(arguments)
    if options.minutes is not None and not options.minutes > 0:
        raise UsageError("--minutes: must be more than 0")
    if build.build_if_needed() != 0:
        raise BuildFailed()
    session = Session(options)
    try:
        known = failures.read(session.path)
    except failures.FailuresError as error:
        raise UsageError("--failures: %s" % error) from error
    first = command_options.new_seed() if options.first is None else options.first
    minutes = 1.0 if options.minutes is None and options.seeds is None else options.minutes
    until = None if minutes is None else session.began + 60 * minutes
    earlier = [Share(failure["seed"], 1, failures.options_of(failure), True) for failure in known]
    if earlier:
        print("%d earlier failures first" % len(earlier), flush=True)
    Pool(build.BINARY, options.jobs, None, session.finished, session.tick).run(iter(earlier))
    print("seeds from %d on, version %s" % (first, session.version), flush=True)
    Pool(build.BINARY, options.jobs, until, session.finished, session.tick).run(
        shares(first, options.seeds, options.options))
    seconds = session.seconds()
    session.say("\n" + session.totals.table(seconds, options.jobs))
    if session.totals.failures:
        print("\n%d failures, kept in %s" % (
            len(session.totals.failures), os.path.relpath(session.path)))
    command_options.write_json(options.json, dict(
        session.totals.sums, seconds=seconds, sometimes=session.totals.sometimes,
        failures=session.totals.failures))
    return EXIT_FAILED if session.totals.failures else EXIT_PASSED
