"""The failures file: one JSON object a line, each a seed that failed and how to run it again."""

import json
import os
from typing import Any, Dict, List

DEFAULT = os.path.join("tests", "sim", "failures.jsonl")


class FailuresError(Exception):
    """The file cannot be understood; one line says where."""


def read(path: str) -> List[Dict[str, Any]]:
    """All failures in the file; none if there is no file."""
    if not os.path.exists(path):
        return []
    failures = []
    with open(path, encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            if not line.strip():
                continue
            try:
                failure = json.loads(line)
                failure["command"].split()
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise FailuresError(
                    "%s: line %d is no failure: %s" % (path, number, error)) from error
            failures.append(failure)
    return failures


def add(path: str, failure: Dict[str, Any]) -> bool:
    """Appends a failure, unless its command is there already. Answers whether it was new."""
    if any(known["command"] == failure["command"] for known in read(path)):
        return False
    with open(path, "a", encoding="utf-8") as target:
        target.write(json.dumps(failure, sort_keys=True) + "\n")
    return True


def options_of(failure: Dict[str, Any]) -> List[str]:
    """The options of a failure's command, without its seed."""
    words = failure["command"].split()[2:]
    place = words.index("--seed")
    return words[:place] + words[place + 2:]
