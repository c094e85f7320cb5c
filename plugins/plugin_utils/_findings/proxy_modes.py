# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on kube-proxy's modes: the end of ipvs mode, and what a move to another changes. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import releases
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits import derive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import CONNTRACK
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.ipvs import is_ipvs
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import Plan

from .rule import CRITICAL, INFO, WARNING, Case, Found, Rules

RULES = Rules()


@RULES.node("ipvs-mode-deprecated", INFO)
def _deprecated(case: Case) -> Found | None:
    """kube-proxy runs in ipvs mode, which Kubernetes is giving up. A warning from 1.37 on, critical from 1.43 on."""
    node = case.observed
    if node.mode != "ipvs":
        return None
    version = node.kube_proxy.version
    established = next((limit.seconds for limit in case.node.seen.limits if limit.name == CONNTRACK), None)
    return Found(
        tell("kube-proxy {version}, mode ipvs", version=version) if version else "kube-proxy mode ipvs",
        sentences(
            _stage(version),
            "Kubernetes warns of ipvs mode since 1.35, makes nftables the default and has ipvs off from 1.40, and "
            "removes it in 1.43 (KEP-5495, KEP-5343).",
        ),
        sentences(
            _successor(node),
            tell(
                "IPVS then no longer forgets connections: the limit is {limit}, {seconds} s on this node now.",
                limit=CONNTRACK,
                seconds=established,
            )
            if established
            else tell(
                "IPVS then no longer forgets connections: the limit is {limit}, not seen on this node now.",
                limit=CONNTRACK,
            ),
            "The move ends open connections to Services once.",
            _after_all_moved(case.plan),
        ),
        severity=_severity(version),
    )


def _severity(version: str | None) -> str | None:
    if releases.since(version, releases.IPVS_GONE_SINCE):
        return CRITICAL
    return WARNING if releases.since(version, releases.IPVS_GATED_SINCE) else None


def _stage(version: str | None) -> str:
    """What holds of this release, a sentence; empty where it is not known or nothing does yet."""
    if releases.since(version, releases.IPVS_GONE_SINCE):
        return tell(
            "{version} has no ipvs mode: this process is older than what the node was upgraded to.", version=version
        )
    if releases.since(version, releases.IPVS_OFF_SINCE):
        return tell("{version} runs it only because the feature gate KubeProxyIPVS is on.", version=version)
    if releases.since(version, releases.IPVS_GATED_SINCE):
        return tell("{version} still has it on by default, and few releases after it do.", version=version)
    if releases.since(version, releases.IPVS_WARNED_SINCE):
        return tell("{version} warns of it in its log and by an event.", version=version)
    return ""


@RULES.plan("iptables-mode", INFO)
def _iptables(plan: Plan) -> Iterator[tuple[str | None, Found]]:
    """Every kube-proxy of the plan is in iptables mode: what a move to another mode changes for idle connections."""
    named = [(node.observed.mode, node.name) for node in plan.nodes.values() if node.observed]
    names = [name for mode, name in named if mode == "iptables"]
    if not names or any(mode in ("ipvs", "nftables", "unknown") for mode, _name in named):
        return
    lowest = tell("now {limit}", limit=plan.limit.text) if plan.limit else "not seen now"
    yield (
        None,
        Found(
            tell("kube-proxy mode iptables on {nodes}: {names}", nodes=count(len(names), "node"), names=some(names)),
            tell(
                "nftables becomes kube-proxy's default mode in Kubernetes 1.40 (KEP-5343). Idle connections have the "
                "same limit in both modes, that of connection tracking ({lowest}), and a keepalive that holds now "
                "holds then.",
                lowest=lowest,
            ),
            "Nothing has to be done. Before a move to nftables mode (stable since 1.33, needs Linux 5.13): it has no "
            "rule that drops INVALID packets and relies on conntrack.tcpBeLiberal instead, and it ends open "
            "connections to Services once. Do not move to ipvs mode: it forgets idle connections after 900 s, and is "
            "being removed.",
        ),
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
            joined(
                "; ", [tell("{mode} on {nodes}", mode=mode, nodes=some(names)) for mode, names in sorted(modes.items())]
            ),
            "A connection crosses several nodes, so the limit of IPVS counts for all of them until the last one has "
            "moved. Only nodes in ipvs mode need IPVS timeouts; the others get none.",
            sentences("Finish the move.", _after_all_moved(plan)),
        ),
    )


@RULES.node("ipvs-left-behind", WARNING)
def _left_behind(case: Case) -> Found | None:
    """kube-proxy is in another mode, and IPVS still has virtual services."""
    node = case.observed
    if node.mode not in ("iptables", "nftables") or not node.ipvs.services:
        return None
    return Found(
        tell(
            "kube-proxy mode {mode}, {services} in IPVS",
            mode=node.mode,
            services=count(node.ipvs.services, "virtual service"),
        ),
        "IPVS still handles connections that were open before, and those to addresses that kube-proxy has no rules "
        "for, with its own idle limit.",
        # Not kube-proxy --cleanup: it takes the rules of the running mode along, and that of 1.20 left the services.
        "If ipvs mode left them behind, restart the node or run ipvsadm --clear. If keepalived or another load "
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
        return tell(
            "Once all nodes have moved, audit and apply again: the lowest limit is then {limit}.", limit=limit.text
        )
    return tell(
        "Once all nodes have moved, audit and apply again: the lowest limit is then {limit}, the plan {keepalive}.",
        limit=limit.text,
        keepalive=keepalive,
    )


def _successor(node: Observed) -> str:
    numbers = releases.version(node.kernel)
    if numbers is not None and numbers < releases.NFTABLES_SINCE:
        return "Plan the move to iptables mode, or to nftables mode with a kernel from 5.13 on (this one is older)."
    return "Plan the move to nftables mode (stable since Kubernetes 1.33, needs Linux 5.13)."
