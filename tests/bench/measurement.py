"""Figures over rounds: medians, and how far the rounds were apart."""

from dataclasses import dataclass, fields
from typing import Any, Dict, List, Optional, Sequence


def median(numbers: Sequence[float]) -> float:
    """The middle one, or the mean of the two in the middle."""
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2.0


def _rounded(number: Optional[float]) -> Optional[float]:
    return None if number is None else round(number, 4)


@dataclass(frozen=True)
class Sample:
    """One round of one cell. Latencies are in milliseconds, CPU in seconds per million requests
    over all server processes, `written` in bytes per request, on the disk."""

    rate: float
    p50: float
    p99: float
    p999: float
    cpu: float
    written: Optional[float]


class Measurement:
    """All rounds of one cell, and what was counted once."""

    def __init__(self) -> None:
        self.samples: List[Sample] = []
        self.syncs: Optional[float] = None
        self.failure: Optional[str] = None

    def __bool__(self) -> bool:
        return bool(self.samples)

    def median(self, figure: str) -> Optional[float]:
        """None for a figure that cannot be had on this machine."""
        found = self._all(figure)
        return median(found) if found else None

    def spread(self, figure: str) -> "tuple[float, float]":
        """The least and the most."""
        found = self._all(figure)
        return min(found), max(found)

    def _all(self, figure: str) -> List[float]:
        found = [getattr(sample, figure) for sample in self.samples]
        return [number for number in found if number is not None]

    def as_json(self) -> Dict[str, Any]:
        names = [field.name for field in fields(Sample)]
        found: Dict[str, Any] = {
            "rounds": [{name: _rounded(getattr(sample, name)) for name in names}
                       for sample in self.samples]}
        if self.samples:
            found["median"] = {name: _rounded(self.median(name)) for name in names}
        if self.syncs is not None:
            found["syncs_per_request"] = round(self.syncs, 5)
        if self.failure is not None:
            found["failure"] = self.failure
        return found

    @classmethod
    def from_json(cls, found: Dict[str, Any]) -> "Measurement":
        made = cls()
        made.samples = [Sample(**sample) for sample in found["rounds"]]
        made.syncs = found.get("syncs_per_request")
        made.failure = found.get("failure")
        return made
