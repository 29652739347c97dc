"""From a simulation that is over to one flat record of figures, ready for print and for JSON."""

import time
from collections import defaultdict
from typing import Any, Dict, List, Optional

from . import linearizability
from .checks import correctness, tiers
from .client import Operation
from .dialect import thresholds
from .linearizability import NEVER, Access
from .simulation import Simulation

NO_LATENCY = float("inf")


def percentile(ordered: List[float], share: float) -> Optional[float]:
    """The value at a share of a sorted list; the half is the course's median, sorted[n // 2]."""
    if not ordered:
        return None
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def latencies(operations: List[Operation]) -> Dict[str, Any]:
    """Count, mean and percentiles in seconds of the operations that were answered."""
    ordered = sorted(
        operation.answered - operation.invoked
        for operation in operations if operation.answered is not None
    )
    return {
        "count": len(ordered),
        "mean": sum(ordered) / len(ordered) if ordered else None,
        "p10": percentile(ordered, 0.10),
        "median": percentile(ordered, 0.50),
        "p99": percentile(ordered, 0.99),
    }


def history(operations: List[Operation]) -> Dict[str, List[Access]]:
    """The operations as the checker wants them, key by key.

    Only a redirect says for sure that a request had no effect. After a fail, or no answer at all,
    it may have had one.
    """
    keys = defaultdict(list)
    for operation in operations:
        if operation.outcome == "redirect":
            continue
        known = operation.outcome == "ok"
        value = operation.value if operation.kind == "put" else operation.result
        if operation.kind == "get" and not isinstance(value, str):
            known = False
        keys[operation.key].append(Access(
            operation.kind, value, operation.invoked, operation.answered if known else NEVER,
            "%s %s" % (operation.client, operation.mid)))
    return keys


def _judge_history(simulation: Simulation) -> Dict[str, Any]:
    began = time.monotonic()
    culprit = linearizability.check_history(history(simulation.tally.operations))
    verdict = {"linearizable": culprit is None, "check_seconds": time.monotonic() - began}
    if culprit is not None:
        key, access = culprit
        verdict["culprit"] = "key %s: the %s by %s with value %s at %.3f s cannot be explained" % (
            key, access.kind, access.label, access.value, access.answered - simulation.started)
    return verdict


def figures(simulation: Simulation) -> Dict[str, Any]:
    """Everything that was counted and measured."""
    tally = simulation.tally
    operations = tally.operations
    ok = [operation for operation in operations if operation.outcome == "ok"]
    open_now = [operation for client in simulation.clients.values()
                for operation in client.open.values()]
    failures = [operation for operation in operations if operation.outcome == "fail"]
    unanswered_gets = sum(operation.kind == "get" for operation in open_now)
    expected_puts = simulation.config.requests * (1 - simulation.config.mix)
    every = latencies(operations)
    ok_puts = [operation for operation in ok if operation.kind == "put"]
    return {
        "leaders": simulation.leaders,
        "incorrect": simulation.incorrect,
        "complaints": simulation.complaints,
        "died": len(simulation.died),
        "deaths": simulation.died,
        "killed": simulation.killed,
        "messages": simulation.messages,
        "messages_per_expected_put": simulation.messages / expected_puts if expected_puts else None,
        "dropped": simulation.dropped,
        "blocked": simulation.blocked,
        "undeliverable": simulation.undeliverable,
        "strangers": simulation.strangers,
        "ended_early": simulation.ended_early,
        "gets": tally.gets,
        "puts": tally.puts,
        "ungenerated_gets": tally.ungenerated_gets,
        "puts_acknowledged": len(ok_puts),
        "duplicates": tally.duplicates,
        "unanswered": len(open_now),
        "unanswered_gets": unanswered_gets,
        "unanswered_puts": len(open_now) - unanswered_gets,
        "redirects": sum(operation.outcome in ("redirect", "fail") for operation in operations),
        "failures": len(failures),
        "failed_gets": sum(operation.kind == "get" for operation in failures),
        "mean": every["mean"],
        "median": NO_LATENCY if every["median"] is None else every["median"],
        "ok_put": latencies(ok_puts),
        "ok_get": latencies([operation for operation in ok if operation.kind == "get"]),
    }


def summarise(simulation: Simulation) -> Dict[str, Any]:
    """The whole record of a run. Tiers are only given where every check held."""
    record = figures(simulation)
    checks = correctness(simulation.config, record)
    passed = all(check.passed for check in checks)
    reached = tiers(thresholds(simulation.config, simulation.dialect), record) if passed else None
    record.update(_judge_history(simulation))
    if record["median"] == NO_LATENCY:
        record["median"] = None
    record.update(
        config=simulation.config.name,
        dialect=simulation.dialect.name,
        seed=simulation.seed,
        replicas=simulation.config.replicas,
        requests=simulation.config.requests,
        passed=passed,
        checks=[{"name": check.name, "passed": check.passed, "text": check.text}
                for check in checks],
        tiers=reached,
    )
    return record
