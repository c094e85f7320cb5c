# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pods of a node and their sockets in the report's document. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import parse_holding
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import Enforced
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import (
    CONTAINER,
    POD,
    Peer,
    Pods,
    Process,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.enforced import new_connections
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import Judged, Outside
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.pods_at_risk import View, judge
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.servers import parse_servers
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from . import verdict

_SERVICES = 20
_PROCESSES = 5
_GAPS = 20
"""They ascend, and the longest are the worst."""


def describe_pods(
    name: str, pods: Pods | None, plan: Mapping[str, Any], rows: int, enforced: Enforced | None = None
) -> dict[str, Any] | None:
    """The pods of a node: its worst ``rows`` namespaces and how each stands; None without pods.

    ``enforced`` is what every new connection of the node gets.
    """
    node_plan = plan["nodes"][name]
    if pods is None or not node_plan["pods"]:
        return None
    view = _view(plan, node_plan, all_limits=not any(each["node"] == name for each in plan["not_seen"]))
    view = replace(view, enforced=enforced)
    judged = judge(pods, view, True)
    in_flight = sum(space.in_flight for space in pods.spaces)
    judgement = {"late": judged.counts.late, "undecided": judged.counts.undecided}
    judgement["kept_by_server"] = judged.counts.kept_by_server
    kept = sum(each.kept_without_keepalive for each in judged.each)
    totals = {**pods.totals._asdict(), "in_flight": in_flight, **judgement}
    totals["without_keepalive"] = max(0, totals["without_keepalive"] - kept)
    outside = judged.outside_counts
    return {
        "verdict": node_plan["pods"]["verdict"],
        "count": pods.count,
        "at_risk": judged.at_risk_of(POD),
        "containers": pods.containers,
        "containers_at_risk": judged.at_risk_of(CONTAINER),
        "others_at_risk": judged.others_at_risk,
        "rows": [_row(each, new_connections(enforced, each.space)) for each in judged.each[:rows]],
        "omitted": pods.omitted + len(judged.each[rows:]),
        "totals": {
            **totals,
            "at_risk": verdict.sockets_at_risk(totals, view.limit),
            "outside_at_risk": outside.at_risk,
            "outside_undecided": outside.undecided,
            "outside_kept_by_server": outside.kept_by_server,
        },
        "sockets_from": pods.sockets_from,
        "error": pods.error,
    }


def _view(plan: Mapping[str, Any], node_plan: Mapping[str, Any], *, all_limits: bool) -> View:
    policy, holding = plan["policy"], parse_holding(node_plan["holding"])
    wanted = Policy(lost_probes=policy["lost_probes"], margin=policy["margin"])
    return View(holding.services, all_limits, wanted, holding, parse_servers(node_plan["servers"]))


def _row(judged: Judged, enforced: Keepalive | None) -> dict[str, Any]:
    """``enforced`` is what its new connections get."""
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
        "keepalive_why": judged.values_why,
        "keepalive": space.keepalive.as_dict() if space.keepalive else None,
        "enforced": enforced.as_dict() if enforced and enforced != space.keepalive else None,
        "retries2": space.retries2,
        "process": _process(space.process) if space.process else None,
        "connections": space.connections,
        "to_services": space.to_services,
        "without_keepalive": judged.counts.without_keepalive,
        "in_flight": space.in_flight,
        "late": judged.counts.late,
        "undecided": judged.counts.undecided,
        "kept_by_server": judged.counts.kept_by_server,
        "lost": space.lost,
        "services": [_service(each, each.name in judged.kept) for each in space.services[:_SERVICES]],
        "services_omitted": space.services_omitted + len(space.services[_SERVICES:]),
        "to_outside": space.to_outside,
        "outside": [_outside(each) for each in sorted(judged.outside, key=_most_at_risk)[:_SERVICES]],
        "error": space.error,
    }


def _verdict(judged: Judged) -> str:
    """The worse of its keepalive, which decides over what it opens, and of its open connections."""
    if judged.at_risk or judged.verdict == UNSAFE:
        return UNSAFE
    return UNKNOWN if judged.verdict == UNKNOWN or judged.doubtful else SAFE


def _service(service: Peer, kept: bool) -> dict[str, Any]:
    return {"service": service.name, **_peer(service), "kept_by_server": kept}


def _most_at_risk(outside: Outside) -> int:
    return -outside.counts.at_risk


def _outside(outside: Outside) -> dict[str, Any]:
    """How many there are without SO_KEEPALIVE, whether they are at risk or not, and how many are at risk."""
    return {
        "destination": outside.destination.name,
        **_peer(outside.destination),
        "limit": outside.limit.as_dict() if outside.limit else None,
        "late": outside.counts.late,
        "undecided": outside.counts.undecided,
        "at_risk": outside.counts.at_risk,
        "kept_by_server": outside.counts.kept_by_server > 0,
    }


def _peer(peer: Peer) -> dict[str, Any]:
    return {
        "connections": peer.connections,
        "without_keepalive": peer.without_keepalive,
        "in_flight": peer.in_flight,
        "gaps": [{"seconds": seconds, "connections": number} for seconds, number in peer.gaps[-_GAPS:]],
        "processes": [_holder(each) for each in peer.processes[:_PROCESSES]],
    }


def _holder(process: Process) -> dict[str, Any]:
    return {**_process(process), "without_keepalive": process.without_keepalive, "gap_seconds": process.gap}


def _process(process: Process) -> dict[str, Any]:
    return {"name": process.name, "pid": process.pid, "runtime": process.runtime, "pod": process.pod}
