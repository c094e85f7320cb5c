# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on kube-proxy's modes: the end of ipvs mode, and what a move to another changes. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import releases
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits import derive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import CONNTRACK
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.ipvs import is_ipvs
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import Plan

from .rule import INFO, WARNING, Case, Found, Rules

RULES = Rules()


@RULES.node("ipvs-mode-deprecated", INFO)
def _deprecated(case: Case) -> Found | None:
    """kube-proxy runs in ipvs mode, which Kubernetes is giving up. A warning from the release that has it off."""
    node = case.observed
    if node.mode != "ipvs":
        return None
    version = node.kube_proxy.version
    established = next((limit.seconds for limit in case.node.seen.limits if limit.name == CONNTRACK), None)
    after = f"{established} s on this node now" if established else "not seen on this node now"
    return Found(
        f"kube-proxy {version}, mode ipvs" if version else "kube-proxy mode ipvs",
        "Kubernetes warns of ipvs mode since 1.35, has it off by default from 1.40, and removes it in 1.43 (KEP-5495).",
        f"Plan the move to {_successor(node)}. IPVS then no longer forgets connections: the limit is "
        f"{CONNTRACK}, {after}. The move ends open connections to Services once. {_after_all_moved(case.plan)}",
        severity=WARNING if releases.since(version, releases.IPVS_OFF_SINCE) else None,
    )


@RULES.plan("proxy-modes-differ", INFO)
def _modes_differ(plan: Plan) -> Iterator[tuple[str | None, Found]]:
    """kube-proxy is in ipvs mode on some nodes and in another one on others: a move that is not over."""
    named = ((node.observed.mode, node.name) for node in plan.nodes.values() if node.observed)
    modes = grouped((mode, name) for mode, name in named if mode in ("ipvs", "iptables", "nftables"))
    if "ipvs" not in modes or len(modes) == 1:
        return
    yield (
        None,
        Found(
            "; ".join(f"{mode} on {some(names)}" for mode, names in sorted(modes.items())),
            "A connection crosses several nodes, so the limit of IPVS counts for all of them until the last one has "
            "moved. Only nodes in ipvs mode need IPVS timeouts; the others get none.",
            f"Finish the move. {_after_all_moved(plan)}",
        ),
    )


@RULES.node("ipvs-left-behind", WARNING)
def _left_behind(case: Case) -> Found | None:
    """kube-proxy is in another mode, and IPVS still has virtual services."""
    node = case.observed
    if node.mode not in ("iptables", "nftables") or not node.ipvs.services:
        return None
    return Found(
        f"kube-proxy mode {node.mode}, {count(node.ipvs.services, 'virtual service')} in IPVS",
        "IPVS still handles connections to their addresses, with its own idle limit.",
        "If ipvs mode left them behind, restart the node or run kube-proxy --cleanup. If keepalived or another load "
        "balancer keeps them, nothing has to be done: the plan counts their limit.",
    )


def _after_all_moved(plan: Plan) -> str:
    """What the plan comes to once IPVS is on the path of no node."""
    limit = next((each for each in plan.limits if not is_ipvs(each)), None)
    if limit is None:
        return "Once all nodes have moved, audit and apply again: no other limit is seen now."
    try:
        keepalive = derive.derive(limit, plan.policy)
    except PlanError:
        return f"Once all nodes have moved, audit and apply again: the lowest limit is then {limit}."
    return f"Once all nodes have moved, audit and apply again: the lowest limit is then {limit}, the plan {keepalive}."


def _successor(node: Observed) -> str:
    numbers = releases.version(node.kernel)
    if numbers is not None and numbers < releases.NFTABLES_SINCE:
        return "iptables mode, or to nftables mode with a kernel from 5.13 on (this one is older)"
    return "nftables mode (stable since Kubernetes 1.33, needs Linux 5.13)"
