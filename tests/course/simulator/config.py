"""A simulation's configuration: read from JSON, checked field by field, given its defaults.

The files are those of the course, so fields which the course's simulators ignore are ignored here
too. One of them deserves a word: five of the course's files carry
`maximum_get_generation_fail_fraction` at the top level, where nothing ever looks for it (it belongs
under `tests`). It has no effect there, and it has none here: the default of 10 % holds.
"""

import json
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple

EVENT_TYPES = ("kill_non_leader", "kill_leader", "part_easy", "part_hard", "part_end")
BENCHMARKS = ("total_msgs", "failures", "duplicates", "median_latency")
FRACTIONS = {
    "maximum_get_fail_fraction": 0.5,
    "maximum_put_fail_fraction": 0.5,
    "maximum_get_generation_fail_fraction": 0.1,
    "maximum_appends_batched_fraction": 0.5,
}
MAX_PACKETS_LIMIT = 900000
TOP_LEVEL = {
    "description", "lifetime", "replicas", "requests", "seed", "mix", "start_wait", "end_wait",
    "drops", "max_packets", "events", "tests", "maximum_get_generation_fail_fraction",
}


class ConfigError(Exception):
    """One violation: which file, which field, what it holds and what it may hold."""

    def __init__(self, name: str, where: str, value: Any, expected: str):
        shown = "missing" if value is MISSING else json.dumps(value, default=str)
        super().__init__("%s: %s: is %s, must be %s" % (name, where, shown, expected))


MISSING = object()


@dataclass(frozen=True)
class Event:
    """Something that happens to the replicas, `time` seconds after the first request."""

    type: str
    time: float


@dataclass(frozen=True)
class Config:
    """One checked configuration. `start_wait` is None where the dialect's own default holds."""

    name: str
    description: str
    lifetime: int
    replicas: int
    requests: int
    seed: Optional[int]
    mix: float
    start_wait: Optional[float]
    end_wait: float
    drops: float
    max_packets: int
    events: Tuple[Event, ...]
    benchmarks: Dict[str, List[float]]
    benchmarks_old: Dict[str, List[float]]
    fractions: Dict[str, float]
    ignored: Tuple[str, ...] = field(default=())


class _Fields:
    """Takes fields out of a JSON object, each with its type and range."""

    def __init__(self, name: str, document: Dict[str, Any]):
        self.name = name
        self.document = document

    def fail(self, where: str, value: Any, expected: str) -> ConfigError:
        return ConfigError(self.name, where, value, expected)

    def number(self, where: str, low: float, high: Optional[float], default: Any = MISSING,
               whole: bool = False) -> Any:
        """The number in field `where`, or its default."""
        value = self.document.get(where, MISSING)
        if value is MISSING and default is not MISSING:
            return default
        expected = _range_text(low, high, whole)
        kinds = int if whole else (int, float)
        if value is MISSING or isinstance(value, bool) or not isinstance(value, kinds):
            raise self.fail(where, value, expected)
        if not (low <= value and (high is None or value <= high)):
            raise self.fail(where, value, expected)
        return value

    def item(self, where: str, kind: type, expected: str, default: Any = MISSING) -> Any:
        """The list, object or text in field `where`, or its default."""
        value = self.document.get(where, MISSING)
        if value is MISSING and default is not MISSING:
            return default
        if not isinstance(value, kind):
            raise self.fail(where, value, expected)
        return value


def _range_text(low: float, high: Optional[float], whole: bool) -> str:
    noun = "a whole number" if whole else "a number"
    if high is None:
        return "%s, at least %s" % (noun, low)
    return "%s from %s to %s" % (noun, low, high)


def load(path: str) -> Config:
    """Reads and checks a configuration file."""
    return parse(path, read_document(path))


def read_document(path: str) -> Any:
    """The JSON value in a file; every way in which that can fail is a `ConfigError`."""
    try:
        with open(path, encoding="utf-8") as source:
            return json.load(source)
    except OSError as error:
        raise ConfigError(path, "file", str(error.strerror), "readable") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(path, "file", str(error), "valid JSON") from error


def parse(name: str, document: Any) -> Config:
    """Checks a configuration that has been read already."""
    if not isinstance(document, dict):
        raise ConfigError(name, "file", document, "a JSON object")
    fields = _Fields(name, document)
    lifetime = fields.number("lifetime", 5, None, whole=True)
    requests = fields.number("requests", 0, None, whole=True)
    tests = fields.item("tests", dict, "an object with an entry benchmarks")
    if "benchmarks" not in tests:
        raise fields.fail("tests.benchmarks", MISSING, _BENCHMARKS_TEXT)
    return Config(
        name=name,
        description=fields.item("description", str, "a text", ""),
        lifetime=lifetime,
        replicas=fields.number("replicas", 3, 21, whole=True),
        requests=requests,
        seed=fields.number("seed", 0, None, None, whole=True),
        mix=fields.number("mix", 0, 1, 0.8),
        start_wait=fields.number("start_wait", 0, lifetime, None),
        end_wait=fields.number("end_wait", 0, lifetime, 2),
        drops=fields.number("drops", 0, 1, 0.0),
        max_packets=fields.number("max_packets", requests, MAX_PACKETS_LIMIT, 20000, whole=True),
        events=_events(fields, lifetime),
        benchmarks=_benchmarks(fields, tests, "benchmarks", BENCHMARKS),
        benchmarks_old=_benchmarks(fields, tests, "benchmarks_0_8", ()),
        fractions=_fractions(name, tests),
        ignored=tuple(sorted(key for key in document if key not in TOP_LEVEL)),
    )


def _events(fields: _Fields, lifetime: int) -> Tuple[Event, ...]:
    events = []
    for place, entry in enumerate(fields.item("events", list, "a list", [])):
        where = "events[%d]" % place
        if not isinstance(entry, dict):
            raise fields.fail(where, entry, "an object with type and time")
        kind = entry.get("type", MISSING)
        if kind not in EVENT_TYPES:
            raise fields.fail(where + ".type", kind, "one of " + ", ".join(EVENT_TYPES))
        time = entry.get("time", MISSING)
        number = isinstance(time, (int, float)) and not isinstance(time, bool)
        if not number or not 0 <= time <= lifetime:
            raise fields.fail(where + ".time", time, _range_text(0, lifetime, False))
        events.append(Event(kind, time))
    return tuple(events)


_BENCHMARKS_TEXT = "an object with " + ", ".join(BENCHMARKS)


def _benchmarks(fields: _Fields, tests: Dict[str, Any], entry: str,
                required: Tuple[str, ...]) -> Dict[str, List[float]]:
    """The tiers' thresholds: three numbers each, and nothing but the four known names."""
    table = tests.get(entry, {})
    if not isinstance(table, dict):
        raise fields.fail("tests." + entry, table, _BENCHMARKS_TEXT)
    for key, thresholds in table.items():
        where = "tests.%s.%s" % (entry, key)
        if key not in BENCHMARKS:
            raise fields.fail(where, thresholds, "absent: the names are " + ", ".join(BENCHMARKS))
        numbers = isinstance(thresholds, list) and len(thresholds) == 3 and all(
            isinstance(number, (int, float)) and not isinstance(number, bool)
            for number in thresholds
        )
        if not numbers:
            raise fields.fail(where, thresholds, "a list of exactly 3 numbers")
    for key in required:
        if key not in table:
            raise fields.fail("tests.%s.%s" % (entry, key), MISSING, "a list of exactly 3 numbers")
    return table


def _fractions(name: str, tests: Dict[str, Any]) -> Dict[str, float]:
    fields = _Fields(name, tests)
    found = {}
    for key, default in FRACTIONS.items():
        try:
            found[key] = fields.number(key, 0, 1, default)
        except ConfigError:
            raise ConfigError(
                name, "tests." + key, tests.get(key), _range_text(0, 1, False)) from None
    return found
