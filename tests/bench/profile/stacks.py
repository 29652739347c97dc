"""Samples of call stacks, from the text of `perf script`: how often each stack was seen where."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Dict, Iterable, Iterator, List, Optional, Tuple

# From the outermost function to the innermost.
Stack = Tuple[str, ...]
# `name  12/34  100:` where 12 is the process and 34 the thread; a name may hold blanks.
HEAD = re.compile(r"^(\S.*?)\s+(\d+)/(\d+)\s+(\d+):?\s*$")
FRAME = re.compile(r"^\s+([0-9a-f]+) (.*)$")
# Where kernels are on 64-bit machines, and how their functions are marked.
KERNEL_ADDRESS, KERNEL = "ffff", " [k]"
# What compilers append to names that are no longer unique.
HASH = re.compile(r"::h[0-9a-f]{16}$|\.llvm\.\d+$")
UNKNOWN = "[unknown]"


@dataclass(frozen=True)
class Thread:
    """A thread of a process, by the name that it has given itself."""

    process: int
    name: str


def read(lines: Iterable[str]) -> Dict[Thread, Counter]:
    """All samples by thread: how much time each stack has, in the unit of the samples' periods."""
    found: Dict[Thread, Counter] = {}
    for thread, weight, frames in _samples(lines):
        found.setdefault(thread, Counter())[tuple(reversed(frames))] += weight
    return found


def _samples(lines: Iterable[str]) -> Iterator[Tuple[Thread, int, List[str]]]:
    thread: Optional[Thread] = None
    weight, frames = 0, []
    for line in lines:
        head, frame = HEAD.match(line), FRAME.match(line)
        if head is not None:
            thread = Thread(int(head.group(2)), head.group(1))
            weight, frames = int(head.group(4)), []
        elif frame is not None:
            address, name = frame.groups()
            is_kernel = len(address) == 16 and address.startswith(KERNEL_ADDRESS)
            frames.append(short(name) + (KERNEL if is_kernel else ""))
        elif thread is not None:
            yield thread, weight, frames or [UNKNOWN]
            thread = None
    if thread is not None:
        yield thread, weight, frames or [UNKNOWN]


def short(name: str) -> str:
    """A function without what the compiler has added to its name."""
    name = HASH.sub("", HASH.sub("", name.strip()))
    return name or UNKNOWN


def together(stacks: Iterable[Counter]) -> Counter:
    """Threads that do the same in several processes, as one."""
    total: Counter = Counter()
    for counted in stacks:
        total.update(counted)
    return total


def self_time(stacks: Counter) -> Counter:
    """How much time each function had itself, without those that it called."""
    found: Counter = Counter()
    for stack, weight in stacks.items():
        found[stack[-1]] += weight
    return found


def total_time(stacks: Counter) -> Counter:
    """How much time each function had, with those that it called; recursion counts once."""
    found: Counter = Counter()
    for stack, weight in stacks.items():
        for name in set(stack):
            found[name] += weight
    return found


def folded(stacks: Counter) -> str:
    """The form that other tools read: a stack and its weight in each line."""
    return "".join("%s %d\n" % (";".join(name.replace(";", ":") for name in stack), weight)
                   for stack, weight in sorted(stacks.items()))
