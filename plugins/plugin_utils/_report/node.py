# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One node in the report's document. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS as IPVS_CELLS
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.enforced import in_force

from .applied import describe_applied
from .pods import describe_pods

_ROWS = 2500
"""Rows of pods in one report, over all nodes; more make a file of many megabytes that nobody reads."""

_CHANGE = ("key", "what", "after_reboot", "from", "to", "why")

_COUNTERS = ("invalid", "insert_failed", "drop", "early_drop")


def rows_for_each(nodes: int) -> int:
    """How many rows of pods each node may have, its worst."""
    return max(5, min(200, _ROWS // max(nodes, 1)))


def describe_node(
    name: str,
    node: Observed | None,
    plan: Mapping[str, Any],
    applied: object,
    verdicts_before: Mapping[str, Any],
    rows: int,
) -> dict[str, Any]:
    """The node by what was seen, how it stands, and what would change or has been changed."""
    node_plan = plan["nodes"][name]
    return {
        "name": name,
        "observed": node is not None,
        "hostname": node.hostname if node else None,
        "kernel": node.kernel if node else None,
        "root": node.root if node else None,
        "container": node.container if node else None,
        "cloud": node.cloud.as_dict() if node and node.cloud else None,
        "mode": node_plan["mode"],
        "kube_proxy": _kube_proxy(node),
        "kubelet": node.kubelet.version if node else None,
        "verdict": node_plan["verdict"],
        "verdict_after_boot": _after_boot(node, plan, node_plan["limit"]),
        "why": node_plan["why"],
        "spare_seconds": node_plan["spare_seconds"],
        "limits": node_plan["limits"],
        "limit": node_plan["limit"],
        "planned_limit": node_plan["planned_limit"],
        "not_seen": [each for each in plan["not_seen"] if each["node"] == name],
        "coverage": node_plan["coverage"],
        "keepalive": _keepalives(node, plan, node_plan),
        "ipvs": _ipvs(node, rows),
        "conntrack": _conntrack(node),
        "growth": _growth(node),
        "namespaces": _namespaces(node, plan, node_plan),
        "pods": describe_pods(name, node.pods if node else None, plan, rows, in_force(node) if node else None),
        "enforcement": node.enforcement.as_dict() if node and node.enforcement else None,
        "rearm": node_plan.get("rearm"),
        "changes": [{key: change[key] for key in _CHANGE} for change in node_plan["changes"]],
        "also_written": _also_written(node_plan),
        "owners": node_plan["owners"],
        "notes": node_plan["notes"],
        "problems": [asdict(each) for each in node.problems] if node else [],
        "applied": describe_applied(applied, verdicts_before.get(name)),
    }


def _also_written(node_plan: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """What goes into our files beside the changes and differs from nothing, with its reason."""
    settings, changes = node_plan["settings"], {change["key"] for change in node_plan["changes"]}
    if not changes:
        return []
    values = {**settings["sysctls"], **{f"module {name}": None for name in settings.get("modules", ())}}
    return [
        {"key": key, "value": value, "why": node_plan.get("reasons", {}).get(key, "")}
        for key, value in values.items()
        if key not in changes
    ]


def keepalive_dict(keepalive: Keepalive, lost_probes: int) -> dict[str, int]:
    """The three values, and what follows of them in seconds, so that no reader has to know the arithmetic."""
    silence = keepalive.silence_seconds(lost_probes)
    return {
        **keepalive.as_dict(),
        "silence_seconds": silence,
        "latest_seconds": keepalive_math.with_slack(silence),
        "given_up_seconds": keepalive.verdict_seconds,
    }


def _keepalives(node: Observed | None, plan: Mapping[str, Any], node_plan: Mapping[str, Any]) -> dict[str, Any]:
    """Live, after a reboot as things stand, and once the settings are in force."""
    lost_probes = plan["policy"]["lost_probes"]
    live, boot = (node.keepalive, node.boot_keepalive) if node else (None, None)
    wanted = [whole_number(node_plan["settings"]["sysctls"].get(key)) for key in KEEPALIVE_KEYS]
    planned = Keepalive(*(each or 0 for each in wanted)) if None not in wanted else live
    values = {"live": live, "at_boot": boot, "planned": planned}
    described = {name: keepalive_dict(each, lost_probes) if each else None for name, each in values.items()}
    return {**described, "boot_sources": _boot_sources(node) if node else []}


def _boot_sources(node: Observed) -> list[str]:
    return [source for key in KEEPALIVE_KEYS if (source := node.boot_source(key))]


def _after_boot(node: Observed | None, plan: Mapping[str, Any], limit: Mapping[str, Any] | None) -> str:
    """How the keepalive of after a reboot stands to the limit of now; what the limit will be then nobody knows."""
    boot = node.boot_keepalive if node else None
    if boot is None:
        return UNKNOWN
    if not boot.usable:
        return UNSAFE
    if limit is None:
        return UNKNOWN if plan["not_seen"] else SAFE
    return SAFE if keepalive_math.keeps(boot, limit["seconds"]) else UNSAFE


def _kube_proxy(node: Observed | None) -> dict[str, Any] | None:
    if node is None:
        return None
    return {
        "running": node.kube_proxy.running,
        "version": node.kube_proxy.version,
        "address": node.kube_proxy.address,
        "error": node.kube_proxy.error,
    }


def _ipvs(node: Observed | None, rows: int) -> dict[str, Any] | None:
    if node is None:
        return None
    return {
        "loaded": node.ipvs.loaded,
        "on_path": node.ipvs_on_path,
        "timeouts": node.ipvs.timeouts and {cell: node.ipvs.timeouts[cell] for cell in IPVS_CELLS},
        "services": node.ipvs.services,
        "connections": {protocol: dict(states) for protocol, states in node.ipvs.connections.items()},
        "cut_within": dict(node.ipvs.cut_within) or None,
        "idlest": [asdict(each) for each in node.ipvs.idlest[:rows]],
    }


def _conntrack(node: Observed | None) -> dict[str, Any] | None:
    if node is None:
        return None
    conntrack = node.conntrack
    return {
        "loaded": conntrack.loaded,
        "established_seconds": conntrack.established,
        "count": conntrack.count,
        "max": conntrack.max,
        "counters": {name: conntrack.counted(name) for name in _COUNTERS} if conntrack.statistics else None,
        "cut_within": dict(conntrack.cut_within) or None,
    }


def _growth(node: Observed | None) -> dict[str, Any] | None:
    """The growth of counters between two readings, None where there was one reading only."""
    return asdict(node.growth) if node and node.growth else None


def _namespaces(node: Observed | None, plan: Mapping[str, Any], node_plan: Mapping[str, Any]) -> dict[str, Any] | None:
    if node is None:
        return None
    spaces, lost_probes = node.namespaces, plan["policy"]["lost_probes"]
    return {
        "count": spaces.count,
        "unreadable": spaces.unreadable,
        "unsafe": node_plan["namespaces_unsafe"],
        "error": spaces.error,
        "groups": [
            {
                "keepalive": keepalive_dict(group.keepalive, lost_probes),
                "namespaces": group.namespaces,
                "own": group.own,
            }
            for group in spaces.groups
        ],
    }
