"""What is printed about results: per run in the course's manner, and the table at the end."""

from typing import Any, Dict, List, Optional

from .checks import TIER_NAMES, TIER_TITLES


def milliseconds(seconds: Optional[float]) -> str:
    return "-" if seconds is None else "%.3f ms" % (seconds * 1000)


def _line(title: str, value: Any) -> str:
    return "%-44s %s" % (title + ":", value)


def _spread(figures: Dict[str, Any]) -> str:
    if not figures["count"]:
        return "-"
    return "%s   (p10 %s, p99 %s, %d answers)" % (
        milliseconds(figures["median"]), milliseconds(figures["p10"]),
        milliseconds(figures["p99"]), figures["count"])


def _ratio(value: Optional[float]) -> str:
    return "-" if value is None else "%.2f" % value


def run_text(result: Dict[str, Any], about: str) -> str:
    """Everything about one run."""
    title = result["label"] + (" (%s)" % about if about else "")
    lines = ["", "# Simulation Finished: " + title, ""]
    if result["attempt"]:
        lines += ["Repeated %d times with the next seed: the load had too few gets by bad luck." %
                  result["attempt"], ""]
    lines += statistics_lines(result)
    lines += ["", "## Correctness Checks", ""]
    for check in result["checks"]:
        lines.append("[%s] %s: %s" % (
            "PASS" if check["passed"] else "FAIL", check["name"], check["text"]))
    lines += trouble_lines(result)
    lines += ["", "## Performance Tests", ""]
    if result["tiers"] is None:
        lines.append("Left out: correctness comes first.")
    else:
        for name, tier in result["tiers"]:
            lines.append(_line(TIER_TITLES[name], "%s (tier %d)" % (TIER_NAMES[tier], tier)))
    return "\n".join(lines)


def statistics_lines(result: Dict[str, Any]) -> List[str]:
    """The counters and medians of one run."""
    per_put = result["messages_per_expected_put"]
    return [
        "## Useful Information and Statistics", "",
        _line("Dialect, seed", "%s, %d" % (result["dialect"], result["seed"])),
        _line("Leaders", " ".join(result["leaders"])),
        _line("Replicas that died / were killed", "%d / %d" % (
            result["died"], len(result["killed"]))),
        _line("Messages between replicas", "%d (%s per expected put)" % (
            result["messages"], "-" if per_put is None else "%.2f" % per_put)),
        _line("Messages dropped / blocked", "%d / %d" % (result["dropped"], result["blocked"])),
        _line("Client get() / put() requests", "%d / %d" % (result["gets"], result["puts"])),
        _line("Duplicate replies", result["duplicates"]),
        _line("Unanswered get() / put() requests", "%d / %d" % (
            result["unanswered_gets"], result["unanswered_puts"])),
        _line("Redirects", result["redirects"]),
        _line("Failed get() / put() requests", "%d / %d" % (
            result["failed_gets"], result["failures"] - result["failed_gets"])),
        _line("Incorrect messages and answers", result["incorrect"]),
        _line("Mean / median latency, all replies", "%s / %s" % (
            milliseconds(result["mean"]), milliseconds(result["median"]))),
        _line("Median latency, ok puts alone", _spread(result["ok_put"])),
        _line("Median latency, ok gets alone", _spread(result["ok_get"])),
        _line("Floor (answering at once), puts / gets", _floor_text(result)),
        _line("History linearizable", "yes" if result["linearizable"] else "NO"),
    ]


def _floor_text(result: Dict[str, Any]) -> str:
    floor = result.get("floor")
    if floor is None:
        return "left out"
    return "%s / %s   (ours are %s / %s times that)" % (
        milliseconds(floor["put"]), milliseconds(floor["get"]),
        _ratio(floor["put_ratio"]), _ratio(floor["get_ratio"]))


def trouble_lines(result: Dict[str, Any]) -> List[str]:
    """What went wrong, in detail; empty after a good run."""
    lines = ["[FAIL] linearizable: " + result["culprit"]] if "culprit" in result else []
    lines += ["  died: " + death for death in result["deaths"]]
    lines += ["  incorrect: " + complaint for complaint in result["complaints"]]
    hidden = result["incorrect"] - len(result["complaints"])
    if hidden > 0:
        lines.append("  incorrect: and %d more" % hidden)
    if result["strangers"]:
        lines.append("  note: %d messages under another replica's src" % result["strangers"])
    if result["ended_early"]:
        lines.append("  note: ended early, too many messages")
    return lines


def verdict(result: Dict[str, Any]) -> bool:
    """Whether a run passed: the course's checks, and our own on the whole history."""
    return result["passed"] and result["linearizable"]


TABLE_HEAD = ("%-16s %-4s %-7s %8s %5s %5s %6s %9s %9s %9s %9s %9s %6s %6s" % (
    "config", "", "m f d l", "messages", "f+u", "dup", "redir", "med all", "ok put", "ok get",
    "floor put", "floor get", "x put", "x get"))


def _short(seconds: Optional[float]) -> str:
    return "-" if seconds is None else "%.3f" % (seconds * 1000)


def table_row(result: Dict[str, Any]) -> str:
    """One run in one line; latencies in milliseconds."""
    floor = result.get("floor") or {}
    tiers = " ".join(str(tier) for _, tier in result["tiers"] or []) or "- - - -"
    return "%-16s %-4s %-7s %8d %5d %5d %6d %9s %9s %9s %9s %9s %6s %6s" % (
        result["label"], "PASS" if verdict(result) else "FAIL", tiers, result["messages"],
        result["failures"] + result["unanswered"], result["duplicates"], result["redirects"],
        _short(result["median"]), _short(result["ok_put"]["median"]),
        _short(result["ok_get"]["median"]), _short(floor.get("put")), _short(floor.get("get")),
        _ratio(floor.get("put_ratio")), _ratio(floor.get("get_ratio")))


def table(results: List[Dict[str, Any]]) -> str:
    """All runs, then the sums, then the count of those that passed."""
    lines = ["", "Latencies in ms. Tiers (0 is best): m messages, f failures and unanswered,"
             " d duplicates, l latency.", "", TABLE_HEAD]
    lines += [table_row(result) for result in results]
    lines.append("%-16s %-4s %-7s %8d %5d %5d %6d" % (
        "sum", "", "", sum(result["messages"] for result in results),
        sum(result["failures"] + result["unanswered"] for result in results),
        sum(result["duplicates"] for result in results),
        sum(result["redirects"] for result in results)))
    lines += ["", "Passed %d out of %d tests" % (sum(map(verdict, results)), len(results))]
    return "\n".join(lines)


def random_row(result: Dict[str, Any], passed: bool, about: str) -> str:
    """One random run in one line."""
    return "%-4s %s: %s" % ("PASS" if passed else "FAIL", about, ", ".join((
        "%d ok" % (result["ok_put"]["count"] + result["ok_get"]["count"]),
        "%d unanswered" % result["unanswered"], "%d failed" % result["failures"],
        "%d duplicates" % result["duplicates"], "%d redirects" % result["redirects"],
        "%d messages" % result["messages"], "put %s" % milliseconds(result["ok_put"]["median"]),
        "get %s" % milliseconds(result["ok_get"]["median"]))))
