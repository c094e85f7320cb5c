# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which IPVS timeouts each node should have, and the limits that follow from them. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import (
    ESTABLISHED_KEY,
    KEYS,
    module_for,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math, releases
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.in_namespaces import limits_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import (
    CONNTRACK,
    CONNTRACK_RESTART,
    IPVS_TCP,
    IPVS_TCP_KEEPALIVED,
    IPVS_TCP_KUBE_ROUTER,
    IPVS_TCP_RESTART,
    Limit,
    ascending,
    conntrack_after_restart,
    ipvs_after_restart,
    sensible,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.checks import IPVS_SECONDS
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.policies import Policies

GRPC_TIMER_SECONDS = 60
"""More than a busy program's own timers are late by; the slack of the kernel's timer wheel is no measure for them."""

GRPC_IDLE_SECONDS = {"grpcio": 2 * 1800, "grpc-go": 1800, "java": 1800, "node": 1800}
"""After how many seconds at most without a call a gRPC channel closes its connection, by default.

30 minutes each. C-core looks only every 30 minutes whether there was a call since (idle_filter_state.cc, CheckTimer),
so that it may take twice as long; grpc-go, grpc-java and grpc-js count from the last call. An old C-core never does it.
"""

_GRPC_GO_IDLE_SINCE = (1, 59)

_RAISE_THERE = (
    "It is in another network namespace, which raise_ipvs does not reach. Raise it there first, by the module "
    "kubenode.connections.ipvs_timeouts with its option namespace. Or: "
)

Nodes = Mapping[str, Observed]


def keepalives_in_use(nodes: Iterable[Observed]) -> list[Keepalive]:
    """Every keepalive that connections on these nodes run with now, or will after a reboot."""
    found = []
    for node in nodes:
        found += [group.keepalive for group in node.namespaces.groups]
        found += [space.keepalive for space in (node.pods.spaces if node.pods else ()) if space.keepalive is not None]
        found += [each for each in (node.keepalive, node.boot_keepalive) if each is not None]
    return [each for each in found if each.usable]


def highest_in_use(nodes: Iterable[Observed], policy: Policy) -> Keepalive:
    """The latest of them; the kernel's own, which new namespaces start with, where not all namespaces could be read.

    One that no IPVS timeout can be above is left out: it has a finding, and the others are planned without it.
    """
    nodes, lost_probes = list(nodes), policy.lost_probes
    found = [each for each in keepalives_in_use(nodes) if above_seconds(each, policy) <= IPVS_SECONDS.high]
    if not found or not all(node.namespaces.complete for node in nodes):
        found.append(KERNEL_DEFAULT)
    return max(found, key=lambda each: (each.silence_seconds(lost_probes), each.verdict_seconds))


def grpc_idle_seconds(runtimes: Iterable[str | None]) -> int | None:
    """After how many seconds without a call the last gRPC channel of these has surely closed.

    None without gRPC, and where one never closes.
    """
    seen = list(runtimes)
    if any(map(_never_idle, seen)):
        return None
    found = [
        GRPC_IDLE_SECONDS[name] for runtime in seen if (name := (runtime or "").partition(" ")[0]) in GRPC_IDLE_SECONDS
    ]
    return max(found) + GRPC_TIMER_SECONDS if found else None


def _never_idle(runtime: str | None) -> bool:
    """Whether it is a grpc-go of before 1.59, whose channels stay open however idle they are."""
    name, _blank, version = (runtime or "").partition(" ")
    return name == "grpc-go" and releases.before(version, _GRPC_GO_IDLE_SINCE)


def grpc_idle_seconds_on(nodes: Iterable[Observed]) -> int | None:
    """When the gRPC channels that have connections without SO_KEEPALIVE to services have closed them, being idle.

    None where there are none.
    """
    spaces = (space for node in nodes if node.pods for space in node.pods.spaces)
    return grpc_idle_seconds(process.runtime for space in spaces for _service, process in space.at_risk())


def ipvs_timeouts(
    nodes: Nodes, policy: Policy, keepalive: Keepalive | None, idle_seconds: int | None = None
) -> dict[str, dict[str, int]]:
    """The IPVS timeouts in seconds that each node with IPVS on the path should have; empty for the others.

    ``keepalive`` is the latest that must stay below them, None unless the strategy is raise_ipvs; ``idle_seconds`` must
    pass too, unless the user's own tcp says otherwise: an IPVS timer may be late, but never early. Raises PlanError
    where the user's own tcp is too short for the keepalive, or no timeout is long enough.
    """
    tcp = _tcp_above(keepalive, policy, idle_seconds or 0) if keepalive else None
    return {name: _timeouts(node, policy, tcp) if node.ipvs_on_path else {} for name, node in nodes.items()}


def planned_limits(
    seen: Iterable[Limit], nodes: Nodes, wanted: Mapping[str, Mapping[str, int]], policies: Policies
) -> tuple[Limit, ...]:
    """The limits once the settings are in force: the observed ones, except those that the settings change."""
    inside = {name: node for name, node in nodes.items() if policies.of(name).namespace_ipvs_timeouts}
    seen = [limit for limit in seen if not (limit.in_namespace and limit.node in inside)]
    for name, node in inside.items():
        seen += _inside_after(name, node, policies.of(name))
    by_node = grouped((limit.node if _is_set_by(nodes, limit) else None, limit) for limit in seen)
    limits = by_node.get(None, [])
    for name, node in nodes.items():
        limits += _ipvs_after(name, node, wanted[name].get("tcp"), by_node.get(name, []))
        limits += _conntrack_after(name, node, _established(node, policies.of(name)), by_node.get(name, []))
    return ascending(limits)


def _inside_after(name: str, node: Observed, policy: Policy) -> list[Limit]:
    """The limits of a node's other network namespaces with the timeouts that the user wants there."""
    tables = node.namespaces.tables
    if tables is not None:
        namespaces = replace(node.namespaces, tables=tables.with_timeouts(policy.namespace_ipvs_timeouts))
        node = replace(node, namespaces=namespaces)
    return list(sensible(limits_of(name, node)))


def _is_set_by(nodes: Nodes, limit: Limit) -> bool:
    """Whether the node's own timeouts change it: they do not reach into other network namespaces."""
    return limit.node in nodes and not limit.in_namespace


def refuse_other_limits(limits: Iterable[Limit], keepalive: Keepalive, policy: Policy) -> None:
    """raise_ipvs leaves the keepalive of pods alone, so every limit that is not IPVS's must be above it already."""
    for limit in limits:
        if not limit.is_kept_by(keepalive, policy):
            raise PlanError(
                f"keepalive_strategy: raise_ipvs raises IPVS only and keeps {keepalive}, which is in use: "
                f"{limit.sum_text(keepalive, policy)}. "
                f"{_RAISE_THERE if limit.in_namespace else ''}"
                "Use keepalive_strategy: lower_keepalive, and lower the keepalive of the pods too."
            )


def is_ipvs(limit: Limit) -> bool:
    return limit.node is not None and limit.name in (
        IPVS_TCP,
        IPVS_TCP_RESTART,
        IPVS_TCP_KEEPALIVED,
        IPVS_TCP_KUBE_ROUTER,
    )


def above_seconds(keepalive: Keepalive, policy: Policy) -> int:
    """The shortest IPVS tcp timeout under which that keepalive is safe."""
    return keepalive_math.with_slack(keepalive.silence_seconds(policy.lost_probes)) + policy.margin


def _tcp_above(keepalive: Keepalive, policy: Policy, idle_seconds: int) -> int:
    needed = above_seconds(keepalive, policy)
    own = policy.ipvs_timeouts.get("tcp")
    if own is not None and own < needed:
        text = Limit(own, "keepalive_ipvs_timeouts tcp", None).sum_text(keepalive, policy)
        raise PlanError(
            f"keepalive_ipvs_timeouts: tcp {own} is too short for keepalive_strategy raise_ipvs: {text}. "
            f"Write at least {needed}, or leave it out."
        )
    if needed > IPVS_SECONDS.high:
        raise PlanError(
            f"keepalive_strategy: raise_ipvs would need an IPVS tcp timeout of {needed} s, above {IPVS_SECONDS.high} s "
            f"({IPVS_SECONDS.source}). Lower the keepalive {keepalive} that is in use."
        )
    return own or max(needed, idle_seconds)


def _timeouts(node: Observed, policy: Policy, tcp: int | None) -> dict[str, int]:
    timeouts = dict(policy.ipvs_timeouts)
    # Without the live value nobody can promise not to lower it, so it is not planned.
    if tcp is not None and "tcp" not in timeouts and node.ipvs.timeouts is not None:
        timeouts["tcp"] = max(tcp, min(node.ipvs.timeouts["tcp"], IPVS_SECONDS.high))
    return timeouts


def _ipvs_after(name: str, node: Observed, tcp: int | None, seen: Iterable[Limit]) -> list[Limit]:
    if tcp is None:
        return [limit for limit in seen if is_ipvs(limit)]
    return [
        Limit(tcp, IPVS_TCP, name),
        *sensible(ipvs_after_restart(name, node, tcp)),
    ]


def _established(node: Observed, policy: Policy) -> int | None:
    """The timeout that the settings bring: their own, or the kernel's where they load nf_conntrack. None: as it is."""
    own = whole_number(policy.sysctls.get(ESTABLISHED_KEY))
    loads = not node.conntrack.loaded and any(module_for(key) == "nf_conntrack" for key in policy.sysctls)
    return whole_number(KEYS[ESTABLISHED_KEY].default) if own is None and loads else own


def _conntrack_after(name: str, node: Observed, established: int | None, seen: Iterable[Limit]) -> list[Limit]:
    others = [limit for limit in seen if not is_ipvs(limit)]
    if established is None:
        return others
    after_restart = conntrack_after_restart(name, node, established)
    kept = [limit for limit in others if limit.name not in (CONNTRACK, CONNTRACK_RESTART)]
    return [Limit(established, CONNTRACK, name), *sensible(after_restart), *kept]
