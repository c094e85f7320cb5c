# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many connections to one peer are at risk under a limit, for nodes and the controller. Pure. Private to this
collection."""

import functools
import operator
from typing import Iterable, NamedTuple, Optional, Sequence, Tuple

from .keepalive import HIGHEST, Keepalive, is_late, is_usable, keeps

A_DAY_SECONDS = 86400
"""What kube-proxy sets conntrack's established timeout to; the kernel's own is longer."""

_KNOWN = 4096
"""So many answers are kept: a cluster has few keepalives and limits, and many connections with each."""


class Counts(NamedTuple):
    """Connections, each counted once.

    ``late``: their keepalive timer ends after the limit. ``undecided``: nobody can tell now. ``kept_by_server``: they
    would be without keepalive or late, but the server's probes come in time.
    """

    without_keepalive: int = 0
    late: int = 0
    undecided: int = 0
    safe: int = 0
    kept_by_server: int = 0

    @property
    def at_risk(self) -> int:
        return self.without_keepalive + self.late

    def by_server(self) -> "Counts":
        """The same where the server keeps all of them."""
        return self._replace(without_keepalive=0, late=0, kept_by_server=self.kept_by_server + self.at_risk)

    def but_without(self) -> "Counts":
        """The same where nobody can tell of those without SO_KEEPALIVE, as under a long limit."""
        return self._replace(without_keepalive=0, undecided=self.undecided + self.without_keepalive)

    def plus(self, other: "Counts") -> "Counts":
        return Counts(*map(operator.add, self, other))


NOTHING = Counts()


class Tallied(NamedTuple):
    """The connections to one peer as a node counts them; gaps are (seconds, connections)."""

    connections: int
    without_keepalive: int
    in_flight: int
    gaps: Sequence[Sequence[int]]


class Under(NamedTuple):
    """An idle limit (None: none was seen), and whether every limit was seen."""

    seconds: Optional[int]
    all_limits: bool

    def keeps(self, keepalive: Keepalive) -> bool:
        """Whether a keepalive keeps a connection of which no probe is lost."""
        return is_usable(keepalive) if self.seconds is None else keeps(keepalive, self.seconds)


def count(tallied: Tallied, keepalive: Optional[Keepalive], under: Under, idle_unseen: bool) -> Tuple[Counts, int]:
    """The connections of a namespace with that keepalive, and how many are undecided only because nobody saw how long
    they are idle (``idle_unseen``).
    """
    if under.seconds is None:
        return without_limit(tallied.connections, under.all_limits), 0
    late = undecided = unseen = 0
    for gap, connections in tallied.gaps:
        if keepalive is None:
            undecided += connections
        elif _is_late(gap, keepalive, under.seconds):
            late += connections
        elif not under.keeps(keepalive):
            # Its own TCP_KEEPIDLE, or an old timer near its end that is armed again with what is in force then.
            undecided += connections
        elif idle_unseen and not under.keeps(_longest(keepalive)):
            unseen += connections
    undecided += tallied.in_flight + unseen
    rest = tallied.connections - tallied.without_keepalive - late - undecided
    return Counts(tallied.without_keepalive, late, undecided, max(0, rest)), unseen


def without_limit(connections: int, all_limits: bool) -> Counts:
    return Counts(safe=connections) if all_limits else Counts(undecided=connections)


def unlisted(connections: int, without_keepalive: int, listed: Iterable[Tallied], under: Under) -> Counts:
    """Connections to services beyond those that a node lists: of their timers nothing is known."""
    rest, without = _rest(connections, without_keepalive, listed)
    if under.seconds is None:
        return without_limit(max(0, rest), under.all_limits)
    return Counts(without_keepalive=without, undecided=max(0, rest - without))


def unlisted_outside(
    connections: int, without_keepalive: int, listed: Iterable[Tallied], is_long: bool, bound: bool
) -> Counts:
    """Those to other addresses. ``bound``: some limit may hold for a part of them."""
    rest, without = _rest(connections, without_keepalive, listed)
    if not is_long:
        return Counts(without_keepalive=max(0, without), undecided=max(0, rest - without))
    return Counts(undecided=max(0, rest)) if bound else Counts(safe=max(0, rest))


def _rest(connections: int, without_keepalive: int, listed: Iterable[Tallied]) -> Tuple[int, int]:
    known = list(listed)
    return connections - sum([each[0] for each in known]), without_keepalive - sum([each[1] for each in known])


def _longest(keepalive: Keepalive) -> Keepalive:
    """With the longest timer that a connection may have been armed with: what is left of it does not tell.

    It may have been armed with an earlier value of the namespace, or with the program's own TCP_KEEPIDLE.
    """
    return Keepalive(max(keepalive.time, HIGHEST.time), keepalive.intvl, keepalive.probes)


_is_late = functools.lru_cache(maxsize=_KNOWN)(is_late)
