# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan with its findings, as plain data: what filter/plan gives. Private to this collection."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.plan import plan_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import parse_policy

from .table import findings_of


def make_plan(nodes: object, wishes: object) -> dict[str, Any]:
    """The plan as plain data.

    ``nodes`` maps inventory names to what node_info returned as ``node``, or to None or {} where it could not be
    observed. ``wishes`` maps names of the policy to values. Both plain (see checked_values.plain). Raises PlanError.
    """
    if not isinstance(nodes, dict) or not nodes:
        raise PlanError(
            "no node was given, at least one is expected. Give a mapping of names to what node_info returned as node."
        )
    plan = plan_of({str(name): parse_node(node) for name, node in nodes.items()}, parse_policy(wishes))
    return plan.as_dict(findings_of(plan))
