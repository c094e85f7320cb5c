# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Re-arms the open connections of many network namespaces, in children that enter them. Private to this collection.

None of the namespaces stops the others: each has a child and a time of its own.
"""

import functools
import time
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import child, namespace_paths, namespaces
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import at_risk
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.attribution import Attributed

from . import rearming, rearming_reasons
from .rearmed_rows import Merged, bounded, left_of
from .rearming import Order, Part
from .rearming_options import ALL, OpenConnections

_ALL_SECONDS = 60
_SPACE_SECONDS = 10
_CHILD_SECONDS = 12
"""Then the child of a namespace that does not keep to its time is killed."""

_WAYS = 3
"""A process may end while we look, so some others of its namespace are tried."""

_TOTAL, _PART, _PROBLEM, _END = range(4)
"""What a child tells of a namespace: how many sockets are at risk, what became of some, why not of all, and the end."""


class Look(NamedTuple):
    """What is the same for all of them.

    services are the names of destinations, ask_netlink what inet_diag.loads_nothing() says, planned the keepalive that
    a run gives to some namespaces, by their inodes: by it is judged what is at risk. check: nothing is set. given: as
    in Order.
    """

    wish: OpenConnections
    services: Dict[Any, str]
    ask_netlink: bool
    planned: Dict[int, Keepalive]
    check: bool
    proc: str
    given: Tuple[Keepalive, ...]


class Told:
    """What children have told of one namespace so far."""

    def __init__(self) -> None:
        self.total = 0
        self._merged = Merged()
        self.problem: Optional[str] = None
        self.ended = False

    def add(self, kind: int, value: Any) -> None:
        if kind == _TOTAL:
            self.total = value
        elif kind == _PART:
            part = Part(*value)
            left = {each: (text, number) for each, (text, number) in part.left.items()}
            self._merged.add(part._replace(left=left))
        elif kind == _PROBLEM:
            self.problem = value
        self.ended = self.ended or kind in (_PROBLEM, _END)

    def end(self, why: str) -> None:
        """Nobody tells more of it."""
        self.ended = True
        if not self.total:
            self.problem = why
        known = sum(part.rearmed + left_of(part) for part in self.parts)
        if known < self.total:
            slow = rearming_reasons.too_slow(why)
            self._merged.add(Part(None, None, None, 0, {slow.id: (slow.text, self.total - known)}))

    @property
    def parts(self) -> List[Part]:
        return self._merged.parts


def rearm_all(targets: List[Attributed], look: Look) -> Dict[int, Told]:
    """What became of each namespace."""
    told = {each.space.inode: Told() for each in targets}
    end = time.monotonic() + _ALL_SECONDS
    for each in _in_turn(targets, int(time.time())):
        of_one, now = told[each.space.inode], time.monotonic()
        if now >= end:
            of_one.end(f"{_ALL_SECONDS} s were over before their turn came")
            continue
        seconds = max(1, min(_CHILD_SECONDS, int(end - now)))
        work = functools.partial(_visit, each, look, min(end, now + _SPACE_SECONDS))
        values, problem = child.collect(work, seconds)
        for kind, value in values:
            of_one.add(kind, value)
        if not of_one.ended:
            of_one.end(f"the process that enters its network namespace {problem}")
    return told


def _in_turn(targets: List[Attributed], start: int) -> List[Attributed]:
    """The node's own first, then the others, in each run from another one on: some may use up the time of all."""
    own = [each for each in targets if each.space.own]
    others = [each for each in targets if not each.space.own]
    at = start % max(1, len(others))
    return own + others[at:] + others[:at]


def _visit(each: Attributed, look: Look, deadline: float) -> Iterator[Tuple[int, Any]]:
    """What becomes of a namespace. Changes the namespace of this process."""
    space, wish = each.space, look.wish
    try:
        default = _own_keepalive(None)
        if not space.own and not namespace_paths.enter(space.inode, _ways(each, look.proc)):
            yield _END, None  # it has ended, with all its connections
            return
        own = _own_keepalive(default)
    except (OSError, ImportError, AttributeError, ValueError) as error:
        yield _PROBLEM, str(error)
        return
    limits = at_risk.Limits(wish.limit, wish.outside_limit, wish.mode == ALL)
    found = at_risk.read(look.services, look.ask_netlink, look.planned.get(space.inode, own), limits)
    if found.error:
        yield _PROBLEM, found.error
        return
    yield _TOTAL, len(found.sockets) + found.more
    if found.more:
        beyond = rearming_reasons.beyond(at_risk.MAX_SOCKETS)
        yield _PART, Part(None, None, None, 0, {beyond.id: (beyond.text, found.more)})
    order = Order(wish.keepalive, own, wish.mode != ALL, look.check, deadline, look.given)
    for part in bounded(rearming.rearm(found.sockets, space.pids, order)):
        yield _PART, part
    yield _END, None


def _ways(each: Attributed, proc: str) -> List[str]:
    return [f"{proc}/{process.pid}/ns/net" for process in each.processes[:_WAYS]]


def _own_keepalive(default: Optional[Keepalive]) -> Keepalive:
    """That of the namespace that this process is in; before Linux 4.5 there is one for all. Raises ValueError."""
    try:
        return namespaces.own_keepalive()
    except namespaces.NotThereError:
        if default is None:
            raise
        return default
