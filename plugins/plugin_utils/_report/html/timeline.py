# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The picture: one keepalive on a line of seconds, and what forgets the connection there. Private to this collection.

From seconds to the shapes of an SVG, which templates/line.html.j2 writes. Nothing is told by colour alone: what is late
is hatched and crossed out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

from .lane import Lane, Mark
from .scale import Label, Placed, Scale, duration, place, spread


@dataclass(frozen=True)
class Size:
    """A picture's width and the place of its line, in units of its view box; ``class_`` says for which screens."""

    class_: str
    width: float
    right: float
    character: float
    dot: float


# The line ends ``right`` before the picture does: the last flag flies there. ``character`` is how wide one is on
# average, at the style sheet's size, in a font that is as wide as any, ``dot`` the radius of the first probe.
WIDE = Size("wide", 900, 228, 7.6, 6)
NARROW = Size("narrow", 340, 140, 7.2, 4.5)

_LEFT = 10
_ROW = 17
_BAR = 20
_GAP = 5
_AXIS = 22
# Bold text is wider.
_BOLD = 1.12


@dataclass(frozen=True)
class Shape:
    """An element of SVG."""

    element: str
    class_: str
    attributes: Mapping[str, float | str]
    text: str = ""


class Drawing:
    """One lane at one size: rows of limits above, the bar, rows of what keepalive does below, the axis."""

    def __init__(self, lane: Lane, scale: Scale, size: Size) -> None:
        self.lane, self.scale, self.size = lane, scale, size
        self.above = place(self.limit_labels(), _GAP)
        self.below = place(self.event_labels(), _GAP)
        self.top = _rows(self.above) * _ROW + 6.0
        self.bottom = self.top + _BAR
        self.axis = self.bottom + _rows(self.below) * _ROW + 14

    @property
    def height(self) -> float:
        return self.axis + _AXIS

    def x(self, seconds: float) -> float:
        return _LEFT + self.scale.at(seconds) * (self.size.width - self.size.right - _LEFT)

    def label(self, seconds: int, text: str, kind: str, factor: float = 1.0) -> Label:
        """A label that ends inside the picture; a name that is too long loses its end."""
        x, character = self.x(seconds), self.size.character * factor
        fits = int((self.size.width - x - _GAP) / character)
        shown = text if len(text) <= fits else f"{text[: fits - 1]}\N{HORIZONTAL ELLIPSIS}"
        return Label(x, shown, kind, len(shown) * character)

    def limit_labels(self) -> list[Label]:
        return [
            self.label(mark.seconds, f"{mark.seconds} s {mark.name}", _kind(mark), _BOLD if mark.decides else 1.0)
            for mark in self.lane.limits
        ]

    def event_labels(self) -> list[Label]:
        keepalive, lost = self.lane.keepalive, self.lane.lost_probes
        if keepalive is None:
            return []
        events = [(keepalive["time"], "first probe", "probe")]
        if lost:
            events.append((keepalive["silence_seconds"], f"{count(lost, 'probe')} lost", "lost"))
        events.append((keepalive["latest_seconds"], "with timer slack", "slack"))
        events.append((keepalive["given_up_seconds"], "peer given up", "verdict"))
        return [self.label(seconds, f"{seconds} s {text}", kind) for seconds, text, kind in events]

    def shapes(self) -> Iterator[Shape]:
        """What is in front comes later."""
        yield from (*self.beyond(), *self.ticks(), *self.silence(), *self.spare(), *self.limits(), *self.events())

    def beyond(self) -> Iterator[Shape]:
        """Where the connection is forgotten already."""
        limit = self.lane.limit
        if limit is None:
            return
        x, y = self.x(limit.seconds), self.top - 3
        box = {"x": x, "y": y, "width": self.size.width - x, "height": float(_BAR + 6)}
        yield Shape("rect", "beyond", box)
        yield Shape("rect", "beyond-hatch", {**box, "fill": "url(#beyond)"})
        end = self.size.width - 8
        yield _text("forgotten", end, self.bottom - 6, "forgotten", {"text-anchor": "end"})
        if self.lane.margin:
            yield _upright("margin", self.x(limit.seconds - self.lane.margin), self.top - 3, self.bottom + 3)

    def ticks(self) -> Iterator[Shape]:
        end = self.size.width
        yield _line("axis", _LEFT, self.axis, end, self.axis)
        for tick in [0, *self.scale.ticks()]:
            yield _upright("axis", self.x(tick), self.axis, self.axis + 4)
        for label in spread([self.label(tick, duration(tick), "tick") for tick in [0, *self.scale.ticks()]], 2 * _GAP):
            yield _text("tick", label.x, self.axis + 17, label.text, {"text-anchor": "middle"})

    def silence(self) -> Iterator[Shape]:
        keepalive = self.lane.keepalive
        if keepalive is None:
            yield self.block(0, self.scale.top, "unread")
            yield _text("inside", self.x(0) + 10, self.bottom - 6, "not read")
            return
        time, silence, latest = (keepalive[name] for name in ("time", "silence_seconds", "latest_seconds"))
        yield self.block(0, time, "silent")
        yield self.block(time, silence, "losing")
        yield self.block(silence, latest, "slack")
        yield self.block(silence, latest, "slack-hatch", fill="url(#slack)")
        limit = self.lane.limit
        if limit and latest > limit.seconds:
            yield self.block(limit.seconds, latest, "late")
            yield self.block(limit.seconds, latest, "late-hatch", fill="url(#late)")

    def spare(self) -> Iterator[Shape]:
        """An arrow over what is left until the limit."""
        limit, keepalive = self.lane.limit, self.lane.keepalive
        if limit is None or keepalive is None or keepalive["latest_seconds"] >= limit.seconds:
            return
        begin, end = self.x(keepalive["latest_seconds"]) + 3, self.x(limit.seconds) - 3
        if end - begin < 12:
            return
        y = self.top + _BAR / 2
        yield _line("spare", begin, y, end, y)
        for tip, back in ((begin, begin + 5), (end, end - 5)):
            yield _corners("polyline", "spare", (back, y - 4), (tip, y), (back, y + 4))

    def block(self, begin: int, end: int, class_: str, **more: str) -> Shape:
        x = self.x(begin)
        box = {"x": x, "y": self.top, "width": max(self.x(end) - x, 0.0), "height": _BAR}
        return Shape("rect", class_, {**box, **more})

    def limits(self) -> Iterator[Shape]:
        for placed, mark in zip(self.above, self.lane.limits, strict=True):
            x, y = placed.label.x, self.top - 6 - placed.row * _ROW
            yield _upright(placed.label.kind, x, y - 10, self.bottom + (6 if mark.decides else 3))
            yield _text(placed.label.kind, placed.left, y - 1, placed.label.text)

    def events(self) -> Iterator[Shape]:
        for placed in self.below:
            x, y = placed.label.x, self.bottom + 14 + placed.row * _ROW
            yield _upright("pole", x, self.bottom, y)
            yield _text(f"event {placed.label.kind}", placed.left, y, placed.label.text)
        if self.lane.keepalive is not None:
            yield from self.marks()

    def marks(self) -> Iterator[Shape]:
        """Probes as dots, crossed out where they come too late; the end of a dead peer as a lozenge."""
        limit, middle = self.lane.limit, self.top + _BAR / 2
        x = self.x((self.lane.keepalive or {})["given_up_seconds"])
        yield _corners("polygon", "verdict", (x, middle - 7), (x + 5, middle), (x, middle + 7), (x - 5, middle))
        for number, seconds in reversed(list(enumerate(self.lane.probes()))):
            late = limit is not None and seconds > limit.seconds
            yield from _dot(self.x(seconds), middle, self.size.dot * (0.7 if number else 1), late)


def _line(class_: str, x1: float, y1: float, x2: float, y2: float) -> Shape:
    return Shape("line", class_, {"x1": x1, "y1": y1, "x2": x2, "y2": y2})


def _upright(class_: str, x: float, begin: float, end: float) -> Shape:
    return _line(class_, x, begin, x, end)


def _text(class_: str, x: float, y: float, text: str, more: Mapping[str, str] | None = None) -> Shape:
    return Shape("text", class_, {"x": x, "y": y, **(more or {})}, text)


def _corners(element: str, class_: str, *points: tuple[float, float]) -> Shape:
    return Shape(element, class_, {"points": " ".join(f"{x:.1f},{y:.1f}" for x, y in points)})


def _dot(x: float, y: float, radius: float, late: bool) -> Iterator[Shape]:
    yield Shape("circle", "dot late" if late else "dot", {"cx": x, "cy": y, "r": radius})
    if late:
        arm = radius * 0.6
        yield _line("cross", x - arm, y - arm, x + arm, y + arm)
        yield _line("cross", x - arm, y + arm, x + arm, y - arm)


def _rows(placed: Sequence[Placed]) -> int:
    return max((each.row + 1 for each in placed), default=0)


def _kind(mark: Mark) -> str:
    return "limit decides" if mark.decides else "limit"
