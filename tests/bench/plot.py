# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A plot as an SVG: lines over a size, both axes logarithmic, readable on a dark page and on a light one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree

from figures import Plot

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 60, 200, 40, 45
# REUSE-IgnoreStart
HEADER = """
Copyright: (c) 2026, the kubenode.connections authors
SPDX-License-Identifier: GPL-3.0-or-later
"""
# REUSE-IgnoreEnd

LABEL = 15  # pixels between the names of lines

# Okabe and Ito's colours, which the colour-blind tell apart, but for black and yellow.
COLOURS = ("#3a8fd0", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
STYLE = """
text { font: 12px sans-serif; fill: #1f2328; }
.title { font-weight: bold; }
.grid { stroke: #8c959f; stroke-opacity: .4; }
.line { fill: none; stroke-width: 2; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } }
"""


LEAST = 0.001
"""What is less is drawn there: a logarithm knows no 0, which is what the clock shows of what is over at once."""


class Scale:
    """From figures to pixels, logarithmic."""

    def __init__(self, figures: Iterable[float], first: float, last: float) -> None:
        found = sorted(max(figure, LEAST) for figure in figures)
        self.low, self.high = found[0], max(found[-1], found[0] * 1.01)
        self._first, self._last = first, last

    def __call__(self, figure: float) -> float:
        share = math.log(max(figure, LEAST) / self.low) / math.log(self.high / self.low)
        return self._first + share * (self._last - self._first)

    def ticks(self) -> Iterator[float]:
        """1, 2, 5, 10, … as far as they lie on the axis."""
        for power in range(-3, 6):
            yield from (
                tick for tick in (10.0**power, 2 * 10.0**power, 5 * 10.0**power) if self.low <= tick <= self.high
            )


def svg(plot: Plot) -> str:
    """The text of the file."""
    root = ElementTree.Element("svg", xmlns="http://www.w3.org/2000/svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img")
    root.append(ElementTree.Comment(HEADER))
    ElementTree.SubElement(root, "title").text = plot.title
    ElementTree.SubElement(root, "style").text = STYLE
    _text(root, LEFT, TOP - 20, plot.title).set("class", "title")
    sizes = sorted({size for line in plot.lines.values() for size in line})
    x = Scale(sizes, LEFT, WIDTH - RIGHT)
    y = Scale((figure for line in plot.lines.values() for figure in line.values()), HEIGHT - BOTTOM, TOP)
    for tick in y.ticks():
        _line(root, [(LEFT, y(tick)), (WIDTH - RIGHT, y(tick))], "grid")
        _text(root, LEFT - 6, y(tick) + 4, f"{tick:g}", "end")
    for size in sizes:
        _text(root, x(size), HEIGHT - BOTTOM + 18, f"{size:,}", "middle")
    _text(root, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, plot.of_x, "middle")
    _text(root, LEFT - 6, TOP - 6, plot.of_y, "end")
    ends = {name: y(line[max(line)]) for name, line in plot.lines.items()}
    for number, (name, label) in enumerate(zip(ends, _apart(list(ends.values())), strict=True)):
        colour = COLOURS[number % len(COLOURS)]
        line = _line(root, [(x(size), y(figure)) for size, figure in sorted(plot.lines[name].items())], "line")
        line.set("stroke", colour)
        line.set("stroke-dasharray", "6 3" if name in plot.others else "")
        _line(root, [(WIDTH - RIGHT, ends[name]), (WIDTH - RIGHT + 12, label)], "line").set("stroke", colour)
        _text(root, WIDTH - RIGHT + 16, label + 4, name)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _apart(heights: Sequence[float]) -> list[float]:
    """As near to these heights as names can be read below each other, all of them on the picture."""
    placed = list(heights)
    order = sorted(range(len(heights)), key=heights.__getitem__)
    lowest: float = TOP
    for place in order:
        placed[place] = lowest = max(placed[place], lowest)
        lowest += LABEL
    highest: float = HEIGHT - BOTTOM
    for place in reversed(order):
        placed[place] = highest = min(placed[place], highest)
        highest -= LABEL
    return placed


def _text(root: ElementTree.Element, x: float, y: float, words: str, anchor: str = "start") -> ElementTree.Element:
    given = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    element = ElementTree.SubElement(root, "text", given)
    element.text = words
    return element


def _line(root: ElementTree.Element, points: Sequence[tuple[float, float]], kind: str) -> ElementTree.Element:
    return ElementTree.SubElement(
        root, "polyline", {"class": kind, "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in points)}
    )
