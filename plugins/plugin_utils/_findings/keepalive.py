# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on the keepalive itself. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import Plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import NEVER

from .rule import APPLY, CRITICAL, INFO, WARNING, Case, Found, Remedy, Rules, one_by_one, remedy, variable

RULES = Rules()


@RULES.node("keepalive-too-late", CRITICAL)
def _too_late(case: Case) -> Found | None:
    """The node's keepalive comes after something on the path has forgotten the connection."""
    keepalive, limit, policy = case.observed.keepalive, case.limit, case.policy
    if keepalive is None or limit is None or not keepalive.usable or limit.keeps(keepalive):
        return None
    return Found(
        tell("keepalive {keepalive}: {sum}", keepalive=keepalive, sum=limit.sum_text(keepalive, policy)),
        tell(
            "After {seconds} s without a packet the connection is forgotten and neither end is told. "
            "The next request gets 'Connection reset by peer', or no answer at all.",
            seconds=limit.seconds,
        ),
        _cure(case),
        limit.text,
    )


@RULES.node("keepalive-lost-probes", WARNING)
def _lost_probes(case: Case) -> Found | None:
    """The node's keepalive is in time while no probe is lost, but not with the policy's lost probes or margin."""
    keepalive, limit, policy = case.observed.keepalive, case.limit, case.policy
    if keepalive is None or limit is None or not limit.keeps(keepalive) or limit.is_kept_by(keepalive, policy):
        return None
    survived = keepalive_math.losses_survived(keepalive, limit.seconds)
    fewer = variable(f"keepalive_lost_probes: {survived}")
    return Found(
        tell("keepalive {keepalive}: {sum}", keepalive=keepalive, sum=limit.verdict_text(keepalive, policy)),
        "No healthy connection is forgotten. One whose probes get lost more often in a row is, although both ends are "
        "well.",
        one_by_one(_cure(case), remedy("Or, if that is enough for you, set {fewer}.", fewer=fewer))
        if survived < policy.lost_probes
        else _cure(case),
        limit.text,
    )


@RULES.node("keepalive-deadly", CRITICAL)
def _deadly(case: Case) -> Found | None:
    """One of the three values is below 1."""
    keepalive = case.observed.keepalive
    if keepalive is None or keepalive.usable:
        return None
    return Found(
        tell("keepalive {keepalive} (time/intvl/probes)", keepalive=keepalive),
        "The kernel takes values below 1. With 0 probes it resets a healthy idle connection at its first timer; "
        "a time or intvl below 1 fires at once, again and again.",
        remedy("{apply}.", apply=APPLY)
        if set(KEEPALIVE_KEYS) & set(case.node.settings.sysctls)
        else "Set keepalive_time, keepalive_intvl and keepalive_probes.",
        "1",
    )


@RULES.node("keepalive-few-probes", WARNING)
def _few_probes(case: Case) -> Found | None:
    """The kernel gives up before as many probes were lost as the policy wants to survive."""
    keepalive, lost = case.observed.keepalive, case.policy.lost_probes
    if keepalive is None or not keepalive.usable or keepalive.probes > lost:
        return None
    return Found(
        tell(
            "net.ipv4.tcp_keepalive_probes {probes}, with keepalive_lost_probes {lost}",
            probes=keepalive.probes,
            lost=lost,
        ),
        tell(
            "After {probes} unanswered probes the kernel resets the connection, a healthy one too.",
            probes=keepalive.probes,
        ),
        remedy("{apply}.", apply=APPLY)
        if KEEPALIVE_KEYS[2] in case.node.settings.sysctls
        else tell("Set keepalive_probes to {enough} or more.", enough=lost + 1),
        tell("{enough} (keepalive_lost_probes {lost} and one more)", enough=lost + 1, lost=lost),
    )


@RULES.plan("keepalive-undecided", WARNING)
def _undecided(plan: Plan) -> Iterator[tuple[str | None, Found]]:
    """The planned keepalive is safe, but a dead peer is given up only after the path has forgotten the connection."""
    limit = plan.planned_limit
    if plan.keepalive is None or limit is None or not plan.safe or plan.decided_in_time:
        return
    yield None, _undecided_found(plan.keepalive, limit.seconds, limit.text, _decide(plan, plan.keepalive))


@RULES.node("node-keepalive-undecided", INFO)
def _node_undecided(case: Case) -> Found | None:
    """As keepalive-undecided, for a node that keeps the values it has."""
    keepalive, limit = case.observed.keepalive, case.node.planned_limit
    if keepalive is None or limit is None or KEEPALIVE_KEYS[0] in case.node.settings.sysctls:
        return None
    if not limit.is_kept_by(keepalive, case.policy) or keepalive_math.decided_in_time(keepalive, limit.seconds):
        return None
    return _undecided_found(
        keepalive, limit.seconds, limit.text, "Nothing has to be done. Fewer probes would decide in time."
    )


def _undecided_found(keepalive: Keepalive, limit_seconds: int, limit: str, todo: str | Remedy) -> Found:
    total = f"{keepalive.time} + {keepalive.probes} x {keepalive.intvl} = {keepalive.verdict_seconds}"
    return Found(
        tell(
            "keepalive {keepalive}: {total} s, not below {limit} s",
            keepalive=keepalive,
            total=total,
            limit=limit_seconds,
        ),
        "A healthy connection is kept. A dead peer is given up only after the path has forgotten the connection.",
        todo,
        limit,
    )


def _decide(plan: Plan, keepalive: Keepalive) -> str | Remedy:
    if plan.policy.profile == "article":
        return remedy("Use {profile}.", profile=variable("keepalive_profile: derived"))
    if plan.policy.own_names:
        return tell("Lower {variables}.", variables=joined(" or ", plan.policy.own_names))
    longer = variable(f"keepalive_ipvs_timeouts: {{tcp: {keepalive.verdict_seconds + 1}}}")
    return remedy("Set {variable}.", variable=longer)


def _cure(case: Case) -> Remedy:
    policy = case.plan.policy
    if policy.strategy == "raise_ipvs" and not policy.own_names:
        return remedy("{apply}: it raises the IPVS tcp timeout.", apply=APPLY)
    planned = case.node.settings.keepalive or case.node.planned
    return one_by_one(remedy("{apply}: it sets {keepalive}.", apply=APPLY, keepalive=planned), _open_timers(case))


def _open_timers(case: Case) -> str:
    """What becomes of connections that are open; nothing where an apply re-arms and found none that is late."""
    if case.node.rearm and case.node.rearm.late:
        return "Open connections with a timer from before are re-armed in place."
    seen = case.observed.rearming
    if seen is not None and seen.possible is not False and case.policy.open_connections != NEVER:
        return ""
    return "Open sockets keep their old timer until it fires: restart what cannot wait."
