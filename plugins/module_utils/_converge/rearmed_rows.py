# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What re-arming came to, as rows and in words. Pure. Private to this collection."""

from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .rearming import Part
from .rearming_reasons import GONE, TODO

MAX_ROWS = 200
"""More rows are only counted."""

MAX_ROWS_OF_ONE = 200
"""More rows of one network namespace become one without peer and process: its programs may make any number."""

_MANY = 10


class Of(NamedTuple):
    """A network namespace as node_info has it: kind, what to call it, and the key of its pod or container."""

    kind: str
    label: str
    uid: Optional[str]


class Row(NamedTuple):
    of: Of
    part: Part


class Totals(NamedTuple):
    rearmed: int
    not_rearmed: int


class Merged:
    """The parts of one network namespace, those of the same process and peer as one, within bounds."""

    def __init__(self) -> None:
        self._parts: Dict[Tuple[Optional[str], Optional[int]], Part] = {}

    def add(self, part: Part) -> None:
        place = (part.peer, part.pid)
        if place not in self._parts and len(self._parts) >= MAX_ROWS_OF_ONE:
            place, part = (None, None), part._replace(peer=None, process=None, pid=None)
        before = self._parts.get(place)
        self._parts[place] = part if before is None else _sum(before, part)

    @property
    def parts(self) -> List[Part]:
        return list(self._parts.values())


def bounded(parts: Iterable[Part]) -> Iterator[Part]:
    """The first parts of one network namespace as they come, and all further ones as one, without peer and process."""
    rest: Optional[Part] = None
    for number, part in enumerate(parts):
        if number < MAX_ROWS_OF_ONE:
            yield part
            continue
        part = part._replace(peer=None, process=None, pid=None)
        rest = part if rest is None else _sum(rest, part)
    if rest is not None:
        yield rest


def totals(rows: Iterable[Row]) -> Totals:
    rearmed = left = 0
    for row in rows:
        rearmed += row.part.rearmed
        left += left_of(row.part)
    return Totals(rearmed, left)


def worst(rows: Iterable[Row]) -> List[Row]:
    """Those with most connections that were not re-armed first, then those with most that were; all of them."""
    return sorted(rows, key=lambda row: (-left_of(row.part), -row.part.rearmed, row.of.label, str(row.part[:3])))


def as_plain(row: Row, pod: Optional[str]) -> Dict[str, Any]:
    """As node_settings documents it; pod is that of a process in the node's own namespace."""
    part = row.part
    process = None if part.pid is None else {"name": part.process, "pid": part.pid, "pod": pod}
    left = [{"reason_id": each, "reason": part.left[each][0], "connections": part.left[each][1]} for each in part.left]
    return dict(row.of._asdict(), peer=part.peer, process=process, rearmed=part.rearmed, not_rearmed=left)


def notes(rows: Iterable[Row]) -> List[str]:
    """A note a reason, with whose connections were not re-armed for it; none for those that are closed."""
    whose: Dict[str, Dict[str, int]] = {}
    texts: Dict[str, str] = {}
    for row in rows:
        for identity, (text, number) in row.part.left.items():
            label = _label(row)
            texts.setdefault(identity, text)
            names = whose.setdefault(identity, {})
            names[label] = names.get(label, 0) + number
    return [_note(texts[each], whose[each], TODO[each]) for each in sorted(whose) if each != GONE]


def not_looked_at(whose: Mapping[str, Sequence[str]]) -> List[str]:
    """A note a problem, with what to call the network namespaces that have it."""
    return [
        f"open connections of {_some(names)} were not looked at ({why}). Run this again."
        for why, names in whose.items()
    ]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_MANY]) + (f" and {len(names) - _MANY} more" if len(names) > _MANY else "")


def _note(text: str, names: Dict[str, int], todo: str) -> str:
    number = sum(names.values())
    first = sorted(names, key=lambda name: (-names[name], name))
    told = _some([f"{name} ({names[name]})" for name in first])
    connections = "1 open connection at risk was" if number == 1 else f"{number} open connections at risk were"
    return f"{connections} not re-armed, because {text}: {told}. {todo}"


def _label(row: Row) -> str:
    """Of the node itself the process, for nobody restarts the node."""
    if row.of.kind != "node" or row.part.pid is None:
        return row.of.label
    return f"process {row.part.process} ({row.part.pid})"


def left_of(part: Part) -> int:
    """How many of its connections were not re-armed."""
    return sum(number for _text, number in part.left.values())


def _sum(one: Part, other: Part) -> Part:
    left = dict(one.left)
    for identity, (text, number) in other.left.items():
        first, before = left.get(identity, (text, 0))
        left[identity] = (first, before + number)
    return one._replace(rearmed=one.rearmed + other.rearmed, left=left)
