# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One node's part of the plan. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive, of_values
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE, count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import OF_PODS, NodeLimits, NotSeen
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import Holding
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit, shows_nonsense
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import CONTAINER, POD
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from .convergence import has_to_converge
from .enforcement import ENFORCE_REASON, enforce_changes, enforce_reason, enforce_settings
from .pods import judged_of, running_changes, with_pods
from .rearming import REARM_REASON, curable, rearm
from .rps import rps_notes
from .servers import Servers
from .settings import Wish, changes_of, kept, settings_of, unseen_keys
from .types import NodePlan, Rearm, Settings
from .watch import watch_of
from .writers import owners_of


def plan_node(
    name: str,
    node: Observed | None,
    seen: NodeLimits,
    holding: Holding,
    wish: Wish,
    ipvs_timeouts: Mapping[str, int],
    servers: Servers,
) -> NodePlan:
    """The node against the limits that hold for it now, and what it needs for the wish."""
    if node is None:
        return _not_observed(name, seen, holding, wish)
    limit = holding.of_node(node.pods)
    own_verdict, own_why = verdict_of(node.keepalive, seen, limit, wish.policy)
    if own_verdict == SAFE:
        own_why = _but_for_proxies(name, own_why, wish.policy)
    unsafe_namespaces = _namespaces_unsafe(node, holding.services)
    pods = judged_of(node, holding, not seen.hidden_limits, wish.policy, unsafe_namespaces, servers)
    verdict, why = _with_coverage(*with_pods(own_verdict, own_why, pods, wish.policy), seen, wish.policy)
    settings, reasons = settings_of(node, wish, ipvs_timeouts)
    cured = curable(node, wish, holding, pods)
    to_rearm = rearm(node, wish, holding, cured)
    own = of_values(*(settings.sysctls.get(key) for key in KEEPALIVE_KEYS)) or node.keepalive
    enforce = enforce_settings(node, wish, own)
    settings = replace(settings, enforce=enforce, open_connections=to_rearm.settings if to_rearm else None)
    reasons |= enforce_reason(node, enforce, holding) | ({REARM_REASON: _why_rearm(to_rearm)} if to_rearm else {})
    running = {POD: settings.pods, CONTAINER: settings.containers}
    changes = (*changes_of(node, settings, reasons), *running_changes(node, running))
    changes += tuple(enforce_changes(node, enforce, reasons.get(ENFORCE_REASON, "")))
    return NodePlan(
        name=name,
        observed=node,
        seen=seen,
        verdict=verdict,
        why=why,
        own_verdict=own_verdict,
        own_why=own_why,
        notes=(
            *seen.notes,
            *_shared_notes(node),
            *_kept_notes(node, wish),
            *_unseen_notes(node, settings),
            *rps_notes(node, wish.policy),
        ),
        spare_seconds=_spare(node.keepalive, limit, wish.policy),
        namespaces_unsafe=unsafe_namespaces,
        settings=settings,
        reasons=reasons,
        changes=changes,
        to_converge=has_to_converge(node, settings, changes, wish.policy),
        owners=owners_of(node, settings),
        pods=pods,
        limit=limit,
        pods_limit=holding.of_pods(node.pods),
        planned_limit=wish.limit,
        planned=wish.keepalive,
        pods_planned=wish.pods_to_set,
        holding=holding,
        servers=servers,
        rearm=to_rearm,
        curable=cured,
        watch=watch_of(node, seen, wish, own, pods).as_dict(),
    )


def _why_rearm(to_rearm: Rearm) -> Message:
    connections = count(to_rearm.connections, "open connection")
    return tell("{connections} at risk; keepalive_open_connections", connections=connections)


def _not_observed(name: str, seen: NodeLimits, holding: Holding, wish: Wish) -> NodePlan:
    why = tell("it was not observed: {why}", why=seen.why_not) if seen.why_not else "it was not observed"
    return NodePlan(
        name,
        None,
        seen,
        UNKNOWN,
        why,
        own_verdict=UNKNOWN,
        own_why=why,
        notes=tuple(seen.notes),
        limit=holding.services,
        planned_limit=wish.limit,
    )


def verdict_of(keepalive: Keepalive | None, seen: NodeLimits, limit: Limit | None, policy: Policy) -> tuple[str, str]:
    """safe, unsafe or unknown, and why, without a full stop.

    Unsafe is a keepalive that lets the connection be forgotten while no probe is lost. One that survives fewer lost
    probes than the policy wants is safe, with a warning.

    Too late for a limit that was seen is unsafe, whatever was not seen; so is too late for one that the node's own
    kernel has, however absurd.
    """
    if keepalive is not None and not keepalive.usable:
        return UNSAFE, tell(
            "keepalive {keepalive} has a value below 1, which ends or floods idle connections", keepalive=keepalive
        )
    text = "nothing was seen that forgets idle connections"
    if keepalive is not None:
        for each in (*(shown for shown in seen.shown if shown.in_force), *([limit] if limit else [])):
            text = each.verdict_text(keepalive, policy)
            if not each.keeps(keepalive):
                return UNSAFE, text
    if seen.hidden_limits:
        return UNKNOWN, _told(seen.hidden_limits)
    if keepalive is None:
        return UNKNOWN, "its keepalive could not be read"
    return SAFE, text


def _but_for_proxies(name: str, why: str, policy: Policy) -> str:
    """With what keepalive says nothing about: connections through a declared proxy, whose idle timer counts payload."""
    proxies = [box for box in policy.middleboxes if box.proxy and (box.binding is None or box.binding.has_host(name))]
    if not proxies:
        return why
    return tell(
        "{why}; not for connections through {names}, where keepalive does not count",
        why=why,
        names=some([f"{box.name} ({box.seconds} s)" for box in proxies]),
    )


def _with_coverage(verdict: str, why: str, seen: NodeLimits, policy: Policy) -> tuple[str, str]:
    """Safe only where every place was looked at. With keepalive_pods false nothing of pods counts."""
    unseen = [each for each in seen.not_seen if policy.pods or each.place not in OF_PODS]
    return (UNKNOWN, _told(unseen)) if verdict == SAFE and unseen else (verdict, why)


def _told(unseen: Iterable[NotSeen]) -> Message:
    return joined("; ", [each.text for each in unseen])


def _spare(keepalive: Keepalive | None, limit: Limit | None, policy: Policy) -> int | None:
    if keepalive is None or limit is None or not keepalive.usable:
        return None
    return keepalive_math.spare_for_verdict(keepalive, limit.seconds, policy.lost_probes)


def _namespaces_unsafe(node: Observed, limit: Limit | None) -> int:
    """How many namespaces other than the node's own have a keepalive that is too late."""
    return sum(count for _keepalive_value, count in unsafe_groups(node, limit))


def unsafe_groups(node: Observed, limit: Limit | None) -> Iterator[tuple[Keepalive, int]]:
    """Each keepalive that is too late, and in how many namespaces other than the node's own."""
    for group in node.namespaces.groups:
        others = group.namespaces - group.own
        late = not group.keepalive.usable or (limit is not None and not limit.keeps(group.keepalive))
        if late and others > 0:
            yield group.keepalive, others


def _shared_notes(node: Observed) -> Iterator[str]:
    if node.namespaces.shared:
        yield "This kernel (before Linux 4.5) has one keepalive for all network namespaces: the node's reaches pods."


def _kept_notes(node: Observed, wish: Wish) -> Iterator[str]:
    keepalive = kept(node, wish)
    if keepalive is not None:
        yield tell(
            "keepalive {keepalive} in {file} stays: {why}, so a limit that is not seen may come back. To start over, "
            "run the playbook restore first.",
            keepalive=keepalive,
            file=wish.policy.sysctl_file,
            why="a limit of this node makes no sense" if shows_nonsense(node) else "no kube-proxy answers now",
        )


def _unseen_notes(node: Observed, settings: Settings) -> Iterator[str]:
    for key in unseen_keys(node, settings):
        yield tell("{key} is set, but node_info does not read it: whether it differs now is not known.", key=key)
