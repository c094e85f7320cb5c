# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on what an apply could not do. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse_applied import (
    CAUSES,
    REFUSED,
    REWRITTEN,
    UNREAD,
    LeftOpen,
    NotTaken,
    Rearmed,
    open_connections,
    pods_not_taken,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import NODE

from .rule import APPLY, WARNING, Found, Remedy, Rules, one_by_one, remedy

RULES = Rules()

_DO: dict[str, str | Remedy] = {
    REWRITTEN: "Something in the pod sets another value, such as its entrypoint, an init container or "
    "securityContext.sysctls. Change it there.",
    REFUSED: "A pod that refuses a value (a sandbox, a user namespace, a security module) has to get it at its start: "
    "use the role pod_defaults or securityContext.sysctls, then recreate the pod.",
    UNREAD: remedy("{apply} again for those that could not be reached.", apply=APPLY),
}


@RULES.applied("pod-keepalive-refused", WARNING)
def _refused(outcome: object) -> Found | None:
    """In an apply running pods or containers did not take the planned keepalive, or did not keep it."""
    pods = pods_not_taken(outcome)
    groups = [same for cause in CAUSES if (same := [pod for pod in pods if pod.cause == cause])]
    if not groups:
        return None
    return Found(
        joined("; ", map(_seen, groups)),
        "A pod or container may change the keepalive of its network namespace. The node and the others have the "
        "planned one. These keep their own, and so do the connections that they open.",
        one_by_one(*(_DO[same[0].cause] for same in groups)),
    )


def _seen(same: Sequence[NotTaken]) -> str:
    told = {
        "pods": count(len(same), _noun(same)),
        "wanted": same[0].wanted,
        "names": some([tell("{pod} ({state})", pod=pod.pod, state=_state(pod)) for pod in same]),
    }
    if same[0].cause == REWRITTEN:
        return tell("{pods} did not keep {wanted}: {names}", **told)
    if same[0].cause == REFUSED:
        return tell("{pods} refused {wanted}: {names}", **told)
    return tell("{pods} could not be reached to set {wanted}: {names}", **told)


def _noun(same: Sequence[NotTaken]) -> str:
    return "container" if all(each.pod.startswith("container ") for each in same) else "pod"


def _state(pod: NotTaken) -> str:
    return tell("has {keepalive}", keepalive=pod.found) if pod.cause == REWRITTEN and pod.found else pod.why


_OWN = ("own_values", "user_timeout")
_UNLISTED = "unlisted"
_NOBODY_KNOWS = ("gone", "busy")
"""As in the node's re-arming: set by the program on purpose; beyond what one run does; ended or busy meanwhile."""


@RULES.applied("connections-not-rearmed", WARNING)
def _not_rearmed(outcome: object) -> Found | None:
    """In an apply open connections that are at risk could not be given a sooner timer in place."""
    done = open_connections(outcome)
    left = list(_left(done.rows)) if done else []
    if done is None or not (left or (done.more_rows and done.not_rearmed)):
        return None
    groups = grouped(((each.reason_id, each.reason), (row, each)) for row, each in left)
    told: list[str] = [
        tell(
            "{connections}, {reason}: {whose}",
            connections=_number(of),
            reason=reason,
            whose=some([_whose(*each) for each in of]),
        )
        for (_id, reason), of in groups.items()
    ]
    if done.more_rows:
        told.append(tell("{rows} that the node did not list", rows=count(done.more_rows, "more row")))
    return Found(
        joined("; ", told),
        tell(
            "These connections keep the timer that they have, or none. If they are idle for as long as the limit, they "
            "are forgotten. {others} was re-armed in place."
            if done.rearmed == 1
            else "These connections keep the timer that they have, or none. If they are idle for as long as the limit, "
            "they are forgotten. {others} were re-armed in place.",
            others=count(done.rearmed, "other"),
        ),
        _what_to_do(left, bool(done.more_rows)),
    )


def _left(rows: Sequence[Rearmed]) -> Iterator[tuple[Rearmed, LeftOpen]]:
    """Those that are still there, and late or without keepalive."""
    for row in rows:
        for each in row.not_rearmed:
            if each.connections and each.reason_id not in _NOBODY_KNOWS:
                yield row, each


def _number(of: Sequence[tuple[Rearmed, LeftOpen]]) -> str:
    return count(sum(each.connections for _row, each in of), "open connection")


def _whose(row: Rearmed, left: LeftOpen) -> str:
    told = {"name": row.label, "peer": row.peer, "number": left.connections}
    if row.process:
        return tell("{name} ({process}) to {peer}: {number}", process=row.process, **told)
    return tell("{name} to {peer}: {number}", **told)


def _what_to_do(left: Sequence[tuple[Rearmed, LeftOpen]], more: bool) -> Remedy:
    """Only what could not be re-armed, and has no keepalive of its own, is named for a restart."""
    reasons = {each.reason_id for _row, each in left}
    names = dict.fromkeys(_named(row) for row, each in left if each.reason_id not in (*_OWN, _UNLISTED))
    told: list[str | Remedy] = []
    if names:
        told.append(
            tell("Restart {names}, or have them connect again. Nothing else needs it.", names=some(list(names)))
        )
    if reasons.intersection(_OWN):
        told.append("What a program has set itself is left alone: change it there.")
    if _UNLISTED in reasons or more:
        told.append(remedy("{apply} again for those that were too many for one run.", apply=APPLY))
    return one_by_one(*told)


def _named(row: Rearmed) -> str:
    """A pod or container by its name; nobody restarts the node for a connection."""
    return row.process or row.label if row.kind == NODE else row.label
