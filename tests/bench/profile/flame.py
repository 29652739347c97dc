"""A flame graph, drawn as SVG: each box is a function, as wide as its time, above its caller.

Boxes are in the order of their names, not of time. A click on one makes it as wide as the picture.
"""

from collections import Counter
from dataclasses import dataclass, field
from html import escape
from typing import Dict, List

from .stacks import KERNEL

WIDTH, ROW, TOP, MARGIN = 1200, 17, 40, 10
LETTER = 6.6
# What is narrower than this, in pixels, cannot be seen anyway.
WIDTH_LEAST = 0.3

STYLE = """
  text { font: 11px ui-monospace, monospace; fill: #1f2328; pointer-events: none; }
  .title { font: 600 14px system-ui, sans-serif; } .page { fill: #ffffff; }
  .ours { fill: #f0a15a; } .kernel { fill: #7fb2e5; } .other { fill: #c5c9ce; }
  rect { stroke: #ffffff; stroke-width: 0.5; cursor: pointer; }
  @media (prefers-color-scheme: dark) {
    .title { fill: #f0f6fc; } .page { fill: #0d1117; } rect { stroke: #0d1117; }
  }
"""
# Boxes carry their place as shares of the whole, from which a click makes new places.
SCRIPT = """
  const all = [...document.querySelectorAll('g.box')];
  const place = (from, width) => all.forEach(box => {
    const left = (box.dataset.x - from) / width, wide = box.dataset.w / width;
    const shown = left + wide > 1e-9 && left < 1 - 1e-9;
    box.style.display = shown ? '' : 'none';
    if (!shown) return;
    const start = Math.max(left, 0), end = Math.min(left + wide, 1), pixels = (end - start) * SPAN;
    const [rect, text] = [box.querySelector('rect'), box.querySelector('text')];
    rect.setAttribute('x', EDGE + start * SPAN);
    rect.setAttribute('width', pixels);
    text.setAttribute('x', EDGE + start * SPAN + 3);
    const room = Math.floor((pixels - 6) / LETTER), name = box.dataset.n;
    const fitting = name.length > room ? name.slice(0, room - 1) + '\\u2026' : name;
    text.textContent = room < 3 ? '' : fitting;
  });
  all.forEach(box => box.addEventListener('click', () => place(+box.dataset.x, +box.dataset.w)));
"""


@dataclass
class Node:
    """A function below the callers that lead to it."""

    weight: int = 0
    called: Dict[str, "Node"] = field(default_factory=dict)


def tree(stacks: Counter) -> Node:
    """All stacks as one tree."""
    root = Node()
    for stack, weight in stacks.items():
        root.weight += weight
        node = root
        for name in stack:
            node = node.called.setdefault(name, Node())
            node.weight += weight
    return root


def depth(node: Node) -> int:
    return max((1 + depth(called) for called in node.called.values()), default=0)


def draw(title: str, stacks: Counter) -> str:
    """The whole picture."""
    root = tree(stacks)
    if not root.weight:
        root.weight = 1
    height = TOP + ROW * (depth(root) + 1) + MARGIN
    boxes: List[str] = []
    _boxes(root, "all", 0.0, 0, root.weight, height, boxes)
    script = SCRIPT.replace("SPAN", str(WIDTH - 2 * MARGIN)).replace("EDGE", str(MARGIN)).replace(
        "LETTER", str(LETTER))
    return "\n".join([
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d">' % (
            WIDTH, height, WIDTH, height),
        "<style>%s</style>" % STYLE,
        '<rect class="page" width="%d" height="%d"/>' % (WIDTH, height),
        '<text class="title" x="%d" y="24">%s</text>' % (MARGIN, escape(title)),
        *boxes, "<script><![CDATA[%s]]></script>" % script, "</svg>", ""])


def _boxes(node: Node, name: str, left: float, level: int, whole: int, height: int,
           boxes: List[str]) -> None:
    """Appends the box of a function and those of what it called; `left` is a share of the whole."""
    share, span = node.weight / whole, WIDTH - 2 * MARGIN
    if share * span < WIDTH_LEAST:
        return
    y = height - MARGIN - ROW * (level + 1)
    boxes.append(
        '<g class="box" data-x="%.7f" data-w="%.7f" data-n="%s"><title>%s: %.2f %%</title>'
        '<rect class="%s" x="%.2f" y="%d" width="%.2f" height="%d"/>'
        '<text x="%.2f" y="%d">%s</text></g>' % (
            left, share, escape(name), escape(name), 100.0 * share, kind(name),
            MARGIN + left * span, y, share * span, ROW - 1, MARGIN + left * span + 3, y + 12,
            escape(_fitting(name, share * span))))
    for callee in sorted(node.called):
        called = node.called[callee]
        _boxes(called, callee, left, level + 1, whole, height, boxes)
        left += called.weight / whole


def kind(name: str) -> str:
    """Whose a function is: ours, the kernel's, or of the libraries between."""
    if "quorate::" in name:
        return "ours"
    return "kernel" if name.endswith(KERNEL) else "other"


def _fitting(name: str, pixels: float) -> str:
    room = int((pixels - 6) / LETTER)
    if room < 3:
        return ""
    return name if len(name) <= room else name[:room - 1] + "\u2026"

