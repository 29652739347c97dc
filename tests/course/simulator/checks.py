"""The judgement of a run: the correctness checks, and the performance tiers if all of them hold."""

from dataclasses import dataclass
from typing import Dict, List, Tuple

from .config import Config

TIER_NAMES = ("Bonus!", "Full credit", "Partial credit, needs improvement", "No credit")
TIER_TITLES = {
    "total_msgs": "Messages between replicas",
    "failures": "Failures and unanswered requests",
    "duplicates": "Duplicate replies",
    "median_latency": "Median latency",
}
NO_CREDIT = 3
MESSAGES_PER_PUT_SHARE = 0.5


@dataclass(frozen=True)
class Check:
    """One correctness check: its short name, whether it held, and the figures behind it."""

    name: str
    passed: bool
    text: str


def correctness(config: Config, figures: Dict[str, float]) -> List[Check]:
    """The course's checks, in its order. Any one of them that fails, fails the run."""
    fewest = (config.requests * config.replicas * (1 - config.mix) * MESSAGES_PER_PUT_SHARE)
    acknowledged = figures["puts_acknowledged"]
    return [
        Check("incorrect", figures["incorrect"] == 0,
              "%d incorrect messages or answers" % figures["incorrect"]),
        Check("died", figures["died"] == 0,
              "%d replicas gone without having been killed" % figures["died"]),
        Check("no-puts", acknowledged > 0, "%d puts acknowledged" % acknowledged),
        _share(config, "get", "maximum_get_fail_fraction", figures["unanswered_gets"],
               figures["gets"], "gets unanswered"),
        _share(config, "put", "maximum_put_fail_fraction", figures["unanswered_puts"],
               figures["puts"], "puts unanswered"),
        _share(config, "get-generation", "maximum_get_generation_fail_fraction",
               figures["ungenerated_gets"], figures["gets"],
               "gets could not be generated for want of an acknowledged put"),
        Check("too-few-messages", figures["messages"] >= fewest,
              "%d messages between replicas, at least %g expected" % (
                  figures["messages"], round(fewest, 3))),
    ]


def _share(config: Config, name: str, fraction: str, count: float, total: float,
           what: str) -> Check:
    limit = config.fractions[fraction]
    return Check(name, count <= limit * total,
                 "%d of %d %s, at most %g %%" % (count, total, what, 100 * limit))


def tier(value: float, thresholds: List[float]) -> int:
    """0 is the best. The value has to be strictly below: a threshold of 0 is out of reach."""
    for number, threshold in enumerate(thresholds):
        if value < threshold:
            return number
    return NO_CREDIT


def tiers(thresholds: Dict[str, List[float]], figures: Dict[str, float]) -> List[Tuple[str, int]]:
    """The four tiers in the course's order: messages, failures, duplicates, latency."""
    values = {
        "total_msgs": figures["messages"],
        "failures": figures["failures"] + figures["unanswered"],
        "duplicates": figures["duplicates"],
        "median_latency": figures["median"],
    }
    return [(name, tier(value, thresholds[name])) for name, value in values.items()]
