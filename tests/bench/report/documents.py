"""Puts fresh figures into a page of the documentation, between marks that stay."""

import os

from simulator import build

PAGE = os.path.join(build.REPOSITORY, "docs", "benchmarks.md")
PICTURE = os.path.join(build.REPOSITORY, "docs", "benchmarks.svg")


class NoMarks(Exception):
    """The page has no place for what is to be put there."""


def between_marks(page: str, name: str, text: str) -> str:
    """The page with a text between `<!-- NAME -->` and `<!-- end of NAME -->`."""
    first, last = "<!-- %s -->" % name, "<!-- end of %s -->" % name
    before, found_first, rest = page.partition(first)
    _, found_last, after = rest.partition(last)
    if not found_first or not found_last:
        raise NoMarks("there are no marks %s and %s" % (first, last))
    return "%s%s\n%s\n%s%s" % (before, first, text, last, after)


def put(name: str, text: str) -> None:
    """Rewrites that part of the page."""
    with open(PAGE, encoding="utf-8") as source:
        page = source.read()
    with open(PAGE, "w", encoding="utf-8") as target:
        target.write(between_marks(page, name, text))
