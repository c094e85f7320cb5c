# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A group's picture: a head, a row for each keepalive, an axis, all with the same seconds at the same place. Private.

From seconds to the shapes of SVG, which templates/line.html.j2 writes. Across, all is in percent, so that a picture is
as wide as there is room and its text as large as any other; down, it is in pixels. Nothing is told by colour alone:
what is late is hatched and crossed out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .lane import Lane, Mark
from .scale import Label, Placed, Scale, duration, place

_WIDTHS = {"tight": 290.0, "roomy": 550.0}
"""The narrowest picture of a phone, and of any wider screen, in pixels."""

_CHARACTER = 7.7
"""How wide one is at the style sheet's size of 12 pixels, in a font that is as wide as any."""

_BOLD = 1.12
_LINE = 15
_TOP = 8
_BAR = 16
_BOTTOM = _TOP + _BAR
_TEXT = _BOTTOM + 15

AXIS_HEIGHT = 24
LANE_HEIGHT = _TEXT + 7
"""Of these a row needs at least so many pixels; its words may make it higher."""


_Attributes = dict[str, float | str]


@dataclass(frozen=True)
class Shape:
    """An element of SVG."""

    element: str
    class_: str
    attributes: Mapping[str, float | str]
    text: str = ""


def _x(scale: Scale, seconds: float) -> str:
    return f"{round(100 * scale.at(seconds), 1):g}%"


class Head:
    """The seconds of all limits of a group, above their lines."""

    def __init__(self, limits: Sequence[Mark], scale: Scale) -> None:
        ordered = sorted(limits, key=lambda mark: not mark.decides)
        self._placed = _fitting(
            scale, [(mark.seconds, f"{mark.seconds} s", _kind(mark)) for mark in ordered], limits, above=True
        )
        self._limits, self._scale = limits, scale

    @property
    def rows(self) -> int:
        return max((each.row + 1 for _class, each in self._placed), default=0)

    @property
    def height(self) -> int:
        return self.rows * _LINE + 6

    def shapes(self) -> Iterator[Shape]:
        for class_, each in self._placed:
            bottom = self.height - each.row * _LINE
            yield _text(f"{each.label.kind} {class_}".strip(), self._scale, each, bottom - 7)
            yield _upright(each.label.kind, _x(self._scale, each.label.seconds), f"{bottom - 4}")


def lane_shapes(lane: Lane, scale: Scale) -> Iterator[Shape]:
    """What is in front comes later."""
    yield from (*_beyond(lane, scale), *_silence(lane, scale), *_spare(lane, scale), *_limits(lane, scale))
    yield from (*_events(lane, scale), *_marks(lane, scale))


def axis_shapes(scale: Scale) -> Iterator[Shape]:
    ticks = [0, *scale.ticks()]
    yield Shape("line", "axis", {"x1": "0%", "y1": 1, "x2": "100%", "y2": 1})
    for tick in ticks:
        yield Shape("line", "axis", {"x1": _x(scale, tick), "y1": 1, "x2": _x(scale, tick), "y2": 6})
    for class_, each in _fitting(scale, [(tick, duration(tick), "tick") for tick in ticks], ()):
        yield _text(f"tick {class_}".strip(), scale, each, 19)


def legend_of(lanes: Iterable[Lane]) -> list[str]:
    """The classes of the marks that these rows have."""
    kinds: dict[str, bool] = dict.fromkeys(
        ("dot", "dot late", "losing", "slack", "verdict", "margin", "beyond", "late", "spare"), False
    )
    for lane in lanes:
        kinds["beyond"] |= lane.limit is not None
        kinds["margin"] |= lane.limit is not None and lane.margin > 0
        if lane.keepalive is not None:
            late = [_is_late(lane, seconds) for seconds in lane.probes()]
            kinds["dot"] |= not all(late)
            kinds["dot late"] |= any(late)
            kinds["losing"] |= lane.lost_probes > 0
            kinds["slack"] = kinds["verdict"] = True
            if lane.limit is not None:
                spare = lane.limit.seconds - lane.keepalive["latest_seconds"]
                kinds["late"] |= spare < 0
                kinds["spare"] |= spare > 0
    return [kind for kind, there in kinds.items() if there]


def _beyond(lane: Lane, scale: Scale) -> Iterator[Shape]:
    """Where the connection is forgotten already."""
    if lane.limit is None:
        return
    begin = scale.at(lane.limit.seconds)
    box: _Attributes = {
        "x": _x(scale, lane.limit.seconds),
        "y": 0,
        "width": f"{100 - round(100 * begin, 1):g}%",
        "height": "100%",
    }
    yield Shape("rect", "beyond", box)
    yield Shape("rect", "beyond-hatch", {**box, "fill": "url(#beyond)"})
    if lane.margin:
        yield _upright("margin", _x(scale, lane.limit.seconds - lane.margin))


def _silence(lane: Lane, scale: Scale) -> Iterator[Shape]:
    keepalive = lane.keepalive
    if keepalive is None:
        yield _block(scale, 0, scale.top, "unread")
        return
    time, silence, latest = (keepalive[name] for name in ("time", "silence_seconds", "latest_seconds"))
    yield _block(scale, 0, time, "silent")
    yield _block(scale, time, silence, "losing")
    yield _block(scale, silence, latest, "slack")
    yield _block(scale, silence, latest, "slack-hatch", fill="url(#slack)")
    if lane.limit and latest > lane.limit.seconds:
        yield _block(scale, lane.limit.seconds, latest, "late")
        yield _block(scale, lane.limit.seconds, latest, "late-hatch", fill="url(#late)")


def _spare(lane: Lane, scale: Scale) -> Iterator[Shape]:
    """An arrow over what is left until the limit, above the lozenge."""
    limit, keepalive = lane.limit, lane.keepalive
    if limit is None or keepalive is None:
        return
    begin, end = scale.at(keepalive["latest_seconds"]) + 0.012, scale.at(limit.seconds) - 0.012
    if end - begin >= 0.04:
        y = _TOP / 2
        ends: _Attributes = {"x1": f"{100 * begin:.1f}%", "y1": y, "x2": f"{100 * end:.1f}%", "y2": y}
        yield Shape("line", "spare", {**ends, "marker-start": "url(#tip)", "marker-end": "url(#tip)"})


def _limits(lane: Lane, scale: Scale) -> Iterator[Shape]:
    for mark in lane.limits:
        yield _upright(_kind(mark), _x(scale, mark.seconds))


def _events(lane: Lane, scale: Scale) -> Iterator[Shape]:
    for class_, each in _fitting(
        scale, [(seconds, f"{seconds} s", kind) for seconds, kind in lane.events().items()], lane.limits
    ):
        yield _text(f"event {class_}".strip(), scale, each, _TEXT)


def _marks(lane: Lane, scale: Scale) -> Iterator[Shape]:
    """Probes as dots, crossed out where they come too late; the end of a dead peer as a lozenge."""
    if lane.keepalive is None:
        return
    middle = _TOP + _BAR / 2
    given_up: _Attributes = {"href": "#verdict", "x": _x(scale, lane.keepalive["given_up_seconds"]), "y": middle}
    yield Shape("use", "verdict", given_up)
    for number, seconds in reversed(list(enumerate(lane.probes()))):
        kind = "dot late" if _is_late(lane, seconds) else "dot"
        place_of_it: _Attributes = {"x": _x(scale, seconds), "y": middle}
        yield Shape("use", kind, {"href": f"#{kind.replace(' ', '-')}{'-small' if number else ''}", **place_of_it})


def _is_late(lane: Lane, seconds: int) -> bool:
    return lane.limit is not None and seconds > lane.limit.seconds


def _fitting(
    scale: Scale, labels: Sequence[tuple[int, str, str]], limits: Sequence[Mark], *, above: bool = False
) -> list[tuple[str, Placed]]:
    """What fits, with the class of the screens that it is for; without one where all are the same.

    ``above`` the lines of the limits there are two rows.
    """
    placed: dict[str, dict[str, Placed]] = {}
    for class_, width in _WIDTHS.items():
        on_lines = [width * scale.at(mark.seconds) for mark in limits]
        wanted = [_label(width * scale.at(seconds), seconds, text, kind) for seconds, text, kind in labels]
        placed[class_] = {
            each.label.text: each for each in place(wanted, width, on_lines, 2 if above else 1, above=above)
        }
    tight, roomy = (placed[class_] for class_ in _WIDTHS)
    same = {text for text in tight if text in roomy and _stands(tight[text]) == _stands(roomy[text])}
    both = [("", tight[text]) for text in same]
    return sorted(
        [*both, *((name, each) for name, found in placed.items() for text, each in found.items() if text not in same)],
        key=lambda pair: (pair[1].label.seconds, pair[0]),
    )


def _label(at: float, seconds: int, text: str, kind: str) -> Label:
    return Label(seconds, at, text, kind, len(text) * _CHARACTER * (_BOLD if "decides" in kind else 1))


def _stands(placed: Placed) -> tuple[str, int]:
    return placed.anchor, placed.row


def _block(scale: Scale, begin: int, end: int, class_: str, **more: str) -> Shape:
    width = max(scale.at(end) - scale.at(begin), 0)
    box: _Attributes = {"x": _x(scale, begin), "y": _TOP, "width": f"{round(100 * width, 1):g}%", "height": _BAR}
    return Shape("rect", class_, {**box, **more})


def _upright(class_: str, place_of_it: str, begin: str = "0") -> Shape:
    return Shape("line", class_, {"x1": place_of_it, "y1": begin, "x2": place_of_it, "y2": "100%"})


def _text(class_: str, scale: Scale, placed: Placed, y: float) -> Shape:
    where: _Attributes = {"x": _x(scale, placed.label.seconds), "y": y}
    anchor: _Attributes = {} if placed.anchor == "middle" else {"text-anchor": placed.anchor, "dx": placed.aside}
    return Shape("text", class_, {**where, **anchor}, placed.label.text)


def _kind(mark: Mark) -> str:
    return "limit decides" if mark.decides else "limit"
