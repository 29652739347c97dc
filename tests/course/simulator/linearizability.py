"""Is a history of gets and puts linearizable? A search over the orders in which they may have run.

Keys are independent registers, so each is checked by itself. The search walks along the calls and
answers in the order of time and keeps every configuration that is still possible: the register's
value and which of the pending operations have taken effect. An operation is made to take effect as
late as possible, when its answer is due (Lowe's just-in-time linearization of Wing and Gong's
search); equal configurations are one, which is the memory that keeps the search small. If no
configuration survives an answer, that answer cannot be explained.

Two things are special to registers. A get changes nothing, so it takes effect the first time the
value fits. And a put whose outcome is unknown may take effect at any time after its call or never:
it stays pending for ever, and if nobody ever saw its value it can be left out altogether.

What is missing: nothing about several keys at once, and no explanation beyond the answer which
could not be placed.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Dict, Hashable, Iterable, List, Optional, Set, Tuple

NEVER = float("inf")

Configuration = Tuple[Hashable, int]


@dataclass(frozen=True)
class Access:
    """One get or put of one key. `answered` is NEVER where the outcome is unknown.

    `value` is what a put wrote or what a get was shown.
    """

    kind: str
    value: Hashable
    invoked: float
    answered: float = NEVER
    label: str = ""


class _Pending:
    """The operations called and not yet answered, each with a bit of its own."""

    def __init__(self) -> None:
        self.puts: Dict[int, Hashable] = {}
        self.gets: Dict[int, Hashable] = {}
        self.unknown = 0
        self._free: List[int] = []
        self._next = 1

    def add(self, access: Access) -> int:
        bit = self._free.pop() if self._free else self._next
        if bit == self._next:
            self._next <<= 1
        (self.gets if access.kind == "get" else self.puts)[bit] = access.value
        if access.answered == NEVER:
            self.unknown |= bit
        return bit

    def remove(self, bit: int) -> None:
        self.gets.pop(bit, None)
        self.puts.pop(bit, None)
        self._free.append(bit)

    def absorb(self, configuration: Configuration) -> Configuration:
        """Lets every pending get take effect that fits the value."""
        value, done = configuration
        for bit, shown in self.gets.items():
            if shown == value:
                done |= bit
        return value, done


def _advance(configurations: Set[Configuration], bit: int, pending: _Pending) -> Set[Configuration]:
    """Every way to have the operation `bit` done by now, pending puts before it included."""
    stack = list(configurations)
    seen = set(stack)
    reached = set()
    while stack:
        value, done = configuration = stack.pop()
        if done & bit:
            reached.add((value, done & ~bit))
            continue
        for put, written in pending.puts.items():
            if not done & put:
                following = pending.absorb((written, done | put))
                if following not in seen:
                    seen.add(following)
                    stack.append(following)
    return reached


def _without_needless(configurations: Set[Configuration], unknown: int) -> Set[Configuration]:
    """Drops what has used more puts of unknown outcome than another that is otherwise equal."""
    groups = defaultdict(list)
    for value, done in configurations:
        groups[(value, done & ~unknown)].append(done & unknown)
    kept = set()
    for (value, known), uses in groups.items():
        uses.sort(key=lambda used: bin(used).count("1"))
        least: List[int] = []
        for used in uses:
            if not any(fewer & used == fewer for fewer in least):
                least.append(used)
        kept.update((value, known | used) for used in least)
    return kept


def _relevant(accesses: Iterable[Access]) -> List[Access]:
    """Leaves out what cannot be contradicted: unknown gets, and unknown puts that nobody saw."""
    accesses = list(accesses)
    shown = {access.value for access in accesses if access.kind == "get"}
    return [
        access for access in accesses
        if access.answered != NEVER or (access.kind == "put" and access.value in shown)
    ]


def check_register(accesses: Iterable[Access], initial: Hashable = "") -> Optional[Access]:
    """None if the history of one key is linearizable, else the answer that cannot be explained."""
    moments = []
    for place, access in enumerate(_relevant(accesses)):
        moments.append((access.invoked, 0, place, access))
        if access.answered != NEVER:
            moments.append((access.answered, 1, place, access))
    moments.sort(key=lambda moment: moment[:3])
    pending = _Pending()
    bits: Dict[int, int] = {}
    configurations = {(initial, 0)}
    for _, is_answer, place, access in moments:
        if not is_answer:
            bits[place] = pending.add(access)
            if access.kind == "get":
                configurations = {pending.absorb(one) for one in configurations}
            continue
        configurations = _advance(configurations, bits[place], pending)
        pending.remove(bits.pop(place))
        if not configurations:
            return access
        if pending.unknown:
            configurations = _without_needless(configurations, pending.unknown)
    return None


def check_history(histories: Dict[str, List[Access]]) -> Optional[Tuple[str, Access]]:
    """Checks every key; the first key that fails, with its answer, or None."""
    for key, accesses in histories.items():
        culprit = check_register(accesses)
        if culprit is not None:
            return key, culprit
    return None
