"""What all runs came to together."""

from typing import Any, Dict, List

SUMMED = ("seeds", "repeated", "events", "virtual_us", "committed")


class Totals:
    """Sums over shares, and what went wrong in them."""

    def __init__(self) -> None:
        self.sums = dict.fromkeys(SUMMED, 0)
        self.recovery_max_us = 0
        self.sometimes: Dict[str, int] = {}
        self.failures: List[Dict[str, Any]] = []

    def add(self, report: Dict[str, Any]) -> None:
        for name in SUMMED:
            self.sums[name] += report.get(name, 0)
        self.recovery_max_us = max(self.recovery_max_us, report.get("recovery_max_us", 0))
        for name, count in report.get("sometimes", {}).items():
            self.sometimes[name] = self.sometimes.get(name, 0) + count
        if report.get("failure"):
            self.failures.append(report["failure"])

    def hours(self) -> float:
        return self.sums["virtual_us"] / 3.6e9

    def speed(self, seconds: float) -> float:
        """How many times faster than real time."""
        return self.sums["virtual_us"] / 1e6 / max(seconds, 1e-6)

    def never(self) -> List[str]:
        """Situations that no run has met."""
        return [name for name, count in self.sometimes.items() if count == 0]

    def line(self, seconds: float) -> str:
        """The progress, in one line."""
        return "%d seeds, %.1f cluster-hours, %.0f times real time, %d failures, %.0f s" % (
            self.sums["seeds"], self.hours(), self.speed(seconds), len(self.failures), seconds)

    def table(self, seconds: float, jobs: int) -> str:
        """The summary."""
        sums = self.sums
        asked = self.sometimes.get("requests made", 0)
        answered = self.sometimes.get("requests answered", 0)
        rows = [
            ("seeds", sums["seeds"], "%d failed" % len(self.failures)),
            ("run twice", sums["repeated"],
             "every hundredth; equal traces unless it says so above"),
            ("cluster time", "%.1f h" % self.hours(),
             "%.0f times real time, %d processes, %.0f s" % (self.speed(seconds), jobs, seconds)),
            ("events", sums["events"], "%.0f a second" % (sums["events"] / max(seconds, 1e-6))),
            ("client operations", asked, "checked; %d answered" % answered),
            ("entries committed", sums["committed"], ""),
            ("longest recovery", "%.2f s" % (self.recovery_max_us / 1e6),
             "from the last fault to the last answer"),
        ]
        lines = [("%-20s%14s   %s" % row).rstrip() for row in rows]
        lines.append("")
        lines += ["%14d  %s" % (count, name) for name, count in self.sometimes.items()]
        if self.sometimes:
            never = self.never()
            lines.append("")
            lines.append("never met: %s" % (
                ", ".join(never) if never else "nothing; every situation was"))
        return "\n".join(lines)
