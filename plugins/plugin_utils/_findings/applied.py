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

_SEEN = {REWRITTEN: "did not keep", REFUSED: "refused", UNREAD: "could not be reached to set"}

_DO = {
    REWRITTEN: "Something in the pod sets another value, such as its entrypoint, an init container or "
    "securityContext.sysctls. Change it there.",
    REFUSED: "A pod that refuses a value (a sandbox, a user namespace, a security module) has to get it at its start: "
    "use the role pod_defaults or securityContext.sysctls, then recreate the pod.",
    UNREAD: f"{APPLY} again for those that could not be reached.",
}


@RULES.applied("pod-keepalive-refused", WARNING)
def _refused(outcome: object) -> Found | None:
    """In an apply running pods or containers did not take the planned keepalive, or did not keep it."""
    pods = pods_not_taken(outcome)
    groups = [same for cause in CAUSES if (same := [pod for pod in pods if pod.cause == cause])]
    if not groups:
        return None
    return Found(
        "; ".join(map(_seen, groups)),
        "A pod or container may change the keepalive of its network namespace. The node and the others have the "
        "planned one. These keep their own, and so do the connections that they open.",
        " ".join(_DO[same[0].cause] for same in groups),
    )


def _seen(same: Sequence[NotTaken]) -> str:
    names = some([f"{pod.pod} ({_state(pod)})" for pod in same])
    return f"{count(len(same), _noun(same))} {_SEEN[same[0].cause]} {same[0].wanted}: {names}"


def _noun(same: Sequence[NotTaken]) -> str:
    return "container" if all(each.pod.startswith("container ") for each in same) else "pod"


def _state(pod: NotTaken) -> str:
    return f"has {pod.found}" if pod.cause == REWRITTEN and pod.found else pod.why
