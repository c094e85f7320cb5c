# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keepalive that running pods should have, and what pods mean for the verdict. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import (
    UNKNOWN,
    UNSAFE,
    VERDICTS,
    count,
    some,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Namespaces, Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import POD, Pods, Space
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from .judged_pods import JudgedPods
from .pods_at_risk import View, judge
from .types import Change

REASON = "pods"
"""The key of the reason of the keepalive of running pods, beside those of sysctls and modules."""

WHY = "new connections of running pods then probe in time; keepalive_pods"


def judged_of(
    node: Observed, limit: Limit | None, all_limits: bool, policy: Policy, unsafe_namespaces: int
) -> JudgedPods | None:
    """The node's pods under the limit, None where node_info told nothing of them.

    ``unsafe_namespaces`` is the number of all namespaces but the node's own that are too late.
    """
    if node.pods is None:
        return None
    view = View(limit, all_limits, policy)
    unlisted = max(0, unsafe_namespaces - _listed_unsafe(node.pods, view)) if node.pods.omitted else 0
    return judge(node.pods, view, node.namespaces.complete, unlisted)


def _listed_unsafe(pods: Pods, view: View) -> int:
    """How many of the listed namespaces but the node's own are too late."""
    return sum(
        space.kind != "node" and space.keepalive is not None and not view.is_safe(space.keepalive)
        for space in pods.spaces
    )


def with_pods(
    verdict: str, why: str, pods: JudgedPods | None, namespaces: Namespaces, policy: Policy
) -> tuple[str, str]:
    """The verdict of the node with that of its pods' keepalive, which the settings can cure, and why.

    Connections that are open already do not count in it: no setting reaches those without SO_KEEPALIVE or with an armed
    timer. They have findings, and the pods' own verdict. Of ``namespaces`` those that are hidden count as pods. With
    keepalive_pods false nothing of pods counts.
    """
    if pods is None or not policy.pods or VERDICTS.index(pods.settings_verdict) >= VERDICTS.index(verdict):
        return verdict, why
    if pods.settings_verdict == UNSAFE and pods.unsafe:
        first = pods.unsafe[0]
        return UNSAFE, f"{count(len(pods.unsafe), 'pod')} too late, such as {first.space.label}: {first.values_why}"
    if pods.unreadable:
        first = pods.unreadable[0]
        return pods.settings_verdict, f"pod {first.space.label}: {first.values_why}"
    if pods.sandboxed:
        first = pods.sandboxed[0]
        more = f" (and {len(pods.sandboxed) - 1} more)" if len(pods.sandboxed) > 1 else ""
        return pods.settings_verdict, f"pod {first.space.label}{more}: {first.values_why}"
    if pods.settings_verdict == UNKNOWN:
        return UNKNOWN, f"{namespaces.not_read}; they may be pods"
    return pods.settings_verdict, "pods that are not listed have a keepalive that is too late"


def pods_settings(node: Observed, limit: Limit | None, to_set: Keepalive | None, policy: Policy) -> Keepalive | None:
    """What node_settings is to give to running pods, None where none needs it or keepalive_pods is false.

    It is given where any pod is too late, or short of the policy. Only the node knows which of them have theirs from an
    earlier run.
    """
    if to_set is None or not policy.pods or not any(_late(node, limit, policy)):
        return None
    return to_set


def pods_changes(node: Observed, limit: Limit | None, wanted: Keepalive | None, policy: Policy) -> Iterator[Change]:
    """One change for all pods with the kernel's default: pods with values of their own are left alone."""
    late = [space for space in _late(node, limit, policy) if not space.has_own_values]
    if wanted is not None and late:
        names = some(sorted(space.label for space in late))
        what = f"keepalive of {count(len(late), 'pod')} ({names})"
        yield Change(REASON, what, str(late[0].keepalive), str(wanted), WHY, pods=True)


def _late(node: Observed, limit: Limit | None, policy: Policy) -> Iterator[Space]:
    view = View(limit, True, policy)
    for space in node.pods.of_kind(POD) if node.pods else ():
        late = space.keepalive is not None and not view.is_as_wanted(space.keepalive)
        if late and space.sandbox is None:
            yield space
