# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what node_info returned as ``pods`` to typed values; nothing about its shape is taken for granted. Private."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import items, mapping, number, text

from .pods import KINDS, OTHER, Pods, Process, Service, Space, Totals

_SOCK_DIAG = "sock_diag"
"""The only one of ``sockets_from`` (SOCK_DIAG of the node's sockets.py) that tells how long a connection is idle."""


def parse_pods(pods: object) -> Pods | None:
    """The ``pods`` of a node, None where there is no such data."""
    if not isinstance(pods, dict) or not pods:
        return None
    totals = mapping(pods.get("totals"))
    return Pods(
        count=number(pods.get("count")),
        spaces=tuple(_space(mapping(row)) for row in items(pods.get("rows"))),
        omitted=number(pods.get("omitted")),
        totals=Totals(**{each.name: number(totals.get(each.name)) for each in fields(Totals)}),
        sockets_from=text(pods.get("sockets_from")),
        error=text(pods.get("error")),
        idle_unseen=pods.get("sockets_from") != _SOCK_DIAG,
    )


def _space(row: Mapping[str, object]) -> Space:
    services = tuple(_service(mapping(each)) for each in items(row.get("services")))
    return Space(
        kind=str(row.get("kind")) if row.get("kind") in KINDS else OTHER,
        label=text(row.get("label")) or "?",
        uid=text(row.get("uid")),
        namespace=text(row.get("namespace")),
        name=text(row.get("name")),
        netns=whole_number(row.get("netns")),
        keepalive=_keepalive(mapping(row.get("keepalive"))),
        retries2=whole_number(row.get("retries2")),
        error=text(row.get("error")),
        process=_process(mapping(row.get("process"))) if row.get("process") else None,
        connections=number(row.get("connections")),
        # Never less than what is listed, whatever the node says.
        to_services=max(number(row.get("to_services")), sum(service.connections for service in services)),
        without_keepalive=max(
            number(row.get("without_keepalive")), sum(service.without_keepalive for service in services)
        ),
        in_flight=number(row.get("in_flight")),
        services=services,
        services_omitted=number(row.get("services_omitted")),
    )


def _keepalive(values: Mapping[str, object]) -> Keepalive | None:
    time, intvl, probes = (whole_number(values.get(name)) for name in ("time", "intvl", "probes"))
    return None if time is None or intvl is None or probes is None else Keepalive(time, intvl, probes)


def _service(service: Mapping[str, object]) -> Service:
    return Service(
        name=text(service.get("service")) or "?",
        connections=number(service.get("connections")),
        without_keepalive=number(service.get("without_keepalive")),
        in_flight=number(service.get("in_flight")),
        gaps=tuple(_gaps(service.get("gaps"))),
        processes=tuple(_process(mapping(each)) for each in items(service.get("processes"))),
    )


def _gaps(gaps: object) -> Iterator[tuple[int, int]]:
    for pair in items(gaps):
        seconds, connections = (whole_number(each) for each in (*items(pair), None, None)[:2])
        if seconds is not None and connections is not None and connections > 0:
            yield max(seconds, 0), connections


def _process(process: Mapping[str, object]) -> Process:
    return Process(
        name=text(process.get("name")) or "?",
        pid=whole_number(process.get("pid")),
        runtime=text(process.get("runtime")),
        without_keepalive=number(process.get("without_keepalive")),
        gap=whole_number(process.get("gap")),
        pod=text(process.get("pod")),
    )
