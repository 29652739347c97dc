"""All that a run has found; it is written as JSON and read back to be shown again."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from .measurement import Measurement, median

FORMAT = 2


@dataclass
class Footprint:
    """What a system takes beside the time for requests; memory is that of each server."""

    version: str = ""
    start_seconds: float = 0.0
    idle_bytes: List[int] = field(default_factory=list)
    idle_cpu_percent: float = 0.0
    loaded_bytes: List[int] = field(default_factory=list)
    after_bytes: List[int] = field(default_factory=list)
    peak_bytes: List[int] = field(default_factory=list)
    restart_seconds: Optional[float] = None
    restart_peak_bytes: List[int] = field(default_factory=list)
    restart_failure: Optional[str] = None


@dataclass
class Results:
    """Cells are named by load and entrant."""

    machine: Dict[str, Any] = field(default_factory=dict)
    settings: Dict[str, Any] = field(default_factory=dict)
    left_out: List[str] = field(default_factory=list)
    cells: Dict[Tuple[str, str], Measurement] = field(default_factory=dict)
    footprints: Dict[str, Footprint] = field(default_factory=dict)
    bare_disk: List[float] = field(default_factory=list)
    bare_disk_three: List[float] = field(default_factory=list)
    binary: Dict[str, int] = field(default_factory=dict)
    open_loop: Dict[str, List[Dict[str, float]]] = field(default_factory=dict)

    def median(self, load: str, entrant: str, figure: str) -> Optional[float]:
        """None for a cell that was not measured."""
        cell = self.cells.get((load, entrant))
        return cell.median(figure) if cell else None

    def bare_disk_p50(self) -> Optional[float]:
        return median(self.bare_disk) if self.bare_disk else None

    def failures(self) -> List[str]:
        """What could not be measured and why; cells that failed for one reason are told once."""
        reasons: Dict[Tuple[str, str], List[str]] = {}
        for (load, entrant), cell in self.cells.items():
            if cell.failure is not None:
                reasons.setdefault((entrant, cell.failure), []).append(load)
        found = ["%s, %s: %s" % (entrant, " ".join(loads), why)
                 for (entrant, why), loads in reasons.items()]
        return found + ["%s, start with data: %s" % (name, found.restart_failure)
                        for name, found in self.footprints.items() if found.restart_failure]

    def write(self, path: str) -> None:
        found = {
            "format": FORMAT, "machine": self.machine, "settings": self.settings,
            "left_out": self.left_out,
            "cells": [{"load": load, "entrant": entrant, **cell.as_json()}
                      for (load, entrant), cell in self.cells.items()],
            "systems": {name: asdict(print_) for name, print_ in self.footprints.items()},
            "bare_disk_p50": [round(found, 4) for found in self.bare_disk],
            "bare_disk_three_p50": [round(found, 4) for found in self.bare_disk_three],
            "binary": self.binary,
            "open_loop": self.open_loop,
        }
        with open(path, "w", encoding="utf-8") as target:
            json.dump(found, target, indent=1)
            target.write("\n")

    @classmethod
    def read(cls, path: str) -> "Results":
        """Raises ValueError or KeyError where a file is not one of ours."""
        with open(path, encoding="utf-8") as source:
            found = json.load(source)
        if found["format"] != FORMAT:
            raise ValueError("its format is %r, not %d" % (found["format"], FORMAT))
        return cls(
            found["machine"], found["settings"], found["left_out"],
            {(cell["load"], cell["entrant"]): Measurement.from_json(cell)
             for cell in found["cells"]},
            {name: Footprint(**print_) for name, print_ in found["systems"].items()},
            found["bare_disk_p50"], found["bare_disk_three_p50"], found["binary"],
            found["open_loop"])
