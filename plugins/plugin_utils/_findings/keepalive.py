# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on the keepalive itself. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import Plan

from .rule import APPLY, CRITICAL, INFO, WARNING, Case, Found, Remedy, Rules, say, variable

RULES = Rules()


@RULES.node("keepalive-too-late", CRITICAL)
def _too_late(case: Case) -> Found | None:
    """The node's keepalive comes after something on the path has forgotten the connection."""
    keepalive, limit, policy = case.observed.keepalive, case.limit, case.policy
    if keepalive is None or limit is None or not keepalive.usable or limit.keeps(keepalive):
        return None
    return Found(
        f"keepalive {keepalive}: {limit.sum_text(keepalive, policy)}",
        f"After {limit.seconds} s without a packet the connection is forgotten and neither end is told. "
        "The next request gets 'Connection reset by peer', or no answer at all.",
        _cure(case),
        str(limit),
    )


@RULES.node("keepalive-lost-probes", WARNING)
def _lost_probes(case: Case) -> Found | None:
    """The node's keepalive is in time while no probe is lost, but not with the policy's lost probes or margin."""
    keepalive, limit, policy = case.observed.keepalive, case.limit, case.policy
    if keepalive is None or limit is None or not limit.keeps(keepalive) or limit.is_kept_by(keepalive, policy):
        return None
    survived = keepalive_math.losses_survived(keepalive, limit.seconds)
    return Found(
        f"keepalive {keepalive}: {limit.verdict_text(keepalive, policy)}",
        "No healthy connection is forgotten. One whose probes get lost more often in a row is, although both ends are "
        "well.",
        say(_cure(case), " Or, if that is enough for you, set ", variable(f"keepalive_lost_probes: {survived}"), ".")
        if survived < policy.lost_probes
        else _cure(case),
        str(limit),
    )


@RULES.node("keepalive-deadly", CRITICAL)
def _deadly(case: Case) -> Found | None:
    """One of the three values is below 1."""
    keepalive = case.observed.keepalive
    if keepalive is None or keepalive.usable:
        return None
    return Found(
        f"keepalive {keepalive} (time/intvl/probes)",
        "The kernel takes values below 1. With 0 probes it resets a healthy idle connection at its first timer; "
        "a time or intvl below 1 fires at once, again and again.",
        say(APPLY, ".")
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
        f"net.ipv4.tcp_keepalive_probes {keepalive.probes}, with keepalive_lost_probes {lost}",
        f"After {keepalive.probes} unanswered probes the kernel resets the connection, a healthy one too.",
        say(APPLY, ".")
        if KEEPALIVE_KEYS[2] in case.node.settings.sysctls
        else f"Set keepalive_probes to {lost + 1} or more.",
        f"{lost + 1} (keepalive_lost_probes {lost} and one more)",
    )


@RULES.plan("keepalive-undecided", WARNING)
def _undecided(plan: Plan) -> Iterator[tuple[str | None, Found]]:
    """The planned keepalive is safe, but a dead peer is given up only after the path has forgotten the connection."""
    limit = plan.planned_limit
    if plan.keepalive is None or limit is None or not plan.safe or plan.decided_in_time:
        return
    yield None, _undecided_found(plan.keepalive, limit.seconds, str(limit), _decide(plan, plan.keepalive))


@RULES.node("node-keepalive-undecided", INFO)
def _node_undecided(case: Case) -> Found | None:
    """As keepalive-undecided, for a node that keeps the values it has."""
    keepalive, limit = case.observed.keepalive, case.node.planned_limit
    if keepalive is None or limit is None or KEEPALIVE_KEYS[0] in case.node.settings.sysctls:
        return None
    if not limit.is_kept_by(keepalive, case.policy) or keepalive_math.decided_in_time(keepalive, limit.seconds):
        return None
    return _undecided_found(
        keepalive, limit.seconds, str(limit), "Nothing has to be done. Fewer probes would decide in time."
    )


def _undecided_found(keepalive: Keepalive, limit_seconds: int, limit: str, remedy: str | Remedy) -> Found:
    total = f"{keepalive.time} + {keepalive.probes} x {keepalive.intvl} = {keepalive.verdict_seconds} s"
    return Found(
        f"keepalive {keepalive}: {total}, not below {limit_seconds} s",
        "A healthy connection is kept. A dead peer is given up only after the path has forgotten the connection.",
        remedy,
        limit,
    )


def _decide(plan: Plan, keepalive: Keepalive) -> str | Remedy:
    if plan.policy.profile == "article":
        return say("Use ", variable("keepalive_profile: derived"), ".")
    if plan.policy.own_names:
        return f"Lower {' or '.join(plan.policy.own_names)}."
    return say("Set ", variable(f"keepalive_ipvs_timeouts: {{tcp: {keepalive.verdict_seconds + 1}}}"), ".")


def _cure(case: Case) -> Remedy:
    policy = case.plan.policy
    if policy.strategy == "raise_ipvs" and not policy.own_names:
        return say(APPLY, ": it raises the IPVS tcp timeout.")
    timers = "Open sockets keep their old timer until it fires: restart what cannot wait."
    if case.node.rearm and case.node.rearm.late:
        timers = "Open connections with a timer from before are re-armed in place."
    return say(APPLY, f": it sets {case.node.settings.keepalive or case.node.planned}. {timers}")
