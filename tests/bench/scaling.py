"""`run.py bench scaling`: whether an operation costs the same when there is more of everything.

One dimension at a time: keys, connections, bytes of a value, nodes. Each step of a dimension has a
cluster of its own (but for connections, which need none), all of them are up, and rounds go through
the steps in turn. What counts is CPU time over all nodes, which other work on the machine disturbs
least; it may grow by 15 % from the first step to any other.
"""

import contextlib
import os
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Sequence, Tuple

from . import rounds
from .compare import prepare_generator
from .entrants import Cell, Entrant
from .loads import SET_64, Load
from .progress import Progress
from .report.table import Table, figure, mebibytes, milliseconds, rate
from .results import Results
from .systems.quorate import NODES, Quorate
from .systems.system import System

KEY_BYTES = 16
GROWTH_MAX = 1.15
FIVE_NODES_MAX = 1.8

# What one step costs: from CPU seconds per million operations to what is compared.
Cost = Callable[[float, Load], float]


def per_operation(cpu: float, _: Load) -> float:
    return cpu


def per_byte(cpu: float, load: Load) -> float:
    """Per million kibibytes of keys and values."""
    return cpu * 1024.0 / (KEY_BYTES + load.value_bytes)


@dataclass(frozen=True)
class Step:
    """`system` names the cluster that is asked; steps may share one."""

    title: str
    load: Load
    system: str
    nodes: int = NODES

    @property
    def cell(self) -> Cell:
        return self.load, Entrant(self.system, self.title, self.system)


@dataclass(frozen=True)
class Dimension:
    """Steps whose costs are held against that of the first."""

    name: str
    steps: Tuple[Step, ...]
    cost: Cost = per_operation
    growth_max: float = GROWTH_MAX


def _step(title: str, system: str, nodes: int = NODES, **changes: int) -> Step:
    name = "-".join([SET_64.name, *("%s-%d" % change for change in changes.items())])
    return Step(title, replace(SET_64, name=name, **changes), system, nodes)


def dimensions(is_quick: bool) -> Sequence[Dimension]:
    """All of them; a quick run has fewer keys."""
    keys = (10_000, 100_000, 1_000_000) if is_quick else (10_000, 100_000, 1_000_000, 5_000_000)
    return (
        Dimension("keys", tuple(
            _step("{:,} keys".format(count), "keys-%d" % count, keys=count) for count in keys)),
        Dimension("connections", tuple(
            _step("%d connections" % count, "connections", connections=count, pipeline=16)
            for count in (10, 50, 200, 1_000))),
        Dimension("values", tuple(
            _step("%d bytes" % count, "values-%d" % count, value_bytes=count, keys=20_000)
            for count in (16, 256, 1_024, 4_096)), per_byte),
        Dimension("nodes", (_step("3 nodes", "nodes-3"), _step("5 nodes", "nodes-5", nodes=5)),
                  growth_max=FIVE_NODES_MAX),
    )


def run(program: str, dimension: Dimension, pace: rounds.Pace, home: str, options: List[str],
        progress: Progress) -> Results:
    """Starts the clusters of a dimension, measures, and ends them."""
    results, clusters = Results(), {step.system: step.nodes for step in dimension.steps}
    prepare_generator(results)
    with contextlib.ExitStack() as stack:
        systems: List[System] = [
            Quorate(os.path.join(home, name), program, name, options, nodes)
            for name, nodes in clusters.items()]
        started: Dict[str, System] = rounds.start(systems, results, progress, stack)
        cells = [step.cell for step in dimension.steps if step.system in started]
        rounds.Rounds(started, cells, pace, results, progress, home).run()
    return results


def show(dimension: Dimension, results: Results) -> "tuple[Table, List[str]]":
    """A row for each step, and the steps that cost too much or could not be measured."""
    table = Table(dimension.name, "per second", "p99 ms", "CPU s/M", "cost beside the first",
                  "allowed", "MiB a node")
    first, too_much = None, []
    for step in dimension.steps:
        cell = results.cells.get((step.load.name, step.system))
        if not cell:
            table.add(step.title, "failed", *["-"] * 5)
            too_much.append("%s: not measured" % step.title)
            continue
        cpu = cell.median("cpu")
        cost = dimension.cost(cpu, step.load)
        first = cost if first is None else first
        if cost > dimension.growth_max * first:
            too_much.append("%s: costs %.2f times the first" % (step.title, cost / first))
        memory = results.footprints[step.system].loaded_bytes
        table.add(step.title, rate(cell.median("rate")), milliseconds(cell.median("p99")),
                  figure(cpu), figure(cost / first), "%.2f" % dimension.growth_max,
                  mebibytes(max(memory)))
    return table, too_much
