# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which open connections of a node an apply may give a sooner timer in place. Private to this collection.

A timer that is longer than any that its namespace can have had was set by the program on purpose. Nothing re-arms it,
and no node is contacted for it. Of a shorter one nobody can tell: what is left of a timer shrinks with the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import (
    KERNEL_DEFAULT,
    Keepalive,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import Holding
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import (
    CONTAINER,
    NODE,
    POD,
    Peer,
    Space,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import ALL, NEVER, Policy

from .enforcement import of_connections
from .judged_pods import Judged, JudgedPods, is_long
from .pods_at_risk import is_late
from .settings import Wish
from .types import Curable, Rearm

REARM_REASON = "open connections"
"""The key of its reason, beside those of sysctls and modules."""

_KINDS = (NODE, POD, CONTAINER)
"""Of others the node re-arms nothing."""

_A_SECOND = 1
"""Gaps are rounded."""


def curable(node: Observed, wish: Wish, holding: Holding, pods: JudgedPods | None) -> tuple[Curable, ...]:
    """The connections at risk that re-arming with the planned keepalive could cure, those without SO_KEEPALIVE too."""
    keepalive = of_connections(node, wish)
    if pods is None or keepalive is None:
        return ()
    longest = _longest(node)
    kinds = _kinds(wish.policy)
    here = [judged for judged in pods.each if judged.space.sandbox is None and judged.space.kind in kinds]
    found = [each for judged in here for each in _of(judged, wish, holding, longest)]
    found += _unlisted(node, wish) if POD in kinds else []
    return tuple(each for each in found if each.connections and each.limit.keeps(keepalive))


def _kinds(policy: Policy) -> list[str]:
    """In whose network namespaces anything is re-armed."""
    left_alone = {kind for kind, wanted in ((POD, policy.pods), (CONTAINER, policy.containers)) if not wanted}
    return [kind for kind in _KINDS if kind not in left_alone]


def rearm(node: Observed, wish: Wish, holding: Holding, cured: Iterable[Curable]) -> Rearm | None:
    """What is done of what could be cured; None where nothing is to be touched, can be, or would gain by it."""
    mode, keepalive = wish.policy.open_connections, of_connections(node, wish)
    possible = node.rearming is not None and node.rearming.possible is not False
    if mode == NEVER or keepalive is None or not possible:
        return None
    found = [each for each in cured if each.late or (mode == ALL and each.without_keepalive)]
    if not found:
        return None
    outside = holding.outside if holding.outside and not is_long(holding.outside) else None
    limits = {
        "limit": _seconds([each.limit for each in found if not each.outside], wish.holding.services, keepalive),
        "outside_limit": _seconds([each.limit for each in found if each.outside], outside, keepalive),
    }
    without = sum(each.without_keepalive for each in found) if mode == ALL else 0
    kinds = _kinds(wish.policy)
    of_kinds = {"kinds": kinds} if len(kinds) < len(_KINDS) else {}
    settings = {"mode": mode, **keepalive.as_dict(), **limits, **of_kinds}
    return Rearm(settings, sum(each.late for each in found), without)


def _seconds(limits: Iterable[Limit], otherwise: Limit | None, keepalive: Keepalive) -> int | None:
    """The lowest; where no connection was seen under one, what holds for others of that kind that may have come."""
    lowest = min((limit.seconds for limit in limits), default=None)
    if lowest is None and otherwise is not None and otherwise.keeps(keepalive):
        return otherwise.seconds
    return lowest


def _of(judged: Judged, wish: Wish, holding: Holding, longest: int) -> Iterator[Curable]:
    space = judged.space
    for service in space.services:
        limit = wish.holding.to_service(space, service)
        if limit is not None and service.name not in judged.kept and not holding.has_proxy(space, service):
            yield Curable(limit, False, *_late(service, space, limit, longest), service.without_keepalive)
    further = space.without_keepalive - sum(service.without_keepalive for service in space.services)
    if wish.holding.services is not None and further > 0:
        yield Curable(wish.holding.services, False, 0, 0, further)
    for to in judged.outside:
        proxied = holding.has_proxy(space, to.destination)
        if to.limit is not None and not is_long(to.limit) and to.counts.at_risk and not proxied:
            late = _late(to.destination, space, to.limit, longest)
            yield Curable(to.limit, True, *late, to.counts.without_keepalive)


def _unlisted(node: Observed, wish: Wish) -> list[Curable]:
    """Connections in namespaces that the node did not list."""
    further = node.pods.unlisted_without_keepalive if node.pods else 0
    return [Curable(wish.holding.services, False, 0, 0, further)] if wish.holding.services and further else []


def _late(peer: Peer, space: Space, limit: Limit, longest: int) -> tuple[int, int]:
    """Those that may have their timer of the namespace, and those that cannot."""
    if space.keepalive is None:
        return 0, 0
    most = max(longest, space.keepalive.time) + _A_SECOND
    late = [(gap, number) for gap, number in peer.gaps if is_late(gap, space.keepalive, limit.seconds)]
    of_namespace = sum(number for gap, number in late if gap <= most)
    return of_namespace, sum(number for _gap, number in late) - of_namespace


def _longest(node: Observed) -> int:
    """The longest time that a namespace of the node begins with, or that was there before us, in seconds."""
    original = whole_number(node.ours.originals.get(KEEPALIVE_KEYS[0])) if node.ours else None
    return max(KERNEL_DEFAULT.time, original or 0)
