# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports to look at: one with a bit of everything, one of a hostile node, one of 500 nodes."""

from __future__ import annotations

import functools
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.drift import drift
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import (
    applied,
    cluster,
    document,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nftables_node,
    nodes,
    quiet_node,
    stock_node,
    with_keepalive,
    with_pods,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    row,
    service,
    with_rows,
)

HOSTILE = (
    "\"'></a></td></svg></style></script><script>window.hostile = 1</script>"
    "<img src=x onerror='window.hostile = 1'>\u202e"
)


def everything() -> dict[str, Any]:
    """After an apply, compared with a report of before, with silenced findings."""
    report = document(applied=applied(), verdicts_before={"worker1": "unsafe", "worker2": "safe"}, kind="apply")
    for finding in report["findings"]:
        finding["silenced"] = "planned for spring" if finding["id"] == "ipvs-mode-deprecated" else None
    earlier = document({**cluster(), "worker2": stock_node(), "worker9": quiet_node()})
    return report | {"drift": drift(earlier, report, "earlier.json")}


def hostile() -> dict[str, Any]:
    """Nodes, pods, processes, files and limits whose names want to be markup."""
    named = {f"{name}{HOSTILE}": node for name, node in cluster().items()}
    worker = next(node for node in named.values() if node)
    worker["kernel"] += HOSTILE
    for space in worker["pods"]["rows"]:
        space["label"] += HOSTILE
        for process in [space["process"], *(each for place in space["services"] for each in place["processes"])]:
            if process:
                process["name"] = process["runtime"] = HOSTILE
    worker["problems"] = [{"id": "kubelet", "what": HOSTILE, "why": HOSTILE, "do": HOSTILE}]
    outcome = {"before": {"files": {HOSTILE: None}}, "after": {"files": {HOSTILE: HOSTILE}}, "notes": [HOSTILE]}
    policy = {"middleboxes": [{"name": HOSTILE, "seconds": 3600}]}
    return document(named, policy, applied={f"worker1{HOSTILE}": outcome}, kind="apply")


def all_verdicts() -> dict[str, Any]:
    """Lines of all sorts: late, in time, not read, after a reboot, of pods, with a limit of another node."""
    late_boot = with_keepalive(quiet_node(), (600, 30, 9), boot=(7200, 75, 9))
    late_pods = with_pods(quiet_node(), [((7200, 75, 9), 3), ((300, 75, 9), 2)])
    close = with_keepalive(stock_node(), (700, 60, 9))
    return document(
        nodes(stock_node(), late_boot, late_pods, close, nftables_node(), None), {"middleboxes": ["aws_nlb"]}
    )


def several_nodes() -> dict[str, Any]:
    """Five nodes with twelve pods at risk each."""
    rows = [row(f"shop/pod-{number}", KERNEL, service(gaps=[(7200, 1)])) for number in range(12)]
    return document(nodes(*(with_rows(quiet_node(), *rows) for _node in range(5))), {})


@functools.cache
def large() -> dict[str, Any]:
    """500 nodes with 40 pods each, all at risk."""
    several = {}
    for number in range(500):
        own = [f"team-{pod % 7}/deployment-{pod:02}-7d9f8c6b5-x{number:03}p" for pod in range(40)]
        java = service("10.96.33.10:5432", gaps=[(7200, 2)], processes=[("java", 4102, "java", 0)])
        rows = [row(name, KERNEL, java, service(f"10.96.12.{pod}:50051", 1)) for pod, name in enumerate(own)]
        several[f"node{number:03}.example.org"] = with_rows(stock_node() if number % 2 else quiet_node(), *rows)
    return document(several, {})
