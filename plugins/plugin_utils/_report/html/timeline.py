# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The picture: one keepalive on a line of seconds, and what forgets the connection there. Private to this collection.

Pure functions from seconds to SVG. Nothing is told by colour alone: what is late is hatched and crossed out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

from .markup import Markup, join, tag
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
class Mark:
    """An idle limit on the line; ``decides`` where no other is lower."""

    seconds: int
    name: str
    decides: bool


@dataclass(frozen=True)
class Lane:
    """One keepalive (a KEEPALIVE of the report, None: not read), the limits it meets, lowest first, and the policy."""

    keepalive: Mapping[str, Any] | None
    limits: tuple[Mark, ...]
    lost_probes: int
    margin: int

    @property
    def limit(self) -> Mark | None:
        return next((mark for mark in self.limits if mark.decides), None)

    @property
    def spare_seconds(self) -> int | None:
        """Between the latest probe that counts and the limit; negative is too late."""
        if self.keepalive is None or self.limit is None:
            return None
        return self.limit.seconds - int(self.keepalive["latest_seconds"])

    @property
    def usable(self) -> bool:
        """Whether idle connections survive this keepalive at all."""
        values = self.keepalive or {}
        return all(values.get(name, 0) >= 1 for name in ("time", "intvl", "probes"))

    @property
    def late(self) -> bool:
        return self.keepalive is not None and (
            not self.usable or (self.spare_seconds is not None and self.spare_seconds < self.margin)
        )

    def probes(self) -> list[int]:
        """The seconds of the first probe and of those that follow it while they are lost."""
        values = self.keepalive or {}
        return [values["time"] + number * values["intvl"] for number in range(min(self.lost_probes, 20) + 1)]

    def seconds(self) -> list[int]:
        """Everything that the picture shows."""
        found = [mark.seconds for mark in self.limits]
        if self.keepalive is not None:
            found += [self.keepalive[name] for name in ("time", "silence_seconds", "latest_seconds")]
            found.append(self.keepalive["given_up_seconds"])
        return found


def picture(lane: Lane, scale: Scale, said: str) -> Markup:
    """The lane drawn for wide and for narrow screens; ``said`` is what a screen reader says in its place."""
    return join(_Drawing(lane, scale, size).svg(said) for size in (WIDE, NARROW))


def patterns() -> Markup:
    """The hatches that the pictures of a page use; once a page."""
    slack = tag("line", x1=0, y1=0, x2=0, y2=6, class_="hatch-slack")
    late = tag("line", x1=0, y1=0, x2=0, y2=7, class_="hatch-late")
    beyond = tag("line", x1=0, y1=0, x2=0, y2=9, class_="hatch-beyond")
    defined = [
        _pattern("slack", 6, 45, slack),
        _pattern("late", 7, -45, late),
        _pattern("beyond", 9, 45, beyond),
    ]
    return tag(
        "svg", tag("defs", *defined), class_="patterns", width=0, height=0, aria_hidden="true", focusable="false"
    )


def _pattern(name: str, step: int, angle: int, line: Markup) -> Markup:
    turned = f"rotate({angle})"
    return tag(
        "pattern", line, id=name, width=step, height=step, patternUnits="userSpaceOnUse", patternTransform=turned
    )


class _Drawing:
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

    def svg(self, said: str) -> Markup:
        box = f"0 0 {self.size.width:g} {self.height:g}"
        parts = [*self.beyond(), *self.ticks(), *self.silence(), *self.spare(), *self.limits(), *self.events()]
        return tag("svg", *parts, class_=f"line {self.size.class_}", viewBox=box, role="img", aria_label=said)

    def beyond(self) -> Iterator[Markup]:
        """Where the connection is forgotten already."""
        limit = self.lane.limit
        if limit is None:
            return
        x, y = self.x(limit.seconds), self.top - 3
        box = {"x": x, "y": y, "width": self.size.width - x, "height": float(_BAR + 6)}
        yield tag("rect", class_="beyond", **box)
        yield tag("rect", class_="beyond-hatch", fill="url(#beyond)", **box)
        end = self.size.width - 8
        yield tag("text", "forgotten", class_="forgotten", x=end, y=self.bottom - 6, text_anchor="end")
        if self.lane.margin:
            yield self.upright(self.x(limit.seconds - self.lane.margin), self.top - 3, self.bottom + 3, "margin")

    def ticks(self) -> Iterator[Markup]:
        end = self.size.width
        yield tag("line", class_="axis", x1=_LEFT, y1=self.axis, x2=end, y2=self.axis)
        for tick in [0, *self.scale.ticks()]:
            yield self.upright(self.x(tick), self.axis, self.axis + 4, "axis")
        for label in spread([self.label(tick, duration(tick), "tick") for tick in [0, *self.scale.ticks()]], 2 * _GAP):
            yield tag("text", label.text, class_="tick", x=label.x, y=self.axis + 17, text_anchor="middle")

    def silence(self) -> Iterator[Markup]:
        keepalive = self.lane.keepalive
        if keepalive is None:
            yield self.block(0, self.scale.top, "unread")
            yield tag("text", "not read", class_="inside", x=self.x(0) + 10, y=self.bottom - 6)
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

    def spare(self) -> Iterator[Markup]:
        """An arrow over what is left until the limit."""
        limit, keepalive = self.lane.limit, self.lane.keepalive
        if limit is None or keepalive is None or keepalive["latest_seconds"] >= limit.seconds:
            return
        begin, end = self.x(keepalive["latest_seconds"]) + 3, self.x(limit.seconds) - 3
        if end - begin < 12:
            return
        y = self.top + _BAR / 2
        yield tag("line", class_="spare", x1=begin, y1=y, x2=end, y2=y)
        for tip, back in ((begin, begin + 5), (end, end - 5)):
            points = f"{back:.1f},{y - 4:.1f} {tip:.1f},{y:.1f} {back:.1f},{y + 4:.1f}"
            yield tag("polyline", class_="spare", points=points)

    def block(self, begin: int, end: int, class_: str, **more: str) -> Markup:
        x = self.x(begin)
        return tag("rect", class_=class_, x=x, y=self.top, width=max(self.x(end) - x, 0.0), height=_BAR, **more)

    def limits(self) -> Iterator[Markup]:
        for placed, mark in zip(self.above, self.lane.limits, strict=True):
            x, y = placed.label.x, self.top - 6 - placed.row * _ROW
            yield self.upright(x, y - 10, self.bottom + (6 if mark.decides else 3), placed.label.kind)
            yield tag("text", placed.label.text, class_=placed.label.kind, x=placed.left, y=y - 1)

    def events(self) -> Iterator[Markup]:
        for placed in self.below:
            x, y = placed.label.x, self.bottom + 14 + placed.row * _ROW
            yield self.upright(x, self.bottom, y, "pole")
            yield tag("text", placed.label.text, class_=f"event {placed.label.kind}", x=placed.left, y=y)
        if self.lane.keepalive is not None:
            yield from self.marks()

    def marks(self) -> Iterator[Markup]:
        """Probes as dots, crossed out where they come too late; the end of a dead peer as a lozenge."""
        limit, middle = self.lane.limit, self.top + _BAR / 2
        x = self.x((self.lane.keepalive or {})["given_up_seconds"])
        corners = f"{x:.1f},{middle - 7:.1f} {x + 5:.1f},{middle:.1f} {x:.1f},{middle + 7:.1f} {x - 5:.1f},{middle:.1f}"
        yield tag("polygon", class_="verdict", points=corners)
        for number, seconds in reversed(list(enumerate(self.lane.probes()))):
            late = limit is not None and seconds > limit.seconds
            yield self.dot(self.x(seconds), middle, self.size.dot * (0.7 if number else 1), late)

    def dot(self, x: float, y: float, radius: float, late: bool) -> Markup:
        circle = tag("circle", class_="dot late" if late else "dot", cx=x, cy=y, r=radius)
        if not late:
            return circle
        arm = radius * 0.6
        cross = [(x - arm, y - arm, x + arm, y + arm), (x - arm, y + arm, x + arm, y - arm)]
        return join([circle, *(tag("line", class_="cross", x1=x1, y1=y1, x2=x2, y2=y2) for x1, y1, x2, y2 in cross)])

    def upright(self, x: float, begin: float, end: float, class_: str) -> Markup:
        return tag("line", class_=class_, x1=x, y1=begin, x2=x, y2=end)


def _rows(placed: Sequence[Placed]) -> int:
    return max((each.row + 1 for each in placed), default=0)


def _kind(mark: Mark) -> str:
    return "limit decides" if mark.decides else "limit"
