# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on what could not be read or makes no sense: never fine. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._common.sandboxes import MACHINE
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import bare, joined, sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import some
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import REACH, NotSeen, rights
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import (
    CONNTRACK,
    CONNTRACK_POLICY,
    CONNTRACK_RESTART,
    IPVS_TCP,
    IPVS_TCP_KEEPALIVED,
    IPVS_TCP_KUBE_ROUTER,
    IPVS_TCP_RESTART,
    SHORTEST_LIMIT_SECONDS,
    Limit,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import (
    KUBE_PROXY,
    KUBELET,
    NAMESPACES,
    PROGRAMS,
    Observed,
    Problem,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import SANDBOXES
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import NodePlan, Plan

from .rule import CRITICAL, INFO, UNKNOWN, Case, Found, Remedy, Rules, one_by_one, remedy, variable

RULES = Rules()

_TOLD_ELSEWHERE = ("namespaces", "connections")
"""Places with a finding of their own: namespaces-not-read, not-read."""

_CORRECT: dict[str, str | Remedy] = {
    IPVS_TCP: remedy(
        "Correct the IPVS tcp timeout of that node, for example with {timeouts}.",
        timeouts=variable("keepalive_ipvs_timeouts: {tcp: 900}"),
    ),
    IPVS_TCP_RESTART: "Correct ipvs.tcpTimeout in kube-proxy's configuration.",
    IPVS_TCP_KUBE_ROUTER: "Correct --service-tcp-timeout of kube-router.",
    IPVS_TCP_KEEPALIVED: "Correct lvs_timeouts in keepalived's configuration.",
    CONNTRACK: "Correct net.netfilter.nf_conntrack_tcp_timeout_established on that node.",
    CONNTRACK_POLICY: "Correct the timeout policy (nfct list timeout; nftables: nft list ruleset; Open vSwitch: "
    "ovs-vsctl list ct_timeout_policy).",
    CONNTRACK_RESTART: "Correct conntrack.tcpEstablishedTimeout in kube-proxy's configuration.",
}


@RULES.plan("node-not-observed", UNKNOWN)
def _not_observed(plan: Plan) -> Iterator[tuple[str | None, Found]]:
    """Nothing is known of a node of the play."""
    for node in plan.nodes.values():
        if node.observed is None:
            yield (
                node.name,
                Found(
                    node.seen.not_seen[0].why,
                    "Its limits may be lower than those that were seen, and connections cross it.",
                    REACH,
                ),
            )


@RULES.node("limit-absurd", CRITICAL)
def _limit_absurd(case: Case) -> Found | None:
    """The node shows a limit that no keepalive can stay below. Unknown where no kernel takes so long a timeout."""
    shown = case.node.seen.shown
    if not shown:
        return None
    short = any(limit.seconds < SHORTEST_LIMIT_SECONDS for limit in shown)
    return Found(
        joined("; ", [tell("{limit} {absurd}", limit=limit.name, absurd=limit.absurd) for limit in shown]),
        "This limit does not count: the other nodes are planned without it. Once it is in force, idle connections are "
        "lost."
        if short
        else "This limit does not count: the other nodes are planned without it. Nobody knows the true one.",
        one_by_one(*map(_correct, shown)),
        severity=None if short else UNKNOWN,
    )


def _correct(limit: Limit) -> str | Remedy:
    return tell("Correct {limit} there.", limit=limit.name) if limit.in_namespace else _CORRECT[limit.name]


@RULES.node("limit-unknown", UNKNOWN)
def _limit_unknown(case: Case) -> Found | None:
    """A place that may forget connections could not be looked at."""
    unread = [each for each in case.node.seen.not_seen if not each.shown and each.place not in _TOLD_ELSEWHERE]
    if not unread:
        return None
    return Found(
        joined("; ", [tell("{what}: {why}", what=each.name, why=each.why) for each in unread]),
        "The true limit may be lower than those that were seen, so nobody can call this node safe.",
        sentences(*_remedies(unread, case.observed)),
    )


def _remedies(unread: Sequence[NotSeen], observed: Observed) -> list[str]:
    """What to do for each, once; more rights in general only where node_info does not say it better."""
    general = {rights(observed)} if any(each.problem for each in unread) else set()
    told = list(dict.fromkeys(each.do for each in unread))
    return [do for do in told if do not in general] or told


@RULES.node("keepalive-unreadable", UNKNOWN)
def _keepalive_unreadable(case: Case) -> Found | None:
    """One of the three keepalive sysctls could not be read."""
    if case.observed.keepalive is not None:
        return None
    sysctls = {key: case.observed.sysctls.get(key) for key in KEEPALIVE_KEYS}
    missing = [
        tell("{key} ({why})", key=key, why=each.error or each.state if each else "not in the data")
        for key, each in sysctls.items()
        if not each or not each.value
    ]
    return Found(
        joined(", ", missing) if missing else "values that are not whole numbers",
        "Without the keepalive in force nobody can say whether it is soon enough.",
        rights(case.observed),
    )


@RULES.node("namespaces-not-read", UNKNOWN)
def _namespaces(case: Case) -> Found | None:
    """The keepalive of pods could not be read, or not of all."""
    spaces = case.observed.namespaces
    if spaces.complete:
        return None
    return Found(
        spaces.not_read,
        "Pods have their own keepalive, and the node's own says nothing about it.",
        rights(case.observed),
    )


@RULES.node("pod-sandboxed", UNKNOWN)
def _sandboxed(case: Case) -> Found | None:
    """Pods in gVisor or a virtual machine (Kata, KubeVirt) have TCP of their own, which the node does not show."""
    pods = case.node.pods.sandboxed if case.node.pods else ()
    if not pods:
        return None
    names = [
        tell("{name} ({sandbox})", name=each.space.label, sandbox=SANDBOXES[each.space.sandbox or MACHINE])
        for each in pods
    ]
    return Found(
        some(names),
        "Nothing that the node shows says when these pods probe, and no sysctl of the node reaches them. What was not "
        "set inside is 7200/75/9.",
        "Have their programs ask for keepalive themselves, with TCP_KEEPIDLE or pings. In Kata's guests "
        "securityContext.sysctls count.",
        severity=INFO if not case.policy.pods else None,
    )


@RULES.node("kube-proxy-mode-unknown", UNKNOWN)
def _mode_unknown(case: Case) -> Found | None:
    """kube-proxy runs, or may run, but which mode it is in could not be read."""
    if case.observed.mode != "unknown":
        return None
    kube_proxy = case.observed.kube_proxy
    shown = tell("kube-proxy at {address}: its mode is {mode!r}", address=kube_proxy.address, mode=kube_proxy.mode)
    return Found(
        bare(kube_proxy.error) if kube_proxy.error else shown,
        "Its mode says whether IPVS is on the path, its configuration what it will set again.",
        rights(case.observed)
        if kube_proxy.running is None
        else "Give its metrics address in keepalive_kube_proxy_address (metricsBindAddress in its configuration).",
    )


@RULES.node("not-read", UNKNOWN)
def _not_read(case: Case) -> Found | None:
    """Something else could not be read."""
    rest = [problem for problem in case.observed.problems if not _covered(problem, case.observed, case.node)]
    if not rest:
        return None
    return Found(
        some([tell("{what}: {why}", what=problem.what, why=problem.why) for problem in rest], "; "),
        "What could not be read is not taken for fine.",
        some(list(dict.fromkeys(problem.do for problem in rest)), " "),
    )


def _about(observed: Observed, node: NodePlan) -> list[Problem]:
    """What node_info said about the limits that were not seen."""
    told = {each.problem for each in node.seen.not_seen}
    return [problem for problem in observed.problems if problem.id in told]


def _covered(problem: Problem, observed: Observed, node: NodePlan) -> bool:
    """Whether a rule above says it already."""
    if problem.id == KUBE_PROXY:
        return observed.mode == "unknown"
    return problem.id in (KUBELET, NAMESPACES, PROGRAMS) or problem in _about(observed, node)
