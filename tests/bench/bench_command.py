"""`run.py bench`: measures ours beside Redis and etcd and prints one table."""

import argparse
import os
import resource
import shutil
import tempfile
from typing import Any, Callable, List

from simulator import build
from simulator.command_options import (
    EXIT_FAILED, EXIT_PASSED, BuildFailed, Parser, UsageError, at_least, writable,
)

from . import build_size, compare, entrants, limited, loads, scaling
from .progress import Progress
from .report import comparison, documents, picture, targets
from .report.table import Table
from .results import Results

DIRECTORY = os.path.join("data", "bench")
SMALL_BYTES = 64 << 20

DESCRIPTION = """\
Gives the same load to three durable nodes of ours, to Redis with and without durability, and to
three nodes of etcd, in interleaved rounds, and prints one table. What is missing of them is
installed (apt-get, as root) or left out. Takes about a quarter of an hour; --quick a minute or two.

SECTION is compare (the default); small: the same on one core, with 64 MiB of memory a server; or
scaling: what an operation of ours costs with more keys, connections, bytes and nodes.
"""

EPILOG = """\
What follows a -- is given to each 'quorate serve', like: ./run.py bench -- --placement fused

exit status: 0 measured, 1 something could not be measured or --gate found a limit that is not
kept, 64 wrong usage. All servers are ended in every case.
"""


def parser() -> Parser:
    made = Parser(prog="run.py bench", description=DESCRIPTION, epilog=EPILOG,
                  formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("section", metavar="SECTION", nargs="?", default="compare",
                      choices=("compare", "small", "scaling"),
                      help="compare, small or scaling (default compare)")
    made.add_argument("--quick", action="store_true",
                      help="%d rounds of %.1f s, without Unix sockets" % (
                          compare.QUICK.rounds, compare.QUICK.seconds))
    made.add_argument("--rounds", metavar="N", type=at_least(1), default=None,
                      help="rounds (default %d)" % compare.FULL.rounds)
    made.add_argument("--seconds", metavar="S", type=float, default=None,
                      help="how long each cell is measured in a round (default %.0f)" %
                      compare.FULL.seconds)
    made.add_argument("--only", metavar="NAME", action="append", default=[],
                      help="measure only this load (%s) or system (%s); may be repeated" % (
                          ", ".join(loads.BY_NAME), ", ".join(entrants.BY_NAME)))
    made.add_argument("--against", metavar="PROGRAM", default=None,
                      help="another build of quorate, measured beside this one")
    made.add_argument("--dir", metavar="DIR", default=DIRECTORY,
                      help="where the servers' directories are made and removed (default: %s)" %
                      DIRECTORY)
    made.add_argument("--json", metavar="FILE", type=writable, default=None,
                      help="write the results to FILE as JSON")
    made.add_argument("--picture", metavar="FILE", type=writable, default=None,
                      help="draw the results into FILE as SVG")
    made.add_argument("--from", metavar="FILE", dest="source", default=None,
                      help="measure nothing, show what was written to FILE by --json")
    made.add_argument("--gate", action="store_true",
                      help="hold the results against our limits; exit status 1 if one is not kept")
    made.add_argument("--write-docs", action="store_true",
                      help="put tables and picture into docs/benchmarks.md")
    return made


def parse(arguments: List[str]) -> argparse.Namespace:
    """The options, with those for our nodes as `options`."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    found = parser().parse_args(arguments[:split])
    found.options = arguments[split + 1:]
    for name in found.only:
        if name not in loads.BY_NAME and name not in entrants.BY_NAME:
            raise UsageError("--only: is %s, must be a load (%s) or a system (%s)" % (
                name, ", ".join(loads.BY_NAME), ", ".join(entrants.BY_NAME)))
    if found.seconds is not None and not 0.05 <= found.seconds <= 60:
        raise UsageError("--seconds: is %g, must be from 0.05 to 60" % found.seconds)
    if found.against is not None:
        found.against = os.path.abspath(found.against)
        if not os.access(found.against, os.X_OK):
            raise UsageError("--against: is %s, must be an executable file" % found.against)
    if found.section == "scaling" and (found.source or found.json or found.picture or found.only):
        raise UsageError("scaling takes no --from, --json, --picture and --only")
    return found


def at_home(options: argparse.Namespace, work: Callable[[str, Progress], Any]) -> Any:
    """Does the work in a directory of its own, which is removed in the end."""
    if build.build_if_needed() != 0:
        raise BuildFailed()
    # A thousand connections need as many open files, in what we start as well.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    progress = Progress()
    os.makedirs(options.dir, exist_ok=True)
    home = os.path.abspath(tempfile.mkdtemp(prefix="run-", dir=options.dir))
    try:
        return work(home, progress)
    finally:
        progress.clear()
        shutil.rmtree(home, ignore_errors=True)


def read(path: str) -> Results:
    try:
        return Results.read(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError("--from: %s cannot be used (%s)" % (path, error)) from error


def markdown(tables: List[Table], notes: List[str]) -> str:
    """Notes, each a paragraph, then the tables."""
    return "\n\n".join([*notes, *(table.markdown() for table in tables)])


def save(results: Results, options: argparse.Namespace) -> None:
    """Writes the files that were asked for."""
    if options.json is not None:
        results.write(options.json)
    if options.picture is not None:
        picture.write(options.picture, results)


def run_compare(options: argparse.Namespace) -> bool:
    """The whole comparison; whether all of it was measured and, with --gate, no limit missed."""
    results = read(options.source) if options.source is not None else at_home(
        options, lambda home, progress: compare.measure(options, home, progress))
    tables, notes = comparison.tables(results), comparison.notes(results)
    judged, missed = targets.judge(results)
    for table in tables:
        print("\n%s" % table.text())
    print("\n" + "\n".join(notes))
    save(results, options)
    if options.gate:
        print("\n%s" % judged.text())
    if options.write_docs:
        documents.put("comparison", markdown(tables, notes))
        documents.put("limits", judged.markdown())
        picture.write(documents.PICTURE, results)
    return not results.failures() and not (options.gate and missed)


def run_small(options: argparse.Namespace) -> bool:
    """The comparison on one core with little memory. That others do not fit in is a result too."""
    def work(home: str, progress: Progress) -> "tuple[Results, str]":
        core = limited.to_one_core()
        with limited.MemoryLimit(SMALL_BYTES, home) as limit:
            results = compare.measure(options, home, progress, limit.wrap)
            return results, "Everything on core %d, with %s." % (core, limit.how)

    if options.source is not None:
        results, how = read(options.source), "Limited as it was then."
    else:
        results, how = at_home(options, work)
    tables, notes = comparison.tables(results), [how, *comparison.notes(results)]
    tables.append(build_size.table(results.binary))
    for table in tables:
        print("\n%s" % table.text())
    print("\n" + "\n".join(notes))
    save(results, options)
    if options.write_docs:
        documents.put("small", markdown(tables, notes))
    return not [name for name in results.failures() if name.startswith("quorate")]


def run_scaling(options: argparse.Namespace) -> bool:
    """All dimensions, one after the other; whether no step costs too much."""
    def work(home: str, progress: Progress) -> "tuple[List[Table], List[str]]":
        tables, found = [], []
        for dimension in scaling.dimensions(options.quick):
            progress.say("scaling: %s" % dimension.name)
            results = scaling.run(build.BINARY, dimension, compare.pace_of(options), home,
                                  options.options, progress)
            table, too_much = scaling.show(dimension, results)
            tables.append(table)
            found += ["%s: %s" % (dimension.name, what) for what in too_much]
        return tables, found

    tables, too_much = at_home(options, work)
    for table in tables:
        print("\n%s" % table.text())
    notes = too_much or ["No step costs more than it may."]
    print("\n" + "\n".join(notes))
    if options.write_docs:
        documents.put("scaling", markdown(tables, ["* " + note for note in notes]))
    return not (options.gate and too_much)


def main(arguments: List[str]) -> int:
    options = parse(arguments)
    sections = {"compare": run_compare, "small": run_small, "scaling": run_scaling}
    return EXIT_PASSED if sections[options.section](options) else EXIT_FAILED
