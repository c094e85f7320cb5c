# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on connections to other addresses than services, and on what a middlebox is bound to. Private to this
collection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import in_force
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import OF_IPVS, Limit, ascending
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import Judged, Outside, is_long
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import Plan

from . import cures, remedies
from .connections import called, in_unlisted, user_of
from .rule import WARNING, Case, Found, Remedy, Rules, one_by_one

RULES = Rules()

_BIND = "Where that middlebox is not on the path there, say in keepalive_middleboxes what it is bound to."


@RULES.node("outside-without-keepalive", WARNING)
def _without(case: Case) -> Found | None:
    """Programs have connections to other addresses (databases, API servers) without SO_KEEPALIVE, and they are
    forgotten."""
    found = [(each, to) for each, to in _outside(case) if to.counts.without_keepalive]
    listed = [who for each, to in found for who in _users(each.space.label, to)]
    further = list(_further(case))
    limit = _lowest([to.limit for _each, to in found] + [limit for _who, _number, limit in further])
    if limit is None:
        return None
    total = sum(to.counts.without_keepalive for _each, to in found) + sum(number for _who, number, _limit in further)
    runtimes = [process.runtime for _each, to in found for process in to.destination.processes]
    planned = case.node.pods_planned.time if case.node.pods_planned else limit.seconds
    programs = remedies.programs(runtimes, remedies.period(planned, limit.seconds))
    return Found(
        tell(
            "{connections} without SO_KEEPALIVE: {users}",
            connections=count(total, "connection"),
            users=some_of([*listed, *(who for who, _number, _limit in further)], called, "; "),
        ),
        tell(
            "They leave for addresses that are no service, and may go through IPVS by firewall mark. If no data flows "
            "for {seconds} s, {limit} forgets them, {unless}."
            if limit.name in OF_IPVS
            else "They leave for addresses that are no service. If no data flows for {seconds} s, {limit} forgets "
            "them, {unless}.",
            seconds=limit.seconds,
            limit=limit.name,
            unless=remedies.unless_probed(limit.seconds),
        ),
        _with_bind(cures.without_keepalive(case, programs, outside=True), limit),
        limit.text,
    )


@RULES.node("outside-armed-late", WARNING)
def _late(case: Case) -> Found | None:
    """Open connections to other addresses carry a keepalive timer that ends after something has forgotten them."""
    found = [(each, to) for each, to in _outside(case) if to.counts.late]
    limit = _lowest([to.limit for _each, to in found])
    if limit is None:
        return None
    total = sum(to.counts.late for _each, to in found)
    told = [partial(_to, each.space.label, to.counts.late, to.destination.name) for each, to in found]
    return Found(
        tell(
            "{connections} to other addresses than services: {each}",
            connections=count(total, "open connection"),
            each=some_of(told, called, "; "),
        ),
        "The timer is armed when a connection opens, with the keepalive of its namespace or a TCP_KEEPIDLE of its own, "
        "and a lower sysctl does not change it. They may go through IPVS by firewall mark."
        if limit.name in OF_IPVS
        else "The timer is armed when a connection opens, with the keepalive of its namespace or a TCP_KEEPIDLE of its "
        "own, and a lower sysctl does not change it.",
        _with_bind(
            cures.armed_late(
                case,
                "Bring the keepalive below the limit, then restart these or have them connect again.",
                outside=True,
            ),
            limit,
        ),
        limit.text,
    )


@RULES.plan("middlebox-bound-to-nothing", WARNING)
def _bound_to_nothing(plan: Plan) -> Iterator[tuple[str | None, Found]]:
    """A middlebox of keepalive_middleboxes is bound to what was not seen, so that it holds for nothing."""
    observed = {name: node.observed for name, node in plan.nodes.items()}
    for box in plan.policy.middleboxes:
        if box.binding and not box.proxy and not in_force(box, observed):
            yield (
                None,
                Found(
                    tell(
                        "{name} {seconds} s ({binding})", name=box.name, seconds=box.seconds, binding=str(box.binding)
                    ),
                    "No host or pod of that name, or no connection there, was seen in this run. Its limit is in no "
                    "verdict and in no keepalive.",
                    "Correct what it is bound to in keepalive_middleboxes, or leave it if that is still to come.",
                ),
            )


def _outside(case: Case) -> Iterator[tuple[Judged, Outside]]:
    for each in case.node.pods.each if case.node.pods else ():
        for to in each.outside:
            yield each, to


def _users(name: str, to: Outside) -> list[Callable[[], str]]:
    """Each process; where nobody knows whose they are, their number."""
    peer, processes = to.destination.name, to.destination.processes
    known = [partial(user_of, name, process, peer) for process in processes if process.without_keepalive]
    return [*known] or [partial(_to, name, to.counts.without_keepalive, peer)]


def _to(name: str, number: int, peer: str) -> str:
    return tell("{name}: {number} to {peer}", name=name, number=number, peer=peer)


def _further(case: Case) -> Iterator[tuple[Callable[[], str], int, Limit]]:
    """Those to addresses, and in namespaces, that the node did not list."""
    limit, pods = case.node.holding.outside, case.observed.pods
    if limit is None or is_long(limit) or pods is None or case.node.pods is None:
        return
    for each in case.node.pods.each:
        number = each.outside_unlisted.without_keepalive
        if number:
            yield partial(_to, each.space.label, number, "further addresses"), number, limit
    if pods.unlisted_outside_without_keepalive:
        number = pods.unlisted_outside_without_keepalive
        yield partial(in_unlisted, number), number, limit


def _lowest(limits: list[Limit | None]) -> Limit | None:
    return next(iter(ascending([limit for limit in limits if limit])), None)


def _with_bind(remedy: Remedy, limit: Limit) -> Remedy:
    return remedy if limit.node else one_by_one(remedy, _BIND)
