# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small cluster for tests of the report: one node at risk, one safe, one nobody reached; pods, and an apply."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import make_document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    INTVL,
    OUR_FILE,
    PROBES,
    TIME,
    altered,
    quiet_node,
    stock_node,
    with_counters,
    with_pods,
)

MADE_AT = "2026-11-21T03:40:00Z"
VERSION = "1.0.0"
POLICY = {"middleboxes": [{"name": "corporate firewall", "seconds": 3600}]}

_KERNEL = {"time": 7200, "intvl": 75, "probes": 9}


def cluster() -> dict[str, Any]:
    """worker1 at risk on 5.10, worker2 safe on 7.2, worker3 on 6.1 not reached, as the planner takes them."""
    at_risk = with_counters(with_pods(stock_node(), [((7200, 75, 9), 3)]), {"invalid": 12}, {"invalid": 4})
    at_risk = altered(at_risk, hostname="worker1.example.org", kernel="5.10.0-46-cloud-amd64")
    at_risk["ipvs"]["cut_within"] = {"60": 1, "300": 2, "900": 4}
    at_risk["growth"] = {
        "seconds": 1.0,
        "conntrack": {"invalid": 3, "insert_failed": 0, "drop": 0, "early_drop": 0},
        "softnet": {"dropped": 0, "time_squeeze": 2},
    }
    at_risk["pods"] = pods()
    safe = altered(quiet_node(), hostname="worker2.example.org", kernel="7.2.12+deb13-cloud-amd64")
    return {"worker1": at_risk, "worker2": safe, "worker3": None}


GRPC = {"name": "python3", "pid": 4711, "runtime": "grpcio", "pod": None}
JAVA = {"name": "java", "pid": 4102, "runtime": "java", "pod": None}


def pods() -> dict[str, Any]:
    """What node_info sees of the pods of worker1: a gRPC client without keepalive, a late Java client, the node."""
    return {
        "count": 2,
        "rows": [
            _row(
                "pod",
                "shop/checkout-7d9f8c6b5-x2x7p",
                4026532801,
                GRPC,
                [
                    {
                        "service": "10.96.12.7:50051",
                        "connections": 6,
                        "without_keepalive": 6,
                        "in_flight": 0,
                        "gaps": [],
                        "processes": [
                            {
                                "name": "python3",
                                "pid": 4711,
                                "runtime": "grpcio",
                                "pod": None,
                                "without_keepalive": 6,
                                "gap": None,
                            }
                        ],
                    }
                ],
            ),
            _row(
                "pod",
                "shop/orders-0",
                4026532799,
                JAVA,
                [
                    {
                        "service": "10.96.33.10:5432",
                        "connections": 10,
                        "without_keepalive": 0,
                        "in_flight": 0,
                        "gaps": [[3840, 2], [7200, 8]],
                        "processes": [
                            {
                                "name": "java",
                                "pid": 4102,
                                "runtime": "java",
                                "pod": None,
                                "without_keepalive": 0,
                                "gap": 7200,
                            }
                        ],
                    }
                ],
            ),
            _row("node", "the node itself", 4026531840, None, []),
        ],
        "omitted": 0,
        "totals": {"connections": 41, "to_services": 16, "without_keepalive": 6},
        "sockets_from": "sock_diag",
        "error": None,
    }


def applied() -> dict[str, Any]:
    """What node_settings returned for worker1; it changed nothing on worker2 and did not run on worker3."""
    file = "net.ipv4.tcp_keepalive_time = 600\nnet.ipv4.tcp_keepalive_intvl = 30\nnet.ipv4.tcp_keepalive_probes = 9\n"
    return {
        "worker1": {
            "changed": True,
            "before": {
                "modules": {},
                "sysctls": {TIME: "7200", INTVL: "75", PROBES: "9"},
                "files": {OUR_FILE: None},
                "ipvs_timeouts": None,
                "rps": {},
                "pods": {"shop/orders-0": "7200/75/9"},
            },
            "after": {
                "modules": {},
                "sysctls": {TIME: "600", INTVL: "30", PROBES: "9"},
                "files": {OUR_FILE: file},
                "ipvs_timeouts": None,
                "rps": {},
                "pods": {"shop/orders-0": "600/30/9"},
            },
            "notes": [],
        },
        "worker2": {"changed": False, "before": {}, "after": {}, "notes": []},
    }


def document(nodes: dict[str, Any] | None = None, policy: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """The report of these nodes (of the cluster by default)."""
    several = cluster() if nodes is None else nodes
    plan = make_plan(several, POLICY if policy is None else policy)
    return make_document(plan, several, **{"made_at": MADE_AT, "collection_version": VERSION, **more})


def _row(
    kind: str, label: str, netns: int, process: dict[str, Any] | None, services: list[dict[str, Any]]
) -> dict[str, Any]:
    namespace, _slash, name = label.partition("/")
    return {
        "kind": kind,
        "label": label,
        "uid": f"2c9e4c5e-7f0a-4c0e-9a52-{netns:012d}" if kind == "pod" else None,
        "namespace": namespace if kind == "pod" else None,
        "name": name or None,
        "netns": netns,
        "keepalive": dict(_KERNEL),
        "retries2": 15,
        "error": None,
        "process": process,
        "connections": sum(each["connections"] for each in services) or 25,
        "to_services": sum(each["connections"] for each in services),
        "without_keepalive": sum(each["without_keepalive"] for each in services),
        "in_flight": 0,
        "services": services,
        "services_omitted": 0,
    }
