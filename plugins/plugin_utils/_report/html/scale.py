# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From seconds to a place on the time line, and labels that do not overlap. Private to this collection."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# 600 and 900 s are to lie apart where 86400 s is on the same line, and 900 s is what matters. So the line is to scale
# up to the limit, the bend, and logarithmic beyond it, where only "how many times too late" is asked.
_BEND = 0.66
_BEND_OF_THE_LAST = 0.9
# A keepalive far below the limit would be squeezed at the left end of a line that is to scale.
_FAR_BELOW = 4

_TICKS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400, 172800, 432000, 2592000)


@dataclass(frozen=True)
class Scale:
    """``at`` gives a fraction from 0 to 1 of the line's width for 0 to ``top`` seconds.

    ``bend``: the seconds up to which most of the width goes; ``pace``: None where that part is to scale, else the
    seconds that its logarithm starts from.
    """

    bend: int
    top: int
    pace: float | None

    @property
    def bend_at(self) -> float:
        return _BEND if self.top > self.bend * 1.3 else _BEND_OF_THE_LAST

    def at(self, seconds: float) -> float:
        """Rises with ``seconds``, and never leaves the line."""
        inside = min(max(seconds, 0), self.top)
        if inside > self.bend:
            beyond = math.log(inside / self.bend) / math.log(self.top / self.bend)
            return self.bend_at + beyond * (1 - self.bend_at)
        if self.pace is None:
            return self.bend_at * inside / self.bend
        return self.bend_at * math.log1p(inside / self.pace) / math.log1p(self.bend / self.pace)

    def ticks(self) -> list[int]:
        """Round times that are on the line, in seconds."""
        return [tick for tick in _TICKS if tick <= self.top]


def scale_of(limits: Iterable[int], others: Iterable[int], first_probes: Iterable[int]) -> Scale:
    """A scale that all of it lies on. ``limits``: the deciding ones, in seconds; ``others``: whatever else is shown."""
    shown = [seconds for seconds in others if seconds > 0]
    bend = max([seconds for seconds in limits if seconds > 0] or shown or [1])
    probes = [seconds for seconds in first_probes if 0 < seconds <= bend]
    first = min(probes) if probes else bend
    top = max([bend, *shown])
    return Scale(bend, math.ceil(top * 1.1) + 1, first / 2 if first * _FAR_BELOW < bend else None)


@dataclass(frozen=True)
class Label:
    """``text`` for the place ``x`` of so many seconds, ``width`` wide at most; ``kind`` is its class."""

    seconds: int
    x: float
    text: str
    kind: str
    width: float


@dataclass(frozen=True)
class Placed:
    """A label on a line of text; ``anchor`` is SVG's, for which end of it is at its place. ``row`` 0 is nearest."""

    label: Label
    anchor: str
    row: int = 0

    @property
    def left(self) -> float:
        return self.label.x - _BEFORE[self.anchor] * self.label.width + self.aside

    @property
    def aside(self) -> float:
        """How far a text that begins or ends at its place keeps off it."""
        return _ASIDE[self.anchor]

    @property
    def right(self) -> float:
        return self.left + self.label.width


_BEFORE = {"middle": 0.5, "end": 1.0, "start": 0.0}
"""Which part of a text stands left of its place."""

_ASIDE = {"middle": 0.0, "end": -3.0, "start": 3.0}

_GAP = 4.0
_CLEAR = 1.0


def place(
    labels: Sequence[Label], width: float, lines: Sequence[float] = (), rows: int = 1, *, above: bool = False
) -> list[Placed]:
    """The labels that fit into ``width`` and so many rows, the first ones before the others.

    No two meet, and none meets one of the upright ``lines``. Labels that stand ``above`` the lines do not meet their
    own, which ends below them, and in a further row none at all.
    """
    placed: list[Placed] = []
    for label in labels:
        ways = (Placed(label, anchor, row) for row in range(rows) for anchor in _BEFORE)
        fitting = (way for way in ways if _fits(way, width, _met(way, lines, above), placed))
        placed.extend([way for way in (next(fitting, None),) if way])
    return placed


def _met(way: Placed, lines: Sequence[float], above: bool) -> Sequence[float]:
    """The lines that a label may meet."""
    if not above:
        return lines
    return [] if way.row else [x for x in lines if x != way.label.x]


def _fits(way: Placed, width: float, lines: Sequence[float], others: Sequence[Placed]) -> bool:
    crossed = any(way.left - _CLEAR < x < way.right + _CLEAR for x in lines)
    met = any(each.row == way.row and _meet(way, each) for each in others)
    return way.left >= 0 and way.right <= width and not crossed and not met


def _meet(one: Placed, other: Placed) -> bool:
    return one.left < other.right + _GAP and other.left < one.right + _GAP


def duration(seconds: int) -> str:
    """A round time for the axis: ``15 min``, ``2 h``, ``1 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
