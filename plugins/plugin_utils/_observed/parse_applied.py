# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what node_settings returned to typed values; nothing about its shape is taken for granted. Private."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import items, mapping, text

REWRITTEN, REFUSED, UNREAD = CAUSES = ("rewritten", "refused", "unread")
"""As in pod_keepalive.py of the node: something else sets it, it cannot be written, nobody could look."""


@dataclass(frozen=True)
class NotTaken:
    """A running pod that should have another keepalive (``time/intvl/probes``); ``found`` is None where unknown."""

    pod: str
    uid: str | None
    wanted: str
    found: str | None
    cause: str
    why: str


def pods_not_taken(outcome: object) -> tuple[NotTaken, ...]:
    """The pods that an apply has not brought to what they should have."""
    return tuple(_not_taken(mapping(each)) for each in items(mapping(outcome).get("pods_not_taken")))


def _not_taken(pod: Mapping[str, object]) -> NotTaken:
    cause = text(pod.get("cause"))
    return NotTaken(
        pod=text(pod.get("pod")) or "?",
        uid=text(pod.get("uid")),
        wanted=text(pod.get("wanted")) or "?",
        found=text(pod.get("found")),
        cause=cause if cause in CAUSES else UNREAD,
        why=text(pod.get("why")) or "no reason was given",
    )
