# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan with its findings, as plain data: what filter/plan gives. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.collector import paused
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import (
    NOTHING_ELSEWHERE,
    Elsewhere,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node, why_not_observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.plan import plan_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.policies import parse_policies

from .table import findings_of


@paused()
def make_plan(
    nodes: object,
    wishes: object,
    own: Mapping[str, object] | None = None,
    elsewhere: Elsewhere = NOTHING_ELSEWHERE,
    every_host: bool = False,
) -> dict[str, Any]:
    """The plan as plain data.

    ``nodes`` maps inventory names to what node_info returned as ``node``, plain or as parse_nodes made of it; to None,
    {} or a mapping of ``not_observed`` and the reason where it could not be observed. ``wishes`` maps names of the
    policy to values, ``own`` nodes to such mappings of what they want otherwise. Both are plain (see
    checked_values.plain). With ``every_host`` hosts that are no nodes of a cluster count, too; so they do where there
    are no others. Raises PlanError.
    """
    if not isinstance(nodes, dict) or not nodes:
        raise PlanError(
            "no node was given, at least one is expected. Give a mapping of names to what node_info returned as node."
        )
    named = {str(name): node for name, node in nodes.items()}
    observed = {name: parse_node(node) for name, node in named.items()}
    others = () if every_host else _others(observed)
    not_counting = set(others)
    counting = {name: node for name, node in observed.items() if name not in not_counting}
    plan = plan_of(
        counting,
        parse_policies(_by_node(counting, wishes, own or {})),
        {name: why_not_observed(named[name]) for name, node in counting.items() if node is None},
        elsewhere,
    )
    return {**plan.as_dict(findings_of(plan)), "other_hosts": list(others)}


def _others(observed: Mapping[str, Observed | None]) -> tuple[str, ...]:
    """The hosts that are no nodes, none where no other host was seen."""
    seen = {name: node for name, node in observed.items() if node is not None}
    others = tuple(name for name, node in seen.items() if not node.is_node)
    return others if len(others) < len(seen) else ()


def _by_node(nodes: Iterable[str], wishes: object, own: Mapping[str, object]) -> dict[str, object]:
    """What each node wishes; whatever is no mapping stays, to be refused."""
    return {name: _merged(wishes, own.get(name, {})) for name in nodes}


def _merged(wishes: object, theirs: object) -> object:
    if isinstance(wishes, dict) and isinstance(theirs, dict):
        return {**wishes, **theirs}
    return theirs if isinstance(wishes, dict) else wishes
