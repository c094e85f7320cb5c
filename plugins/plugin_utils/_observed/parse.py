# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the mapping that node_info returned to typed values. Private to this collection.

Node data comes from another machine, so nothing about its shape is taken for granted: whatever is missing or of the
wrong type becomes None or empty.
"""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS as IPVS_CELLS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import flag as _flag
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import items as _list
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import mapping as _dict
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import number as _count
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import numbers as _numbers
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import text as _text

from .node import (
    CUT_WITHIN,
    Boot,
    Conntrack,
    Draining,
    Group,
    Growth,
    Idle,
    Ipvs,
    Kubelet,
    KubeProxy,
    Module,
    Namespaces,
    Observed,
    Problem,
    Sysctl,
)
from .other_writers import parse_owners
from .parse_pods import parse_pods
from .rps import parse_rps

_LONGEST_SAMPLE_SECONDS = 86400
"""node_info takes none of more than a minute, but may be held up."""


def parse_node(node: object) -> Observed | None:
    """The ``node`` that node_info returned, as plain data. None where it was not observed (None or empty)."""
    if not isinstance(node, dict) or not node:
        return None
    return Observed(
        hostname=_text(node.get("hostname")) or "",
        kernel=_text(node.get("kernel")) or "",
        root=node.get("root") is True,
        container=_text(node.get("container")),
        modules={name: _module(_dict(each)) for name, each in _dict(node.get("modules")).items()},
        ipvs=_ipvs(_dict(node.get("ipvs"))),
        conntrack=_conntrack(_dict(node.get("conntrack"))),
        growth=_growth(_dict(node.get("growth"))),
        rps=parse_rps(node.get("rps")),
        sysctls={key: _sysctl(_dict(each)) for key, each in _dict(node.get("sysctls")).items()},
        kube_proxy=_kube_proxy(_dict(node.get("kube_proxy"))),
        others=parse_owners(node.get("owners"), node.get("sysctl_conf")),
        kubelet=_kubelet(_dict(node.get("kubelet"))),
        namespaces=_namespaces(_dict(node.get("namespaces"))),
        pods=parse_pods(node.get("pods")),
        problems=tuple(_problem(_dict(each)) for each in _list(node.get("problems"))),
        boot_problems=tuple(_boot_problem(_dict(each)) for each in _list(node.get("boot_problems"))),
    )


def _module(module: dict[str, object]) -> Module:
    return Module(module.get("loaded") is True, module.get("builtin") is True, _source(_dict(module.get("boot"))))


def _ipvs(ipvs: dict[str, object]) -> Ipvs:
    timeouts = _numbers(ipvs.get("timeouts"))
    connections = {protocol: _numbers(states) for protocol, states in _dict(ipvs.get("connections")).items()}
    at_boot, totals = ipvs.get("timeouts_at_boot"), _numbers(ipvs.get("totals"))
    return Ipvs(
        loaded=_flag(ipvs.get("loaded")),
        timeouts=timeouts if set(IPVS_CELLS) <= set(timeouts) else None,
        timeouts_at_boot=None if at_boot is None else _numbers(at_boot),
        services=totals.get("services", 0),
        connections=connections,
        draining=tuple(_draining(_dict(each)) for each in _list(ipvs.get("draining"))),
        draining_servers=totals.get("draining", 0),
        draining_connections=totals.get("draining_connections", 0),
        persistent=totals.get("persistent", 0),
        scattering=totals.get("scattering", 0),
        cut_within=_cut_within(ipvs.get("cut_within")),
        idlest=tuple(_idle(_dict(each)) for each in _list(ipvs.get("idlest"))),
    )


def _cut_within(cut: object) -> dict[str, int]:
    return {seconds: number for seconds, number in _numbers(cut).items() if seconds in CUT_WITHIN}


def _idle(connection: dict[str, object]) -> Idle:
    client, service, real_server = (_text(connection.get(name)) or "?" for name in ("client", "service", "real_server"))
    idle_seconds = whole_number(connection.get("idle_seconds"))
    return Idle(client, service, real_server, idle_seconds, _count(connection.get("seconds_left")))


def _draining(server: dict[str, object]) -> Draining:
    protocol, service, real_server = (_text(server.get(name)) or "?" for name in ("protocol", "service", "real_server"))
    connections = _numbers(server)
    return Draining(protocol, service, real_server, connections.get("active", 0), connections.get("inactive", 0))


def _conntrack(conntrack: dict[str, object]) -> Conntrack:
    return Conntrack(
        loaded=_flag(conntrack.get("loaded")),
        established=_numbers(conntrack.get("timeouts")).get("established"),
        close_wait=_numbers(conntrack.get("timeouts")).get("close_wait"),
        count=whole_number(conntrack.get("count")),
        max=whole_number(conntrack.get("max")),
        statistics=tuple(_numbers(row) for row in _list(conntrack.get("statistics")) if isinstance(row, dict)),
        cut_within=_cut_within(conntrack.get("cut_within")),
    )


def _growth(growth: dict[str, object]) -> Growth | None:
    seconds = growth.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < _LONGEST_SAMPLE_SECONDS:
        return None
    return Growth(float(seconds), _numbers(growth.get("conntrack")), _numbers(growth.get("softnet")))


def _sysctl(sysctl: dict[str, object]) -> Sysctl:
    boot = sysctl.get("boot")
    return Sysctl(
        state=_text(sysctl.get("state")) or "unreadable",
        value=_text(sysctl.get("value")),
        error=_text(sysctl.get("error")),
        boot=_boot(boot) if isinstance(boot, dict) else None,
    )


def _boot(boot: dict[str, object]) -> Boot:
    return Boot(
        value=_text(boot.get("value")),
        source=_source(boot),
        file=_text(boot.get("file")),
        module=_text(boot.get("module")),
        in_time=boot.get("in_time") is True,
        procps_value=_text(boot.get("procps_value")),
    )


def _kube_proxy(kube_proxy: dict[str, object]) -> KubeProxy:
    return KubeProxy(
        running=_flag(kube_proxy.get("running")),
        address=_text(kube_proxy.get("address")),
        mode=_text(kube_proxy.get("mode")),
        error=_text(kube_proxy.get("error")),
        ipvs_timeouts=_numbers(kube_proxy.get("ipvs_timeouts")),
        conntrack=_numbers(kube_proxy.get("conntrack")),
        version=_text(kube_proxy.get("version")),
    )


def _kubelet(kubelet: dict[str, object]) -> Kubelet:
    return Kubelet(
        running=_flag(kubelet.get("running")),
        version=_text(kubelet.get("version")),
        disable_http2=_flag(kubelet.get("disable_http2")),
        read_idle_timeout=whole_number(kubelet.get("read_idle_timeout")),
        ping_timeout=whole_number(kubelet.get("ping_timeout")),
        error=_text(kubelet.get("error")),
    )


def _namespaces(namespaces: dict[str, object]) -> Namespaces:
    groups = (_group(_dict(each)) for each in _list(namespaces.get("keepalive")))
    return Namespaces(
        count=whole_number(namespaces.get("count")),
        unreadable=whole_number(namespaces.get("unreadable")) or 0,
        error=_text(namespaces.get("error")),
        groups=tuple(group for group in groups if group is not None),
    )


def _group(group: dict[str, object]) -> Group | None:
    time, intvl, probes, namespaces = (
        whole_number(group.get(name)) for name in ("time", "intvl", "probes", "namespaces")
    )
    if time is None or intvl is None or probes is None or namespaces is None:
        return None
    return Group(Keepalive(time, intvl, probes), namespaces, group.get("own") is True)


def _problem(problem: dict[str, object]) -> Problem:
    return Problem(*(_text(problem.get(name)) or "" for name in ("id", "what", "why", "do")))


def _boot_problem(problem: dict[str, object]) -> str:
    return f"{_source(problem)}: {_text(problem.get('what'))}"


def _source(source: dict[str, object]) -> str | None:
    """``FILE:LINE`` of a mapping with file and line, None without a file."""
    file, line = _text(source.get("file")), whole_number(source.get("line"))
    if file is None:
        return None
    return file if line is None else f"{file}:{line}"
