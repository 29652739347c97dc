"""What came of the checks: a line for each client and check, over all doors."""

import time
from typing import Callable, Dict, List, Sequence, Tuple

from .door import Door

DETAIL_MAX = 300

# A check is told where to go; what is wrong it raises.
Check = Tuple[str, Callable[[Door], None]]


class Mismatch(Exception):
    """An answer that is not the right one."""


def expect(what: str, found: object, wanted: object) -> None:
    """Raises unless both are equal."""
    if found != wanted:
        raise Mismatch("%s: found %r, wanted %r" % (what, found, wanted))


def expect_true(what: str, holds: bool) -> None:
    if not holds:
        raise Mismatch(what)


class Results:
    """Collects outcomes and prints them, check by check."""

    def __init__(self, write: Callable[[str], None] = lambda line: print(line, flush=True)):
        self.passed = 0
        self.failed = 0
        self.skipped: List[str] = []
        self._write = write

    def skip(self, client: str, why: str) -> None:
        """A client that cannot be had here."""
        self.skipped.append(client)
        self._write("skip  %-16s %s" % (client, why))

    def check(self, client: str, name: str, doors: int, failures: Sequence[str],
              seconds: float) -> None:
        """One line for a check, and one for each door where it failed."""
        if failures:
            self.failed += 1
        else:
            self.passed += 1
        self._write("%-5s %-16s %-44s %d of %d doors, %.1f s" % (
            "FAIL" if failures else "ok", client, name, doors - len(failures), doors, seconds))
        for failure in failures:
            self._write("      " + failure[:DETAIL_MAX].replace("\n", " "))

    def run(self, client: str, doors: List[Door], checks: Sequence[Check]) -> None:
        """Runs checks of this process, each at every door."""
        for name, check in checks:
            began = time.monotonic()
            failures = []
            for door in doors:
                try:
                    check(door)
                except Exception as error:  # whatever a check meets is its outcome
                    failures.append("%s: %s: %s" % (door.name, type(error).__name__, error))
            self.check(client, name, len(doors), failures, time.monotonic() - began)

    def merge(self, client: str, outcomes: Dict[str, Dict[str, str]], seconds: float) -> None:
        """The outcomes of a program that was run at each door: door, then check, then why it
        failed or nothing. A check that was not run at every door has failed."""
        names: List[str] = []
        for checks in outcomes.values():
            names += [name for name in checks if name not in names]
        for name in names:
            failures = []
            for door, checks in outcomes.items():
                why = checks.get(name, "was not run")
                if why:
                    failures.append("%s: %s" % (door, why))
            self.check(client, name, len(outcomes), failures, seconds / max(1, len(names)))
        if not names:
            self.check(client, "runs", len(outcomes),
                       ["%s: no check was run" % door for door in outcomes], seconds)
