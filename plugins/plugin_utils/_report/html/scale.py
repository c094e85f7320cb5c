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
    """``text`` for the place ``x``, at most ``width`` wide; ``kind`` is its class in the picture."""

    x: float
    text: str
    kind: str
    width: float


@dataclass(frozen=True)
class Placed:
    """A label on a line of text, ``row`` 0 nearest to the picture; its text takes ``left`` to ``right`` at most."""

    label: Label
    row: int
    left: float

    @property
    def right(self) -> float:
        return self.left + self.label.width


def place(labels: Sequence[Label], gap: float) -> list[Placed]:
    """Each label as a flag that flies to the right from its place, from left to right.

    No two meet, and no flagpole goes through a text: what begins under a flag is nearer to the picture than the flag.
    ``gap``: between a pole and its text, and after a text.
    """
    placed: list[Placed] = []
    for label in sorted(labels, key=lambda each: each.x, reverse=True):
        left = label.x + gap
        end = left + label.width + gap
        row = max((other.row + 1 for other in placed if other.label.x < end), default=0)
        placed.append(Placed(label, row, left))
    return placed[::-1]


def spread(labels: Sequence[Label], gap: float) -> list[Label]:
    """Those labels, from the left, that fit into one line when each is centred at its place."""
    kept: list[Label] = []
    end = -math.inf
    for label in sorted(labels, key=lambda each: each.x):
        if label.x - label.width / 2 >= end + gap:
            kept.append(label)
            end = label.x + label.width / 2
    return kept


def duration(seconds: int) -> str:
    """A round time for the axis: ``15 min``, ``2 h``, ``1 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
