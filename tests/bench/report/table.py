"""Rows and columns, as text for a terminal or as Markdown."""

from typing import List, Optional, Sequence


def rate(value: Optional[float]) -> str:
    """Three digits that count, with commas between thousands."""
    if value is None:
        return "-"
    digits = len(str(int(value)))
    step = 10 ** max(0, digits - 3)
    return "{:,}".format(int(round(value / step) * step))


def milliseconds(value: Optional[float]) -> str:
    """From microseconds to seconds with about three digits."""
    if value is None:
        return "-"
    return "%.3f" % value if value < 10 else "%.1f" % value if value < 100 else "%.0f" % value


def figure(value: Optional[float], places: int = 2) -> str:
    return "-" if value is None else "{:,.{}f}".format(value, places)


def ratio(ours: Optional[float], theirs: Optional[float]) -> str:
    """How many times theirs is ours."""
    return "-" if not ours or not theirs else "%.2f" % (ours / theirs)


def mebibytes(value: Optional[float]) -> str:
    return "-" if value is None else "%.1f" % (value / (1 << 20))


class Table:
    """The first column is text, the others are aligned to the right. A row of one cell is a
    heading."""

    def __init__(self, *head: str):
        self.head = head
        self.rows: List[Sequence[str]] = []

    def add(self, *cells: str) -> None:
        self.rows.append(cells)

    def heading(self, text: str) -> None:
        self.rows.append((text,))

    def text(self) -> str:
        whole = [row for row in self.rows if len(row) == len(self.head)]
        widths = [max(len(row[at]) for row in [self.head, *whole]) for at in range(len(self.head))]
        return "\n".join(self._line(row, widths) for row in [self.head, *self.rows])

    @staticmethod
    def _line(row: Sequence[str], widths: Sequence[int]) -> str:
        if len(row) == 1:
            return "\n" + row[0]
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return "  ".join(cells).rstrip()

    def markdown(self) -> str:
        lines = ["| %s |" % " | ".join(self.head),
                 "|---|%s" % ("---:|" * (len(self.head) - 1))]
        for row in self.rows:
            cells = ["**%s**" % row[0]] + [""] * (len(self.head) - 1) if len(row) == 1 else row
            lines.append("| %s |" % " | ".join(cells))
        return "\n".join(lines)
