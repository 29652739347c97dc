"""The profile as text: who used the CPU, and in which functions."""

from collections import Counter
from typing import Dict, List

from .stacks import self_time, total_time

TOP = 15
NAME_MAX = 90


def summary(threads: Dict[str, Counter], seconds: float) -> str:
    """A line for each thread, then for each of them its functions by the time of their own.

    The weights are nanoseconds of CPU time, as sampled.
    """
    whole = sum(sum(stacks.values()) for stacks in threads.values()) or 1
    order = sorted(threads, key=lambda name: -sum(threads[name].values()))
    lines = ["%-24s %9s %14s" % ("thread", "of all", "of one core")]
    for name in order:
        weight = sum(threads[name].values())
        lines.append("%-24s %7.1f %% %12.1f %%" % (
            name, 100.0 * weight / whole, 100.0 * weight / (1e9 * seconds)))
    for name in order:
        lines += ["", *_functions(name, threads[name])]
    return "\n".join(lines)


def _functions(title: str, stacks: Counter) -> List[str]:
    whole = sum(stacks.values()) or 1
    total = total_time(stacks)
    lines = ["%s: %8s %8s" % (title, "self", "total")]
    for name, weight in self_time(stacks).most_common(TOP):
        lines.append("  %6.1f %% %6.1f %%  %s" % (
            100.0 * weight / whole, 100.0 * total[name] / whole, name[:NAME_MAX]))
    return lines
