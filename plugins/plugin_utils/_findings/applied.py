# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on what an apply could not do. Private to this collection."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse_applied import (
    CAUSES,
    REFUSED,
    REWRITTEN,
    UNREAD,
    NotTaken,
    pods_not_taken,
)

from .rule import APPLY, WARNING, Found, Rules

RULES = Rules()

_SEEN = {REWRITTEN: "did not keep", REFUSED: "refused", UNREAD: "could not be reached for"}

_DO = {
    REWRITTEN: "What sets another value stands in the pod, such as its entrypoint, an init container or "
    "securityContext.sysctls: change it there.",
    REFUSED: "Pods that refuse a value (a sandbox, a user namespace, a security module) need it when they start: by "
    "the role pod_defaults or securityContext.sysctls; then recreate them.",
    UNREAD: f"{APPLY} again for those that could not be reached.",
}


@RULES.applied("pod-keepalive-refused", WARNING)
def _refused(outcome: object) -> Found | None:
    """In an apply running pods did not take the planned keepalive, or did not keep it."""
    pods = pods_not_taken(outcome)
    groups = [same for cause in CAUSES if (same := [pod for pod in pods if pod.cause == cause])]
    if not groups:
        return None
    return Found(
        "; ".join(map(_seen, groups)),
        "A pod may do with the keepalive of its network namespace as it likes, so each is given the planned one by "
        "itself. The node and its other pods have theirs. What these open goes by what they have.",
        " ".join(_DO[same[0].cause] for same in groups),
    )


def _seen(same: Sequence[NotTaken]) -> str:
    names = some([f"{pod.pod} ({_state(pod)})" for pod in same])
    return f"{count(len(same), 'pod')} {_SEEN[same[0].cause]} {same[0].wanted}: {names}"


def _state(pod: NotTaken) -> str:
    return f"has {pod.found}" if pod.cause == REWRITTEN and pod.found else pod.why
