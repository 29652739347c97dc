"""The comparison as a picture: bars, drawn as SVG by hand, for light and dark pages alike."""

from html import escape
from typing import List, Optional, Sequence, Tuple

from ..entrants import ETCD, OURS, OURS_LEASES, REDIS, REDIS_ALWAYS, Entrant
from ..loads import GET, GET_64, GET_ONE, SET, SET_64, SET_ONE, Load
from ..results import Results
from .table import milliseconds, rate

# The figure of each panel, and whether more of it is better.
PANELS: Sequence[Tuple[Load, str, str]] = (
    (SET, "rate", "requests per second, more is better"),
    (SET_64, "rate", "requests per second, more is better"),
    (GET, "rate", "requests per second, more is better"),
    (GET_64, "rate", "requests per second, more is better"),
    (SET_ONE, "p50", "p50 in ms, less is better"),
    (GET_ONE, "p50", "p50 in ms, less is better"),
)
BARS: Sequence[Entrant] = (OURS, OURS_LEASES, REDIS_ALWAYS, REDIS, ETCD)
WIDTH, MARGIN, LABEL, VALUE = 860, 20, 200, 80
BAR, GAP, HEAD = 16, 6, 46
COLUMNS = 2

DOCUMENT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" \
aria-label="quorate beside Redis and etcd">
<style>%s</style>
%s
</svg>
"""
# The same colours are readable on white and, lightened, on black.
STYLE = """
  text { font: 12px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 13px; }
  .quiet { fill: #59636e; }
  .ours { fill: #0969da; } .theirs { fill: #9198a1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; } .quiet { fill: #9198a1; }
    .ours { fill: #4493f8; } .theirs { fill: #656c76; }
  }
"""


def draw(results: Results) -> str:
    """A panel for each load, two beside one another."""
    panels = [(load, figure, what, _bars(results, load, figure)) for load, figure, what in PANELS]
    panels = [panel for panel in panels if panel[3]]
    width = (WIDTH - MARGIN * (COLUMNS + 1)) / COLUMNS
    parts, top = [], MARGIN
    for first in range(0, len(panels), COLUMNS):
        row = panels[first:first + COLUMNS]
        for column, (load, figure, what, bars) in enumerate(row):
            left = MARGIN + column * (width + MARGIN)
            parts.append(_panel(left, top, width, "%s: %s" % (load.title, what), figure, bars))
        top += HEAD + max(len(bars) for _, _, _, bars in row) * (BAR + GAP)
    return DOCUMENT % (WIDTH, top, WIDTH, top, STYLE, "\n".join(parts))


def write(path: str, results: Results) -> None:
    with open(path, "w", encoding="utf-8") as target:
        target.write(draw(results))


def _bars(results: Results, load: Load, figure: str) -> List[Tuple[Entrant, float]]:
    found: List[Tuple[Entrant, Optional[float]]] = [
        (entrant, results.median(load.name, entrant.name, figure)) for entrant in BARS]
    return [(entrant, value) for entrant, value in found if value is not None]


def _panel(left: float, top: float, width: float, title: str, figure: str,
           bars: List[Tuple[Entrant, float]]) -> str:
    most = max(value for _, value in bars)
    heading, _, what = title.partition(": ")
    lines = [_text(left, top + 12, heading, "title"), _text(left, top + 28, what, "quiet")]
    for number, (entrant, value) in enumerate(bars):
        y = top + HEAD - 8 + number * (BAR + GAP)
        length = max(1.0, (width - LABEL - VALUE) * value / most)
        kind = "ours" if entrant in (OURS, OURS_LEASES) else "theirs"
        shown = rate(value) if figure == "rate" else milliseconds(value)
        lines.append(_text(left, y + 12, entrant.title))
        lines.append('<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%d" rx="2"/>' % (
            kind, left + LABEL, y, length, BAR))
        lines.append(_text(left + LABEL + length + 6, y + 12, shown))
    return "\n".join(lines)


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    return '<text%s x="%.1f" y="%.1f">%s</text>' % (
        ' class="%s"' % kind if kind else "", x, y, escape(text))
