# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pods of a node and their sockets in the report's document. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import (
    POD,
    Pods,
    Process,
    Service,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import Judged
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.pods_at_risk import View, judge
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from . import verdict

_SERVICES = 20
_PROCESSES = 5
_GAPS = 20
"""They ascend, and the longest are the worst."""


def describe_pods(name: str, pods: Pods | None, plan: Mapping[str, Any], rows: int) -> dict[str, Any] | None:
    """The pods of a node: its worst ``rows`` namespaces and how each stands; None without pods."""
    node_plan = plan["nodes"][name]
    if pods is None or not node_plan["pods"]:
        return None
    view = _view(plan, all_limits=not any(each["node"] == name for each in plan["not_seen"]))
    judged = judge(pods, view, True)
    in_flight = sum(space.in_flight for space in pods.spaces)
    judgement = {"late": judged.counts.late, "undecided": judged.counts.undecided}
    totals = {**pods.totals._asdict(), "in_flight": in_flight, **judgement}
    return {
        "verdict": node_plan["pods"]["verdict"],
        "count": pods.count,
        "at_risk": judged.at_risk_of(POD),
        "others_at_risk": judged.others_at_risk,
        "rows": [_row(each) for each in judged.each[:rows]],
        "omitted": pods.omitted + len(judged.each[rows:]),
        "totals": {**totals, "at_risk": verdict.sockets_at_risk(totals, view.limit)},
        "sockets_from": pods.sockets_from,
        "error": pods.error,
    }


def _view(plan: Mapping[str, Any], *, all_limits: bool) -> View:
    limit, policy = plan["limit"], plan["policy"]
    return View(
        Limit(**limit) if limit else None,
        all_limits,
        Policy(lost_probes=policy["lost_probes"], margin=policy["margin"]),
    )


def _row(judged: Judged) -> dict[str, Any]:
    space = judged.space
    return {
        "kind": space.kind,
        "label": space.label,
        "uid": space.uid,
        "namespace": space.namespace,
        "name": space.name,
        "netns": space.netns,
        "verdict": _verdict(judged),
        "at_risk": judged.at_risk,
        "why": judged.why,
        "keepalive": space.keepalive.as_dict() if space.keepalive else None,
        "retries2": space.retries2,
        "process": _process(space.process) if space.process else None,
        "connections": space.connections,
        "to_services": space.to_services,
        "without_keepalive": judged.counts.without_keepalive,
        "in_flight": space.in_flight,
        "late": judged.counts.late,
        "undecided": judged.counts.undecided,
        "services": [_service(each) for each in space.services[:_SERVICES]],
        "services_omitted": space.services_omitted + len(space.services[_SERVICES:]),
        "error": space.error,
    }


def _verdict(judged: Judged) -> str:
    """The worse of its keepalive, which decides over what it opens, and of its open connections."""
    if judged.at_risk or judged.verdict == UNSAFE:
        return UNSAFE
    return UNKNOWN if judged.verdict == UNKNOWN or judged.counts.undecided else SAFE


def _service(service: Service) -> dict[str, Any]:
    return {
        "service": service.name,
        "connections": service.connections,
        "without_keepalive": service.without_keepalive,
        "in_flight": service.in_flight,
        "gaps": [{"seconds": seconds, "connections": number} for seconds, number in service.gaps[-_GAPS:]],
        "processes": [_holder(each) for each in service.processes[:_PROCESSES]],
    }


def _holder(process: Process) -> dict[str, Any]:
    return {**_process(process), "without_keepalive": process.without_keepalive, "gap_seconds": process.gap}


def _process(process: Process) -> dict[str, Any]:
    return {"name": process.name, "pid": process.pid, "runtime": process.runtime, "pod": process.pod}
