# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keepalive that running pods should have, and what pods mean for the verdict. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import (
    UNKNOWN,
    UNSAFE,
    VERDICTS,
    count,
    some,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import Holding
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import CONTAINER, POD, Pods, Space
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from .enforced import covers_unlisted, in_force, stays_in_force
from .judged_pods import Judged, JudgedPods
from .pods_at_risk import View, judge
from .servers import Servers
from .types import Change

REASONS = {POD: "pods", CONTAINER: "containers"}
"""The key of the reason of the keepalive of running pods and containers, beside those of sysctls and modules."""

WHY = {
    POD: "new connections of running pods then probe in time; keepalive_pods",
    CONTAINER: "new connections of running containers then probe in time; keepalive_containers",
}


def judged_of(
    node: Observed, holding: Holding, all_limits: bool, policy: Policy, unsafe_namespaces: int, servers: Servers
) -> JudgedPods | None:
    """The node's pods under the limits that hold for them, None where node_info told nothing of them.

    ``unsafe_namespaces`` is the number of all namespaces but the node's own that are too late.
    """
    if node.pods is None:
        return None
    enforced = in_force(node)
    view = View(holding.services, all_limits, policy, holding, servers, enforced)
    hidden = 0 if covers_unlisted(enforced, node.pods, holding.services) else node.pods.unlisted
    unlisted = min(hidden, max(0, unsafe_namespaces - _listed_unsafe(node.pods, view)))
    return judge(node.pods, view, node.namespaces.complete, unlisted)


def _listed_unsafe(pods: Pods, view: View) -> int:
    """How many of the listed namespaces but the node's own are too late for what holds for all of them."""
    return sum(
        space.kind != "node" and space.keepalive is not None and not view.is_safe(space.keepalive)
        for space in pods.spaces
    )


def with_pods(verdict: str, why: str, pods: JudgedPods | None, policy: Policy) -> tuple[str, str]:
    """The verdict of the node with that of its pods' keepalive, which the settings can cure, and why.

    Connections that are open already do not count in it: no sysctl reaches those without SO_KEEPALIVE or with an armed
    timer. They have findings, and the pods' own verdict. With keepalive_pods false nothing of pods counts, with
    keepalive_containers false nothing of containers. Pods that are hidden are the coverage's.
    """
    if pods is None or VERDICTS.index(pods.settings_verdict) >= VERDICTS.index(verdict):
        return verdict, why
    kinds = _kinds(policy)
    if pods.settings_verdict == UNSAFE:
        for kind in kinds:
            if late := pods.unsafe_of(kind):
                return UNSAFE, tell(
                    "{pods} too late, such as {name}: {why}",
                    pods=count(len(late), kind),
                    name=late[0].space.label,
                    why=late[0].values_why,
                )
    for kind in kinds:
        for first in pods.unreadable_of(kind)[:1]:
            return pods.settings_verdict, tell("{what}: {why}", what=_named(first), why=first.values_why)
    if pods.sandboxed:
        first, more = pods.sandboxed[0], len(pods.sandboxed) - 1
        name = tell("{name} (and {number} more)", name=_named(first), number=more) if more else _named(first)
        return pods.settings_verdict, tell("{what}: {why}", what=name, why=first.values_why)
    if pods.settings_verdict == UNKNOWN:
        return verdict, why
    return pods.settings_verdict, "pods that are not listed have a keepalive that is too late"


def _named(judged: Judged) -> str:
    """The label of a container says already that it is one."""
    label = judged.space.label
    return label if judged.space.kind == CONTAINER else tell("pod {name}", name=label)


def _kinds(policy: Policy) -> list[str]:
    """Whose keepalive counts, and may be changed while they run."""
    return [kind for kind, wanted in ((POD, policy.pods), (CONTAINER, policy.containers)) if wanted]


def running_settings(
    kind: str, node: Observed, holding: Holding, to_set: Keepalive | None, policy: Policy
) -> Keepalive | None:
    """What node_settings is to give to running pods or containers, None where none needs it or the policy says no.

    It is given where any is too late, or short of the policy, and then to all with the kernel's default. Only the node
    knows which of them have theirs from an earlier run. Where one keepalive is for all, the node's own sysctls do it.
    """
    nobody = to_set is None or kind not in _kinds(policy) or node.namespaces.shared
    if nobody or not any(_late(kind, node, holding, policy)):
        return None
    return to_set


def running_changes(node: Observed, wanted: Mapping[str, Keepalive | None]) -> Iterator[Change]:
    """One change for all pods, and one for all containers, with the kernel's default: others are left alone.

    Those that are safe by a limit of their own, because a middlebox is bound to others, are among them.
    """
    for kind, keepalive in wanted.items():
        labels = sorted(_with_default(kind, node)) if keepalive not in (None, KERNEL_DEFAULT) else []
        if labels:
            what = tell("keepalive of {pods} ({names})", pods=count(len(labels), kind), names=some(labels))
            yield Change(REASONS[kind], what, str(KERNEL_DEFAULT), str(keepalive), WHY[kind], pods=True)


def _with_default(kind: str, node: Observed) -> Iterator[str]:
    for space in node.pods.of_kind(kind) if node.pods else ():
        if space.keepalive == KERNEL_DEFAULT and space.sandbox is None:
            yield space.label


def _late(kind: str, node: Observed, holding: Holding, policy: Policy) -> Iterator[Space]:
    view = View(holding.services, True, policy, holding, enforced=stays_in_force(node, policy))
    for space in node.pods.of_kind(kind) if node.pods else ():
        keepalive = view.new_connections(space)
        late = keepalive is not None and not view.of(space).is_as_wanted(keepalive)
        if late and space.sandbox is None:
            yield space
