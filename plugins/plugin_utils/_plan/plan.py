# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what was observed and the policy to the plan, once for all nodes of a play. Private to this collection.

A pure function: the same nodes and policy give the same plan. One plan for all, because a connection crosses several
nodes and the lowest idle limit of any of them decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits import cloud, derive, in_namespaces
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import NodeLimits, NotSeen, of_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import (
    NOTHING_ELSEWHERE,
    Elsewhere,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import holding_of, in_force
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit, ascending, of_middlebox
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.policies import Policies

from . import ipvs
from .node import plan_node
from .servers import servers_of
from .settings import Wish
from .types import NodePlan, Plan
from .wishes import wishes_of


def plan_of(
    observed: Mapping[str, Observed | None],
    policies: Policies,
    why_not: Mapping[str, str] | None = None,
    elsewhere: Elsewhere = NOTHING_ELSEWHERE,
) -> Plan:
    """The plan for the nodes; ``why_not`` says why those that are None were not observed."""
    policy, why_not = policies.common, why_not or {}
    boxes = [box for box in policy.middleboxes if not box.proxy]
    declared = any(box.may_forward_services for box in boxes)
    seen = {name: of_node(name, node, declared, why_not.get(name, "")) for name, node in observed.items()}
    seen = {name: in_namespaces.with_others(name, observed[name], each, declared) for name, each in seen.items()}
    seen = {name: replace(each, not_seen=(*each.not_seen, *elsewhere.not_seen(name))) for name, each in seen.items()}
    seen = {name: cloud.added(name, observed[name], each, boxes) for name, each in seen.items()}
    unbound = [of_middlebox(box) for box in boxes if box.binding is None]
    others = [*unbound, *([elsewhere.limit] if elsewhere.limit else [])]
    common = ascending([*others, *(limit for each in seen.values() for limit in each.limits)])
    bound = [box for box in boxes if box.binding and in_force(box, observed)]
    limits = ascending([*common, *map(of_middlebox, bound)])
    there = {name: node for name, node in observed.items() if node is not None}
    wish, wanted = _wish(there, limits, policies)
    after = ipvs.planned_limits(common, there, wanted, policies)
    wishes = wishes_of(wish, observed, boxes, _first(after), policies.common)
    holding = {
        name: holding_of(name, node, seen[name].limits, _first(common), policy.middleboxes)
        for name, node in observed.items()
    }
    servers = servers_of(observed) if not elsewhere.hosts else {}
    nodes = {
        name: plan_node(
            name,
            node,
            seen[name],
            holding[name],
            replace(wishes[name], policy=policies.of(name)),
            wanted.get(name, {}),
            servers.get(name, {}),
        )
        for name, node in observed.items()
    }
    return _assemble(policies, elsewhere, limits, seen, wish, nodes)


def _first(limits: tuple[Limit, ...]) -> Limit | None:
    return limits[0] if limits else None


def _wish(
    there: Mapping[str, Observed], limits: tuple[Limit, ...], policies: Policies
) -> tuple[Wish, dict[str, dict[str, int]]]:
    """What the plan comes to, and the IPVS timeouts of each node."""
    policy = policies.common
    if policy.strategy == "raise_ipvs":
        return _raise_ipvs(there, limits, policies)
    wanted = ipvs.ipvs_timeouts(there, policy, None)
    planned = ipvs.planned_limits(limits, there, wanted, policies)
    limit = _first(planned)
    keepalive = derive.derive(limit, policy) if limit or policy.own_names else None
    reasons = derive.reasons(keepalive, limit, policy) if keepalive else {}
    return Wish(policy, limit, keepalive, keepalive, reasons, "keepalive_ipvs_timeouts"), wanted


def _raise_ipvs(
    there: Mapping[str, Observed], limits: tuple[Limit, ...], policies: Policies
) -> tuple[Wish, dict[str, dict[str, int]]]:
    """The other cure: IPVS is raised above the highest keepalive in use, which stays. The user's own values are set."""
    policy = policies.common
    others = [
        limit
        for limit in ipvs.planned_limits(limits, there, {name: {} for name in there}, policies)
        if limit.node not in there or not ipvs.is_ipvs(limit)
    ]
    own = derive.derive(others[0] if others else None, policy) if policy.own_names else None
    in_use = ipvs.highest_in_use(there.values(), policy)
    ipvs.refuse_other_limits(others, in_use, policy)
    # Of all nodes, not only of those with IPVS: a connection of any of them may cross one that has it.
    highest = max([in_use, *([own] if own else [])], key=lambda each: each.silence_seconds(policy.lost_probes))
    idle = ipvs.grpc_idle_seconds_on(there.values())
    wanted = ipvs.ipvs_timeouts(there, policy, highest, idle)
    planned = ipvs.planned_limits(limits, there, wanted, policies)
    keepalive = own or in_use
    reasons = derive.reasons(own, others[0] if others else None, policy) if own else _stays(keepalive)
    return Wish(policy, planned[0] if planned else None, keepalive, own, reasons, _above(highest, idle, policy)), wanted


def _stays(keepalive: Keepalive) -> dict[str, str]:
    return dict.fromkeys(
        keepalive.as_dict(),
        "the highest keepalive in use; keepalive_strategy raise_ipvs leaves it alone",
    )


def _above(keepalive: Keepalive, idle_seconds: int | None, policy: Policy) -> Message:
    if idle_seconds is not None and idle_seconds > ipvs.above_seconds(keepalive, policy):
        return tell(
            "above the {seconds} s after which idle gRPC channels without SO_KEEPALIVE have closed themselves",
            seconds=idle_seconds,
        )
    silence = keepalive_math.silence_text(keepalive, policy.lost_probes)
    return tell("above the highest keepalive in use: {silence}", silence=silence)


def _assemble(
    policies: Policies,
    elsewhere: Elsewhere,
    limits: tuple[Limit, ...],
    seen: Mapping[str, NodeLimits],
    wish: Wish,
    nodes: Mapping[str, NodePlan],
) -> Plan:
    not_seen = tuple(each for node in seen.values() for each in node.hidden_limits)
    keepalive, limit = wish.keepalive, wish.limit
    safe = not not_seen
    decided = safe
    if keepalive and limit:
        safe = limit.is_kept_by(keepalive, policies.common)
        decided = keepalive_math.decided_in_time(keepalive, limit.seconds)
    reasons = {**wish.reasons, "limit": _limit_reason(limits, not_seen)}
    verdict = _verdict(nodes)
    return Plan(policies, elsewhere, limits, not_seen, limit, keepalive, safe, decided, verdict, reasons, nodes)


def _limit_reason(limits: tuple[Limit, ...], not_seen: tuple[NotSeen, ...]) -> str:
    absurd = sum(each.shown is not None for each in not_seen)
    unread = len(not_seen) - absurd
    if not limits and not not_seen:
        return "no idle limit was seen: no IPVS, no conntrack; no middlebox was declared"
    told = ["the only idle limit that was seen" if limits else "no idle limit was seen"]
    if len(limits) > 1:
        told = [tell("the lowest of {number} idle limits that were seen", number=len(limits))]
    told += [tell("{number} could not be read", number=unread)] if unread else []
    told += [tell("{number} made no sense", number=absurd)] if absurd else []
    return joined("; ", told)


def _verdict(nodes: Mapping[str, NodePlan]) -> str:
    verdicts = {node.verdict for node in nodes.values()}
    return next((verdict for verdict in (UNSAFE, UNKNOWN) if verdict in verdicts), SAFE)
