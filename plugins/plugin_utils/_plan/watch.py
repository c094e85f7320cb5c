# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node has to know of the plan to watch itself between two audits. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import bpf_reads_keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import NodeLimits
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed

from .judged_pods import JudgedPods
from .settings import Wish


@dataclass(frozen=True)
class Watch:
    """The plan in the words of one node.

    ``limit`` and ``outside`` hold for connections to services and to other addresses once the settings are in force.
    ``in_part``: a middlebox is bound to some pods or destinations, which the node cannot tell. ``kept``: the services
    and addresses whose servers probe in time. ``pods`` and ``containers`` say whether theirs counts, ``give_pods`` and
    ``give_containers`` what those shall have that come. ``replaces``: what is enforced replaces what a socket has.
    """

    mode: str | None
    limit: Limit | None
    outside: Limit | None
    all_limits: bool
    in_part: bool
    lost_probes: int
    ipvs_on_path: bool
    keepalive: Keepalive | None
    pods: bool
    containers: bool
    give_pods: Keepalive | None
    give_containers: Keepalive | None
    kept: tuple[str, ...]
    replaces: bool

    def as_dict(self) -> dict[str, Any]:
        """As plain data, which goes onto the node."""
        return {
            **vars(self),
            "limit": self.limit.as_dict() if self.limit else None,
            "outside": self.outside.as_dict() if self.outside else None,
            "kept": list(self.kept),
            **{
                name: value.as_dict() if (value := getattr(self, name)) else None
                for name in ("keepalive", "give_pods", "give_containers")
            },
        }


def watch_of(node: Observed, seen: NodeLimits, wish: Wish, own: Keepalive | None, pods: JudgedPods | None) -> Watch:
    """For a node that shall have the keepalive ``own``."""
    policy, holding = wish.policy, wish.holding
    to_give = None if node.namespaces.shared or policy.enforce else wish.pods_to_set
    return Watch(
        mode=node.mode,
        limit=holding.services,
        outside=holding.outside,
        all_limits=not seen.hidden_limits,
        in_part=bool(holding.bound or holding.proxies),
        lost_probes=policy.lost_probes,
        ipvs_on_path=node.ipvs_on_path,
        keepalive=own,
        pods=policy.pods,
        containers=policy.containers,
        give_pods=to_give if policy.pods else None,
        give_containers=to_give if policy.containers else None,
        kept=tuple(sorted({name for each in pods.each for name in each.kept})) if pods else (),
        replaces=not bpf_reads_keepalive(node.kernel),
    )
