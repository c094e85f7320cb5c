# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pods of a node and their sockets in the report's document. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils import _headline, _pods
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._model import SAFE, UNKNOWN, UNSAFE
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed_pods import OTHER, POD, Pods
from ansible_collections.kubenode.connections.plugins.plugin_utils._pods import Judged, View
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy import Policy
from ansible_collections.kubenode.connections.plugins.plugin_utils._raw import items, mapping, number, text
from ansible_collections.kubenode.connections.plugins.plugin_utils._values import whole_number

# What is counted of a namespace's connections, as the node saw it and as it stands to the limit.
_SEEN = ("connections", "to_services", "without_keepalive", "in_flight")
_JUDGED = ("late", "undecided")

_SERVICES = 20
_PROCESSES = 5
_GAPS = 20
"""They ascend, and the longest are the worst."""


def describe(name: str, pods: Pods | None, raw: object, plan: Mapping[str, Any], rows: int) -> dict[str, Any] | None:
    """What node_info returned as ``pods`` (``raw``): its worst ``rows`` rows and how each stands; None without pods."""
    node_plan = plan["nodes"][name]
    if pods is None or not node_plan["pods"]:
        return None
    seen = mapping(raw)
    view = _view(plan, all_limits=not any(each["node"] == name for each in plan["not_seen"]))
    judged = _pods.judge(pods, view, True)
    described = [_row(mapping(row), each) for row, each in zip(items(seen.get("rows")), judged.each, strict=True)]
    totals = {name: number(mapping(seen.get("totals")).get(name)) for name in _SEEN}
    totals |= {name: sum(row[name] for row in described) for name in _JUDGED}
    return {
        "verdict": node_plan["pods"]["verdict"],
        "count": pods.count,
        "at_risk": judged.at_risk_of(POD),
        "others_at_risk": judged.at_risk_of(OTHER),
        "rows": described[:rows],
        "omitted": pods.omitted + len(described[rows:]),
        "totals": {**totals, "at_risk": _headline.sockets_at_risk(totals, view.limit)},
        "sockets_from": text(seen.get("sockets_from")),
        "error": pods.error,
    }


def _view(plan: Mapping[str, Any], *, all_limits: bool) -> View:
    limit, policy = plan["limit"], plan["policy"]
    return View(
        Limit(**limit) if limit else None,
        all_limits,
        Policy(lost_probes=policy["lost_probes"], margin=policy["margin"]),
    )


def _row(row: Mapping[str, object], judged: Judged) -> dict[str, Any]:
    space, services = judged.space, items(row.get("services"))
    return {
        "kind": space.kind,
        "label": space.label,
        "uid": text(row.get("uid")),
        "namespace": text(row.get("namespace")),
        "name": text(row.get("name")),
        "netns": whole_number(row.get("netns")),
        "verdict": _verdict(judged),
        "at_risk": judged.at_risk,
        "why": judged.why,
        "keepalive": space.keepalive.as_dict() if space.keepalive else None,
        "retries2": whole_number(row.get("retries2")),
        "process": _process(mapping(row.get("process"))) if row.get("process") else None,
        "connections": space.connections,
        "to_services": space.to_services,
        "without_keepalive": judged.counts.without_keepalive,
        "in_flight": number(row.get("in_flight")),
        "late": judged.counts.late,
        "undecided": judged.counts.undecided,
        "services": [_service(mapping(each)) for each in services[:_SERVICES]],
        "services_omitted": number(row.get("services_omitted")) + len(services[_SERVICES:]),
        "error": space.error,
    }


def _verdict(judged: Judged) -> str:
    """The worse of its keepalive, which decides over what it opens, and of its open connections."""
    if judged.at_risk or judged.verdict == UNSAFE:
        return UNSAFE
    return UNKNOWN if judged.verdict == UNKNOWN or judged.counts.undecided else SAFE


def _service(service: Mapping[str, object]) -> dict[str, Any]:
    return {
        "service": text(service.get("service")) or "?",
        "connections": number(service.get("connections")),
        "without_keepalive": number(service.get("without_keepalive")),
        "in_flight": number(service.get("in_flight")),
        "gaps": [_gap(each) for each in items(service.get("gaps"))[-_GAPS:]],
        "processes": [_holder(mapping(each)) for each in items(service.get("processes"))[:_PROCESSES]],
    }


def _gap(gap: object) -> dict[str, int]:
    seconds, connections, *_more = [*items(gap), None, None]
    return {"seconds": number(seconds), "connections": number(connections)}


def _holder(process: Mapping[str, object]) -> dict[str, Any]:
    without, gap = number(process.get("without_keepalive")), whole_number(process.get("gap"))
    return {**_process(process), "without_keepalive": without, "gap_seconds": gap}


def _process(process: Mapping[str, object]) -> dict[str, Any]:
    return {
        "name": text(process.get("name")) or "?",
        "pid": whole_number(process.get("pid")),
        "runtime": text(process.get("runtime")),
        "pod": text(process.get("pod")),
    }
