"""The tables of a comparison: what each load cost whom, and what each system takes anyway."""

from typing import List, Optional

from .. import open_loop
from ..bare_disk import RECORD_BYTES
from ..entrants import BY_NAME, OURS
from ..loads import LOADS, Load
from ..measurement import median
from ..results import Results
from .table import Table, figure, mebibytes, milliseconds, rate, ratio

REASON_MAX = 150
# The share of the cores from which on, used by others before, a machine was not quiet.
BUSY_MAX = 0.1


def loads(results: Results) -> Table:
    """A block for each load, a row for each entrant; ratios are of rates, and of the p50 where it
    is the latency that counts."""
    table = Table("load and system", "per second", "least to most", "ours is", "p50 ms", "p99 ms",
                  "p99.9 ms", "CPU s/M", "bytes", "syncs")
    for load in LOADS:
        rows = [name for wanted, name in results.cells if wanted == load.name]
        if not rows:
            continue
        table.heading(load.title + (" (ratios of p50)" if load.is_alone else ""))
        for name in sorted(rows, key=list(BY_NAME).index):
            table.add(*_row(results, load, name))
    return table


def _row(results: Results, load: Load, name: str) -> List[str]:
    cell, title = results.cells[load.name, name], BY_NAME[name].title
    if not cell:
        return [title, "failed"] + ["-"] * 8
    least, most = cell.spread("rate")
    compared = "p50" if load.is_alone else "rate"
    ours = results.median(load.name, OURS.name, compared)
    return [
        title, rate(cell.median("rate")), "%s to %s" % (rate(least), rate(most)),
        ratio(ours, cell.median(compared)), milliseconds(cell.median("p50")),
        milliseconds(cell.median("p99")), milliseconds(cell.median("p999")),
        figure(cell.median("cpu")), figure(cell.median("written"), 0), _syncs(cell.syncs)]


def _syncs(count: Optional[float]) -> str:
    return "-" if count is None else "%.3f" % count


def open_loops(results: Results) -> Table:
    """Latency at 70 % of the best rate of each system."""
    table = Table("open loop, SET", "best per second", "asked", "answered", "p50 ms", "p99 ms",
                  "p99.9 ms", "lost")
    for name in results.open_loop:
        entrant = BY_NAME[name]
        best, answered, p50, p99, p999, lost = (
            open_loop.figure(results, entrant, figure_name)
            for figure_name in ("best", "rate", "p50", "p99", "p999", "lost"))
        asked = None if best is None else open_loop.SHARE * best
        table.add(entrant.title, rate(best), rate(asked), rate(answered), milliseconds(p50),
                  milliseconds(p99), milliseconds(p999), figure(lost, 0))
    return table


def systems(results: Results) -> Table:
    """Memory is that of the largest server of each system."""
    table = Table("system, memory in MiB", "idle", "100,000 keys", "after all loads", "peak",
                  "idle CPU %", "first start s", "start with data s", "its peak")
    for name, found in results.footprints.items():
        memory = [mebibytes(max(bytes_, default=None)) for bytes_ in (
            found.idle_bytes, found.loaded_bytes, found.after_bytes, found.peak_bytes,
            found.restart_peak_bytes)]
        table.add("%s (%s)" % (name, found.version), *memory[:4],
                  figure(found.idle_cpu_percent, 1), figure(found.start_seconds),
                  "failed" if found.restart_failure else figure(found.restart_seconds), memory[4])
    return table


def tables(results: Results) -> List[Table]:
    """Those that have rows."""
    made = [loads(results), open_loops(results), systems(results)]
    return [table for table in made if table.rows]


def notes(results: Results) -> List[str]:
    """What has to be known to read the tables."""
    machine, settings = results.machine, results.settings
    lines = [
        "%s, cores: %s, %s; medians of %s interleaved rounds of %s s; others used %.0f %% before."
        % (machine["cpu"], machine["cores"], machine["kernel"], settings["rounds"],
           settings["seconds"], 100.0 * machine["busy_before"])]
    if machine["busy_before"] > BUSY_MAX:
        lines.append("Something else kept the machine busy: these figures are not good for much.")
    bare = results.bare_disk_p50()
    if bare is not None:
        lines.append("A bare write of %d bytes and fdatasync on the same disk: p50 %.3f ms, and"
                     " %.3f ms while three do so at the same time, as three nodes on one disk." % (
                         RECORD_BYTES, bare, median(results.bare_disk_three)))
    if results.binary:
        lines.append("The program, stripped: %s MiB." % mebibytes(results.binary["stripped"]))
    lines += ["Left out: %s" % _in_short(what) for what in results.left_out]
    lines += ["Failed: %s" % _in_short(what) for what in results.failures()]
    return lines


def _in_short(why: str) -> str:
    """What was told at length when it happened."""
    return why.splitlines()[0].partition(";")[0][:REASON_MAX]
