# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clusters of any size as node_info tells them, for what the controller makes of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import cluster
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import applied_node

UNREACHED = 50
"""One in so many nodes does not answer."""


def recorded(count: int, pods: int) -> Iterator[tuple[str, str | None]]:
    """The name of each node and the JSON that it answers: at risk and converged in turn, all with so many pods."""
    at_risk, converged = cluster()["worker1"], applied_node()
    rows = [row for row in at_risk["pods"]["rows"] if row["kind"] == "pod"]
    for number in range(count):
        name = f"worker{number:04}"
        node = {**(at_risk if number % 2 else converged), "hostname": f"{name}.example.org"}
        few = [_pod(rows[pod % len(rows)], number, pod) for pod in range(pods)]
        node["pods"] = {**at_risk["pods"], "count": pods, "rows": few}
        yield name, None if number % UNREACHED == UNREACHED - 1 else json.dumps(node)


def _pod(row: dict[str, Any], node: int, pod: int) -> dict[str, Any]:
    return {**row, "label": f"shop/shop-{node}-{pod}", "name": f"shop-{node}-{pod}", "netns": node * 1000 + pod}
