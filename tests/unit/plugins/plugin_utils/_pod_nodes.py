# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods and their connections as node_info returns them, for tests."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import grouped

KERNEL = (7200, 75, 9)
SAFE = (600, 30, 9)
TOTALS = ("connections", "to_services", "without_keepalive", "to_outside", "outside_without_keepalive")


def service(
    name: str = "10.96.0.10:80",
    without: int = 0,
    gaps: list[tuple[int, int]] | None = None,
    in_flight: int = 0,
    processes: list[tuple[str, int, str | None, int]] | None = None,
) -> dict[str, Any]:
    """Connections to one service; gaps are seconds and connections, processes name, pid, runtime, without_keepalive."""
    return {
        "service": name,
        "connections": without + in_flight + sum(number for _seconds, number in gaps or []),
        "without_keepalive": without,
        "in_flight": in_flight,
        "gaps": [list(gap) for gap in gaps or []],
        "processes": [
            {"name": process, "pid": pid, "runtime": runtime, "pod": None, "without_keepalive": number, "gap": None}
            for process, pid, runtime, number in processes or []
        ],
    }


def outside(*peers: dict[str, Any]) -> dict[str, Any]:
    """What a row has of connections to other addresses, each as service() gives it."""
    listed = [{"destination" if key == "service" else key: peer[key] for key in peer} for peer in peers]
    return {
        "to_outside": sum(each["connections"] for each in listed),
        "outside_without_keepalive": sum(each["without_keepalive"] for each in listed),
        "outside_in_flight": sum(each["in_flight"] for each in listed),
        "outside": listed,
        "accepted": 0,
    }


def on_host(service: dict[str, Any]) -> dict[str, Any]:
    """The service with a hostNetwork pod that has its latest timer, and kubelet that has one soon enough."""
    late = {"name": "proxy", "pid": 812, "runtime": None, "pod": "ingress/proxy-x7", "without_keepalive": 0}
    soon = {"name": "kubelet", "pid": 700, "runtime": None, "pod": None, "without_keepalive": 0, "gap": 600}
    return {**service, "processes": [soon, {**late, "gap": max(seconds for seconds, _number in service["gaps"])}]}


def row(
    label: str,
    keepalive: tuple[int, int, int] | None = KERNEL,
    *services: dict[str, Any],
    kind: str = "pod",
    error: str | None = None,
    sandbox: str | None = None,
) -> dict[str, Any]:
    """A namespace with its connections."""
    namespace, _slash, name = label.partition("/")
    return {
        "kind": kind,
        "label": label,
        "uid": None,
        "namespace": namespace if name else None,
        "name": name or None,
        "netns": 4026532000,
        "keepalive": dict(zip(("time", "intvl", "probes"), keepalive, strict=True)) if keepalive else None,
        "retries2": 15,
        "error": error,
        "sandbox": sandbox,
        "process": None,
        "connections": sum(each["connections"] for each in services),
        "to_services": sum(each["connections"] for each in services),
        "without_keepalive": sum(each["without_keepalive"] for each in services),
        "in_flight": sum(each["in_flight"] for each in services),
        "services_omitted": 0,
        "services": list(services),
    }


def with_rows(node: dict[str, Any], *rows: dict[str, Any], **pods: Any) -> dict[str, Any]:
    """The node with these namespaces beside its own, in both of the places that node_info tells them.

    Those that are omitted belong to pods.
    """
    group = next(group for group in node["namespaces"]["keepalive"] if group["own"])
    own = (group["time"], group["intvl"], group["probes"])
    others = [tuple(each["keepalive"].values()) for each in rows if each["kind"] != "node" and each["keepalive"]]
    unreadable = [each for each in rows if each["keepalive"] is None]
    node["namespaces"] = {
        **node["namespaces"],
        "count": 1 + sum(each["kind"] != "node" for each in rows),
        "unreadable": len(unreadable),
        "error": unreadable[0]["error"] if unreadable else None,
        "keepalive": grouped(own, [(values, 1) for values in others]),
    }
    own_row = row("the node itself", own, kind="node")
    node["pods"] = {
        "count": sum(each["kind"] == "pod" for each in rows) + pods.get("omitted", 0),
        "containers": sum(each["kind"] == "container" for each in rows),
        "rows": [*([] if any(each["kind"] == "node" for each in rows) else [own_row]), *rows],
        "omitted": 0,
        "totals": {name: sum(each.get(name, 0) for each in rows) for name in TOTALS},
        "sockets_from": "sock_diag",
        "error": None,
        **pods,
    }
    return node
