# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each node is to come to, where a middlebox holds for some nodes and pods only. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits import derive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import Holding, holding_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import Middlebox
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from .settings import Wish


def wishes_of(
    wish: Wish,
    observed: Mapping[str, Observed | None],
    boxes: Sequence[Middlebox],
    lowest: Limit | None,
    policy: Policy,
) -> dict[str, Wish]:
    """The wish of each node, which is ``wish`` but for what middleboxes are bound to.

    ``lowest`` is the lowest limit that holds for all nodes once the settings are in force.
    """
    return {
        name: _wish(wish, holding_of(name, node, (), lowest, boxes), node, policy) for name, node in observed.items()
    }


def _wish(wish: Wish, holding: Holding, node: Observed | None, policy: Policy) -> Wish:
    """A keepalive for the node itself and one for its pods, each below the lowest limit that holds for it."""
    pods = node.pods if node else None
    own = holding.of_node(pods)
    of_pods = _below(wish, holding.of_pods(pods), policy)
    if own == wish.limit or policy.strategy == "raise_ipvs":
        return replace(wish, holding=holding, pods_to_set=of_pods)
    keepalive = _below(wish, own, policy)
    reasons = derive.reasons(keepalive, own, policy) if keepalive else {}
    return replace(
        wish,
        limit=own,
        keepalive=keepalive,
        to_set=keepalive,
        reasons=reasons,
        holding=holding,
        pods_to_set=of_pods,
    )


def _below(wish: Wish, limit: Limit | None, policy: Policy) -> Keepalive | None:
    if limit == wish.limit or policy.strategy == "raise_ipvs":
        return wish.to_set
    return derive.derive(limit, policy) if limit or policy.own_names else None
