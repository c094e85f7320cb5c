# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kubelet of each node tells of it, and a restart that is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.kubenode.connections.tests.cluster.real.cluster import Cluster
from ansible_collections.kubenode.connections.tests.cluster.real.story import until


def told(cluster: Cluster, what: str) -> dict[str, str]:
    """Of each node's condition Ready: status, lastTransitionTime or lastHeartbeatTime."""
    return {
        node["metadata"]["name"]: condition[what]
        for node in cluster.kubectl.get("nodes")
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready"
    }


def ready(cluster: Cluster) -> dict[str, bool]:
    return {node: status == "True" for node, status in told(cluster, "status").items()}


@contextmanager
def restarts(cluster: Cluster, *nodes: str) -> Iterator[None]:
    """kubelet of these nodes restarts in here. Wait until it has said that its node is ready, and its pods are."""
    before = told(cluster, "lastHeartbeatTime")
    yield

    def again() -> bool:
        after = told(cluster, "lastHeartbeatTime")
        return all(before[node] != after[node] for node in nodes) and all(ready(cluster).values())

    until(again, "kubelet started anew and nodes ready")
    cluster.until_pods_run()
