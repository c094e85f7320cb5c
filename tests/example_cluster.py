# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster of docs/examples: invented, so that one report shows everything; made of the nodes of the unit tests.

kube-proxy runs in ipvs mode everywhere. The day before, the kernel's keepalive was in force. Then an apply changed
control1, worker1 and worker2, and failed on worker3.
"""

from __future__ import annotations

import copy
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import make_document
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.drift import drift
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    INTVL,
    KERNEL_KEEPALIVE,
    OUR_FILE,
    PROBES,
    TIME,
    altered,
    stock_node,
    with_counters,
    with_keepalive,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import row, service, with_rows

POLICY = {"middleboxes": [{"name": "firewall of the data centre", "seconds": 1800}]}

BEFORE, AFTER = "2026-11-20T08:00:00Z", "2026-11-21T08:51:23Z"
VERSION = "1.0.0"
FAILED = "worker3"

_CURED = (600, 30, 9)
_KERNEL = "6.8.0-84-generic"

_FILE = "net.ipv4.tcp_keepalive_time = 600\nnet.ipv4.tcp_keepalive_intvl = 30\nnet.ipv4.tcp_keepalive_probes = 9\n"


def report() -> dict[str, Any]:
    """After the apply, compared with the day before."""
    before, after = _nodes(applied=False), _nodes(applied=True)
    made = {"collection_version": VERSION}
    earlier_plan = make_plan(before, POLICY)
    earlier = make_document(earlier_plan, before, made_at=BEFORE, **made)
    verdicts = {name: node["verdict"] for name, node in earlier_plan["nodes"].items()}
    outcomes = {name: _outcome(name, before) for name in before}
    document = make_document(
        make_plan(after, POLICY),
        after,
        made_at=AFTER,
        kind="apply",
        applied=outcomes,
        verdicts_before=verdicts,
        **made,
    )
    return document | {"drift": drift(earlier, document, "report.json of the day before")}


def _nodes(applied: bool) -> dict[str, Any]:
    pods = {
        "control1": [("kube-system/coredns-6f6b679f8f-4bq2w", "coredns", "go", [("10.96.0.1:443", 1)])],
        "worker1": [
            ("shop/checkout-7d9f8c6b5-x2x7p", "python3", "grpcio", []),
            ("shop/orders-0", "java", "java", [("10.96.33.10:5432", 8), ("10.96.12.7:50051", 2)]),
            ("shop/search-0", "java", "java", [("10.96.33.10:5432", 4)]),
            ("monitoring/prometheus-0", "prometheus", "go", []),
        ],
        "worker2": [(f"shop/web-5c9b7d64fd-{end}", "node", None, [("10.96.12.7:50051", 1)]) for end in _ENDS],
        "worker3": [
            ("shop/batch-28x7k", "python3", "python", [("10.96.33.10:5432", 1)]),
            ("shop/cache-0", "redis-server", None, []),
        ],
    }
    return {name: _node(name, several, applied and name != FAILED) for name, several in pods.items()}


_ENDS = ("2kd8x", "4bnqz", "6t9fw", "7hxm2", "9vlcp", "b5rgd", "c8wks", "fq2jt", "hm7zn", "j4xpb", "k9dlv", "m3tqc")


def _node(name: str, pods: list[tuple[str, str, str | None, list[tuple[str, int]]]], applied: bool) -> dict[str, Any]:
    values = _CURED if applied else KERNEL_KEEPALIVE
    node = copy.deepcopy(stock_node())
    node = with_keepalive(node, values, values, OUR_FILE if applied else None)
    node = with_counters(node, {"invalid": 412 if applied else 260})
    node = altered(node, hostname=f"{name}.example.org", kernel=_KERNEL)
    return with_rows(node, *_rows(name, pods, values, applied))


def _rows(
    name: str,
    pods: list[tuple[str, str, str | None, list[tuple[str, int]]]],
    values: tuple[int, int, int],
    applied: bool,
) -> list[dict[str, Any]]:
    rows = [_pod(pid, pod, values, applied) for pid, pod in enumerate(pods, start=4100)]
    if name == "worker1":
        rows[0] = _held(
            row(rows[0]["label"], values, service("10.96.12.7:50051", without=6)), "python3", 4711, "grpcio"
        )
        rows.append(row("shop/legacy-0", (1800, 60, 5)))
    if name == "worker2":
        agent = _held(row("process postgres (2211)", KERNEL_KEEPALIVE, kind="other"), "postgres", 2211, None)
        rows.append({**agent, "connections": 3})
    return rows


def _pod(
    pid: int, pod: tuple[str, str, str | None, list[tuple[str, int]]], values: tuple[int, int, int], applied: bool
) -> dict[str, Any]:
    """Of its connections one is new since the apply; the others keep the timer that they were opened with."""
    label, process, runtime, places = pod
    several = [
        service(place, gaps=[(600, number)] if applied and number < 2 else [(7195, number)]) for place, number in places
    ]
    return _held(row(label, values, *several), process, pid, runtime)


def _held(pod: dict[str, Any], name: str, pid: int, runtime: str | None) -> dict[str, Any]:
    process = {"name": name, "pid": pid, "runtime": runtime, "pod": None}
    for each in pod["services"]:
        each["processes"] = [{**process, "without_keepalive": each["without_keepalive"], "gap": None}]
    return {**pod, "process": process}


def _outcome(name: str, before: dict[str, Any]) -> dict[str, Any]:
    """What node_settings returned."""
    if name == FAILED:
        failed = "node_settings: /etc/sysctl.d/k8s.conf cannot be written (Read-only file system). Nothing was changed."
        return {"failed": True, "msg": failed}
    pods = [each["label"] for each in before[name]["pods"]["rows"] if each["kind"] == "pod"]
    late = [label for label in pods if label != "shop/legacy-0"]
    sysctls = {TIME: "7200", INTVL: "75", PROBES: "9"}
    return {
        "changed": True,
        "before": {"sysctls": sysctls, "files": {OUR_FILE: None}, "pods": dict.fromkeys(late, "7200/75/9")},
        "after": {
            "sysctls": {TIME: "600", INTVL: "30", PROBES: "9"},
            "files": {OUR_FILE: _FILE},
            "pods": dict.fromkeys(late, "600/30/9"),
        },
        "notes": [],
    }
