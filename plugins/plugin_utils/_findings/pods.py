# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on the keepalive of pods, by name. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import (
    KERNEL_DEFAULT,
    losses_text,
    not_later,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.ipvs import is_ipvs
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import Judged
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.node import unsafe_groups

from . import cures
from .rule import APPLY, CRITICAL, INFO, RAISE_IPVS, WARNING, Case, Found, Remedy, Rules, one_by_one, remedy

RULES = Rules()

_PER_NAMESPACE = tell(
    "Keepalive sysctls belong to a network namespace. The node's own reach hostNetwork processes only, "
    "and the namespace of a new pod starts with the kernel's {default}.",
    default=KERNEL_DEFAULT,
)


@RULES.node("pods-keepalive-too-late", CRITICAL)
def _too_late(case: Case) -> Found | None:
    """Pods have the kernel's keepalive, which is too late: the node's sysctls do not reach them.

    A warning where they do not count: with keepalive_pods false, or where nobody looked for pods.
    """
    if case.node.pods is None:
        return _groups(case)
    if case.observed.namespaces.shared:
        return None  # keepalive-too-late says it
    late = [each for each in case.node.pods.unsafe if not each.space.has_own_values]
    unlisted = case.node.pods.unlisted_unsafe
    if not late and not unlisted:
        return None
    seen = [
        tell(
            "{pods} with {keepalive}: {names}",
            pods=count(len(late), "pod"),
            keepalive=KERNEL_DEFAULT,
            names=names(late),
        )
    ]
    hidden = [tell("{namespaces} that the node did not list", namespaces=count(unlisted, "network namespace"))]
    return Found(
        joined("; ", [*(seen if late else []), *(hidden if unlisted else [])]),
        _PER_NAMESPACE,
        _cure_new(case, late if not unlisted else ()),
        case.pods_limit_text,
        _severity(case),
    )


def _cure_new(case: Case, late: Sequence[Judged]) -> Remedy:
    """Running pods, and those to come."""
    first = cures.late_values(case, late, "new pods")
    give = tell(
        "Or give new pods net.ipv4.tcp_keepalive_time, _intvl and _probes of {keepalive} with the role pod_defaults or "
        "in securityContext.sysctls."
        if first
        else "Give new pods net.ipv4.tcp_keepalive_time, _intvl and _probes of {keepalive} with the role pod_defaults "
        "or in securityContext.sysctls.",
        keepalive=case.pods_keepalive,
    )
    return _cure(case, _running(case), first, give, cures.why_not(case))


def _cure_short(short: Sequence[Judged], case: Case) -> Remedy:
    if case.policy.strategy == "raise_ipvs":
        return remedy("{apply}: it raises the IPVS tcp timeout.", apply=APPLY)
    own = [each for each in short if each.space.has_own_values]
    by_hand = tell(
        "Set {values} in securityContext.sysctls of pods with values of their own.", values=sooner(own, case)
    )
    return one_by_one(_running(case) if len(own) < len(short) else "", by_hand if own else "")


def _running(case: Case) -> str | Remedy:
    if case.node.settings.pods is None:
        return ""
    return remedy(
        "{apply}: it sets {keepalive} in the running pods, for the connections that they open then, and re-arms those "
        "that are open."
        if case.node.rearm and case.node.rearm.late
        else "{apply}: it sets {keepalive} in the running pods, for the connections that they open then.",
        apply=APPLY,
        keepalive=case.node.settings.pods,
    )


def _groups(case: Case) -> Found | None:
    """Without names: node data of a node_info that did not look for pods."""
    groups = list(unsafe_groups(case.observed, case.pods_limit))
    if not groups:
        return None
    total = sum(number for _keepalive_value, number in groups)
    give = tell(
        "Give pods net.ipv4.tcp_keepalive_time, _intvl and _probes of {keepalive}: in securityContext.sysctls (safe "
        "from Kubernetes 1.29), by CRI-O's default_sysctls or the CNI plugin tuning; then recreate them.",
        keepalive=case.pods_keepalive,
    )
    return Found(
        tell(
            "{namespaces} besides the node's own (pods): {each}",
            namespaces=count(total, "network namespace"),
            each=some([tell("{keepalive} in {number}", keepalive=had, number=number) for had, number in groups]),
        ),
        _PER_NAMESPACE,
        _cure(case, give),
        case.pods_limit_text,
        _severity(case),
    )


@RULES.node("pods-own-keepalive-too-late", CRITICAL)
def _own_values(case: Case) -> Found | None:
    """Pods have a keepalive that somebody gave them, and it is too late. A warning with keepalive_pods false."""
    unsafe = case.node.pods.unsafe if case.node.pods else ()
    own = [each for each in unsafe if each.space.has_own_values and is_late_itself(each, case)]
    if not own or case.observed.namespaces.shared:
        return None
    first = cures.late_values(case, own, "these")
    by_hand = tell(
        "Or set {values} in securityContext.sysctls of these pods, or drop it there, and recreate them."
        if first
        else "Set {values} in securityContext.sysctls of these pods, or drop it there, and recreate them.",
        values=sooner(own, case),
    )
    return Found(
        some(list(map(has, own))),
        "These are not the kernel's values: somebody set them on purpose, or an earlier run did under a higher limit. "
        "This collection does not overwrite what was set on purpose.",
        one_by_one(first, by_hand),
        case.pods_limit_text,
        _severity(case),
    )


def is_late_itself(each: Judged, case: Case) -> bool:
    """Whether it is not what is enforced in its place that is too late: that has a finding of its own."""
    own, limit = each.space.keepalive, case.node.holding.of(each.space)
    return own is None or limit is None or not limit.keeps(own)


def has(each: Judged) -> str:
    return tell("{name} has {keepalive}", name=each.space.label, keepalive=each.space.keepalive)


@RULES.node("pods-keepalive-lost-probes", WARNING)
def _lost_probes(case: Case) -> Found | None:
    """Pods have a keepalive that is in time while no probe is lost, but not with the policy's lost probes or margin."""
    short = case.node.pods.short_of_policy if case.node.pods else ()
    limit = case.pods_limit
    if not short or limit is None or case.observed.namespaces.shared:
        return None
    each = [(judged, judged.space.keepalive) for judged in short if judged.space.keepalive is not None]
    kept = [
        tell(
            "{name} with {keepalive}, kept {losses}",
            name=judged.space.label,
            keepalive=had,
            losses=losses_text(had, limit.seconds),
        )
        for judged, had in each
    ]
    return Found(
        some(kept),
        tell(
            "No healthy connection is forgotten. keepalive_lost_probes {lost} wants more, or keepalive_margin does.",
            lost=case.policy.lost_probes,
        ),
        _cure_short(short, case),
        limit.text,
        INFO if not case.policy.pods else None,
    )


def _cure(case: Case, *others: str | Remedy) -> Remedy:
    """What to do about the keepalive of pods; the cure by raise_ipvs stands alone or behind the others."""
    limit = case.pods_limit
    if case.policy.strategy == "raise_ipvs":
        return remedy("{apply}: it raises the IPVS tcp timeout above all of them.", apply=APPLY)
    raising = remedy("Or, if you cannot change pods, set {raise_ipvs}.", raise_ipvs=RAISE_IPVS)
    return one_by_one(*others, raising if limit and is_ipvs(limit) else "")


def _severity(case: Case) -> str | None:
    """A warning where the values of pods do not count in the verdict of the node."""
    return None if case.policy.pods and case.node.pods else WARNING


def sooner(pods: Sequence[Judged], case: Case) -> str:
    """For each what is soon enough, and nothing later than it has; without a limit only values below 1 are too late."""
    planned, lost = case.pods_keepalive, case.policy.lost_probes
    if planned is None:
        return "three values of 1 or more"
    fit = dict.fromkeys(not_later(each.space.keepalive, planned, lost) for each in pods)
    return tell("at most {keepalive}", keepalive=some(list(map(str, fit)), " or "))


def names(each: Sequence[Judged]) -> str:
    return some([judged.space.label for judged in each])
