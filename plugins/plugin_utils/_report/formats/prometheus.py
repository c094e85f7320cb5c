# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as metrics for node_exporter's textfile collector. Private to this collection.

The text format of Prometheus, without timestamps, because the collector refuses files with any; a metric says when the
node was observed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.metrics import Sample, render
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import VERDICTS
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import SEVERITIES
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import NODE, PLAN

ByScope = dict[tuple[str, str], list[Mapping[str, Any]]]
"""Findings by the kind and the name of what they are about."""


def render_nodes(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each node's name and its metrics, for a file on that node."""
    by_scope = _findings_by_scope(document)
    for node in document["nodes"]:
        yield node["name"], render(list(_node(document, node, by_scope)))


def render_all(document: Mapping[str, Any]) -> str:
    """The metrics of all nodes and of the plan, for one file on one machine."""
    by_scope = _findings_by_scope(document)
    samples = [each for node in document["nodes"] for each in _node(document, node, by_scope)]
    return render([*samples, *_by_severity("plan_findings", {}, by_scope.get((PLAN, PLAN), []))])


def _findings_by_scope(document: Mapping[str, Any]) -> ByScope:
    return grouped(((each["scope_kind"], each["scope"]), each) for each in document["findings"])


def _node(document: Mapping[str, Any], node: Mapping[str, Any], by_scope: ByScope) -> Iterator[Sample]:
    label, findings = {"node": node["name"]}, by_scope.get((NODE, node["name"]), [])
    yield "info", {**label, **_facts(node)}, 1
    if node["observed"]:
        yield "observed_timestamp_seconds", label, _unix_seconds(document["made_at"])
        yield "changes", label, len(node["changes"])
    for metric in ("verdict", "verdict_after_boot"):
        for verdict in VERDICTS:
            yield metric, {**label, "verdict": verdict}, node[metric] == verdict
    for limit in node["limits"]:
        yield "limit_seconds", {**label, "limit": limit["name"]}, limit["seconds"]
    if document["limit"]:
        yield "lowest_limit_seconds", label, document["limit"]["seconds"]
    yield from _keepalives(label, node["keepalive"])
    if node["spare_seconds"] is not None:
        yield "spare_seconds", label, node["spare_seconds"]
    yield from _connections(label, node)
    yield from _by_severity("findings", label, findings)
    yield "findings_silenced", label, sum(each["silenced"] is not None for each in findings)


def _facts(node: Mapping[str, Any]) -> dict[str, str]:
    return {name: node[name] or "" for name in ("hostname", "kernel", "mode")}


def _keepalives(label: Mapping[str, str], keepalives: Mapping[str, Any]) -> Iterator[Sample]:
    for when in ("live", "at_boot", "planned"):
        keepalive = keepalives[when]
        if keepalive:
            yield "keepalive_time_seconds", {**label, "when": when}, keepalive["time"]
            yield "keepalive_intvl_seconds", {**label, "when": when}, keepalive["intvl"]
            yield "keepalive_probes", {**label, "when": when}, keepalive["probes"]


def _connections(label: Mapping[str, str], node: Mapping[str, Any]) -> Iterator[Sample]:
    """What was not seen has no sample: a 0 would say that nothing is at risk."""
    if node["namespaces"]:
        yield "namespaces_unsafe", label, node["namespaces"]["unsafe"]
    pods = node["pods"]
    if pods:
        yield "pods", label, pods["count"]
        yield "pods_at_risk", label, pods["at_risk"]
        yield "containers", label, pods["containers"]
        yield "containers_at_risk", label, pods["containers_at_risk"]
        yield "other_namespaces_at_risk", label, pods["others_at_risk"]
    if pods and pods["sockets_from"]:
        totals = pods["totals"]
        yield "connections", label, totals["connections"]
        for name in ("to_services", "without_keepalive", "late", "kept_by_server", "at_risk"):
            yield f"connections_{name}", label, totals[name]
        yield "connections_to_other_addresses", label, totals["to_outside"]
        yield "connections_to_other_addresses_at_risk", label, totals["outside_at_risk"]
    for seconds, number in ((node["ipvs"] or {}).get("cut_within") or {}).items():
        yield "ipvs_connections_cut_within", {**label, "seconds": seconds}, number


def _by_severity(metric: str, label: Mapping[str, str], findings: Sequence[Mapping[str, Any]]) -> Iterator[Sample]:
    counting = [finding["severity"] for finding in findings if finding["silenced"] is None]
    for severity in SEVERITIES:
        yield metric, {**label, "severity": severity}, counting.count(severity)


def _unix_seconds(moment: str) -> float:
    return int(datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp())
