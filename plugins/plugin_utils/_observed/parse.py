# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the mapping that node_info returned to typed values. Private to this collection.

Node data comes from another machine, so nothing about its shape is taken for granted: whatever is missing or of the
wrong type becomes None or empty.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.collector import paused
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive, of_values
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import bare
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.untrusted import (
    file_line,
    items,
    mapping,
    text,
)

from .cloud import parse_cloud
from .connection_tables import parse_conntrack, parse_growth, parse_ipvs
from .enforcement import parse_enforcement, parse_rearming
from .kubernetes import parse_kube_proxy, parse_kubelet
from .namespace_tables import parse_tables
from .node import Boot, Group, Module, Namespaces, Observed, Problem, Sysctl
from .other_writers import parse_owners
from .ours import parse_ours
from .pods import parse_pods
from .rps import parse_rps

NOT_OBSERVED = "not_observed"


def why_not_observed(node: object) -> str:
    """Why a node was not observed, without a full stop: ``{"not_observed": "..."}``; empty where nobody said."""
    return bare(text(mapping(node).get(NOT_OBSERVED)) or "")


@paused()
def parse_nodes(nodes: Iterable[tuple[str, object]]) -> dict[str, object]:
    """Each node parsed once, for plan and report; one that was not observed stays, for it may say why.

    Only what was parsed is kept: where an iterator makes each node when it is asked for, their raw data is never all
    there at once.
    """
    return {str(name): parse_node(node) or node for name, node in nodes}


def parse_node(node: object) -> Observed | None:
    """The ``node`` that node_info returned, as plain data. None where it was not observed: None, empty, or a reason.

    One that was parsed is returned as it is.
    """
    if isinstance(node, Observed):
        return node
    if not isinstance(node, dict) or not node or set(node) == {NOT_OBSERVED}:
        return None
    return Observed(
        hostname=text(node.get("hostname")) or "",
        kernel=text(node.get("kernel")) or "",
        root=node.get("root") is True,
        container=text(node.get("container")),
        cloud=parse_cloud(node.get("cloud"), text(node.get("kernel")) or ""),
        modules={name: _module(mapping(each)) for name, each in mapping(node.get("modules")).items()},
        ipvs=parse_ipvs(mapping(node.get("ipvs"))),
        conntrack=parse_conntrack(mapping(node.get("conntrack"))),
        growth=parse_growth(mapping(node.get("growth"))),
        rps=parse_rps(node.get("rps")),
        sysctls={key: _sysctl(mapping(each)) for key, each in mapping(node.get("sysctls")).items()},
        kube_proxy=parse_kube_proxy(mapping(node.get("kube_proxy"))),
        others=parse_owners(node.get("owners"), node.get("sysctl_conf")),
        kubelet=parse_kubelet(mapping(node.get("kubelet"))),
        namespaces=_namespaces(mapping(node.get("namespaces"))),
        pods=parse_pods(node.get("pods")),
        runtimes=_runtimes(node.get("container_runtimes")),
        ours=parse_ours(node.get("ours")),
        problems=tuple(_problem(mapping(each)) for each in items(node.get("problems"))),
        boot_problems=tuple(_boot_problem(mapping(each)) for each in items(node.get("boot_problems"))),
        data_planes=tuple(name for each in items(node.get("data_planes")) if (name := text(each))),
        enforcement=parse_enforcement(node.get("enforcement")),
        rearming=parse_rearming(node.get("rearming")),
    )


def _runtimes(names: object) -> tuple[str, ...] | None:
    return tuple(name for each in names if (name := text(each))) if isinstance(names, list) else None


def _module(module: dict[str, object]) -> Module:
    return Module(
        module.get("loaded") is True, module.get("builtin") is True, file_line(mapping(module.get("boot"))) or None
    )


def _sysctl(sysctl: dict[str, object]) -> Sysctl:
    boot = sysctl.get("boot")
    return Sysctl(
        state=text(sysctl.get("state")) or "unreadable",
        value=text(sysctl.get("value")),
        error=text(sysctl.get("error")),
        boot=_boot(boot) if isinstance(boot, dict) else None,
    )


def _boot(boot: dict[str, object]) -> Boot:
    return Boot(
        value=text(boot.get("value")),
        source=file_line(boot) or None,
        file=text(boot.get("file")),
        module=text(boot.get("module")),
        in_time=boot.get("in_time") is True,
        procps_value=text(boot.get("procps_value")),
        written=text(boot.get("written")),
    )


def _namespaces(namespaces: dict[str, object]) -> Namespaces:
    groups = (_group(mapping(each)) for each in items(namespaces.get("keepalive")))
    return Namespaces(
        count=whole_number(namespaces.get("count")),
        unreadable=whole_number(namespaces.get("unreadable")) or 0,
        error=text(namespaces.get("error")),
        groups=tuple(group for group in groups if group is not None),
        tables=parse_tables(namespaces.get("tables")),
        shared=namespaces.get("shared") is True,
    )


def _group(group: dict[str, object]) -> Group | None:
    keepalive, namespaces = of_values(*map(group.get, Keepalive._fields)), whole_number(group.get("namespaces"))
    if keepalive is None or namespaces is None:
        return None
    return Group(keepalive, namespaces, group.get("own") is True)


def _problem(problem: dict[str, object]) -> Problem:
    return Problem(*(text(problem.get(name)) or "" for name in ("id", "what", "why", "do")))


def _boot_problem(problem: dict[str, object]) -> str:
    return f"{file_line(problem, '?')}: {text(problem.get('what')) or '?'}"
