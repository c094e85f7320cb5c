# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Idle limits of other network namespaces of a node, each with IPVS or connection tracking of its own. Private to this
collection.

They are on the paths of connections of others: of Docker Swarm's containers through ingress_sbox and lb_*, of pods
within a node of kind, of whoever is balanced by LVS in a container.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, bare, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.namespace_tables import Table
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed

from .coverage import NodeLimits, NotSeen, Seen, correct, rights
from .limits import CONNTRACK, IPVS_TCP, Limit, ascending, sensible

MAX_LIMITS = 10
"""So many of IPVS and of connection tracking, the lowest, on each node: higher ones decide nothing."""

ELSEWHERE = "other network namespaces"

_Hidden = tuple[str, str, str, str]
"""What may be there, IPVS_TCP or CONNTRACK; where; why it is not known; what to do, empty for more rights."""


_PLACES = {IPVS_TCP: "ipvs", CONNTRACK: "conntrack"}
"""The place of each kind of limit."""


def with_others(name: str, node: Observed | None, seen: NodeLimits, declared: bool) -> NodeLimits:
    """What one node forgets, that of its other namespaces too.

    ``declared``: the user told of a middlebox, and so has thought of what is beyond.
    """
    if node is None:
        return seen
    limits = list(limits_of(name, node))
    return replace(
        seen,
        limits=ascending([*seen.limits, *sensible(limits)]),
        not_seen=(*seen.not_seen, *_absurd(name, limits), *hidden(name, node, declared)),
        notes=(*seen.notes, *notes(node)),
        seen=(*seen.seen, *(Seen(_place(limit), _text(limit)) for limit in sensible(limits))),
    )


def limits_of(name: str, node: Observed) -> Iterator[Limit]:
    """One limit for each value, named by a namespace that has it and by how many more have."""
    for kind in (IPVS_TCP, CONNTRACK):
        values = grouped((seconds, row.where) for row in _rows(node) for what, seconds in _seconds(row) if what == kind)
        for seconds in sorted(values)[:MAX_LIMITS]:
            yield Limit(seconds, _inside(kind, _and_others(values[seconds])), name, in_namespace=True)


def _inside(kind: str, where: str) -> Message:
    return tell("{limit} in {where}", limit=kind, where=where)


def _text(limit: Limit) -> Message:
    return tell("{limit} {seconds} s", limit=limit.name, seconds=limit.seconds)


def hidden(name: str, node: Observed, declared: bool) -> Iterator[NotSeen]:
    """What is not known of them."""
    found = [*_unread(node), *_not_entered(node), *(() if declared else _of_users(node))]
    for kind, where, why, do in found:
        yield NotSeen(name, _inside(kind, where), why, place=_PLACES[kind], do=do or rights(node))


def notes(node: Observed) -> Iterator[str]:
    """What to know of IPVS in other network namespaces."""
    balancing = [row.where for row in _rows(node) if row.tcp_services]
    if balancing:
        yield tell(
            "IPVS in {where} has virtual services and timeouts of its own. keepalive_ipvs_timeouts does not set those, "
            "keepalive_namespace_ipvs_timeouts does.",
            where=_and_others(balancing),
        )


_OF_A_USER = (
    "Run inside of it where it is a node of its own. Where connections of the cluster cross it, name it in "
    "keepalive_middleboxes as {name: ..., seconds: ...}."
)
_THIS_VERSION = "Run again with this version of the collection, as root (-e keepalive_become=true)."


def _rows(node: Observed) -> list[Table]:
    """Those that no ordinary user has made."""
    tables = node.namespaces.tables
    return [row for row in tables.rows if not row.unprivileged] if tables else []


def _seconds(row: Table) -> Iterator[tuple[str, int]]:
    if row.tcp_services and row.timeouts is not None:
        yield IPVS_TCP, row.timeouts["tcp"]
    if row.tracks and row.established is not None:
        yield CONNTRACK, row.established


def _unread(node: Observed) -> Iterator[_Hidden]:
    """Where a table could not be read, or the timeouts of one that has services."""
    without = [row for row in _rows(node) if row.tcp_services and row.timeouts is None]
    tables = node.namespaces.tables
    if without:
        why = without[0].error or "the timeouts could not be read"
        yield IPVS_TCP, _and_others([row.where for row in without]), bare(why), ""
    elif tables is not None and tables.unread:
        kind = IPVS_TCP if node.ipvs.loaded else CONNTRACK
        where = count(tables.unread, "other network namespace")
        yield kind, where, bare(tables.error or "no reason was given"), ""


def _not_entered(node: Observed) -> Iterator[_Hidden]:
    """Where IPVS may have services that nobody looked for.

    That namespaces are hidden is told of their keepalive anyway: here only where it would be the only IPVS.
    """
    spaces = node.namespaces
    if not node.ipvs.loaded:
        return
    if spaces.unreadable and not node.ipvs_on_path:
        why = tell("{number} of them, or of processes with one, are hidden", number=spaces.unreadable)
        if spaces.error:
            why = tell("{what}: {why}", what=why, why=bare(spaces.error))
        yield IPVS_TCP, ELSEWHERE, why, ""
    elif spaces.tables is None and spaces.count != 1:
        others = "others" if spaces.count is None else count(spaces.count - 1, "other")
        why = tell("ip_vs is loaded, and nobody looked for virtual services in the {others}", others=others)
        yield IPVS_TCP, ELSEWHERE, why, _THIS_VERSION


def _of_users(node: Observed) -> Iterator[_Hidden]:
    """Any user of the node, and of a pod, may make such a namespace. It shall not set the keepalive of everybody."""
    tables = node.namespaces.tables
    rows = [row for row in tables.rows if row.unprivileged] if tables else []
    of_users = [(row, *each) for row in rows for each in _seconds(row)]
    for row, kind, seconds in sorted(of_users, key=lambda each: (each[2], each[0].where))[:1]:
        why = tell(
            "an ordinary user may have set its {seconds} s, and nobody knows whose connections cross it",
            seconds=seconds,
        )
        if len(of_users) > 1:
            why = tell("{what}, and {number} more", what=why, number=len(of_users) - 1)
        yield kind, row.where, why, _OF_A_USER
    unread = [row for row in rows if row.error]
    for row in [] if of_users else unread[:1]:
        kind = IPVS_TCP if node.ipvs.loaded else CONNTRACK
        yield kind, row.where, bare(row.error or ""), _OF_A_USER


def _absurd(name: str, limits: list[Limit]) -> Iterator[NotSeen]:
    for limit in limits:
        if limit.absurd:
            yield NotSeen(name, limit.name, limit.absurd, shown=limit, place=_place(limit), do=correct(limit))


def _place(limit: Limit) -> str:
    return _PLACES[CONNTRACK if limit.name.startswith(CONNTRACK) else IPVS_TCP]


def _and_others(wheres: list[str]) -> str:
    first, others = min(wheres), len(wheres) - 1
    return tell("{first} and {others}", first=first, others=count(others, "other")) if others else first
