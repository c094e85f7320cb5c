# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Idle limits: after how many idle seconds something forgets a TCP connection. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math, releases
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed import node as observed_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import (
    IPVS_SERVICES,
    IPVS_TIMEOUTS,
    Observed,
    Problem,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import Middlebox
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

IPVS_TCP = "IPVS tcp"
IPVS_TCP_RESTART = "IPVS tcp after a kube-proxy restart"
IPVS_TCP_KEEPALIVED = "IPVS tcp after a keepalived restart"
IPVS_TCP_KUBE_ROUTER = "IPVS tcp after a kube-router restart"
CONNTRACK = "conntrack established"
CONNTRACK_RESTART = "conntrack established after a kube-proxy restart"
SERVICES = "the idle limit of Services"

OWN_TABLES = {"cilium": "Cilium", "calico_ebpf": "Calico's eBPF data plane"}
"""Data planes that forward Services by tables of their own, by the names that node_info and the middleboxes have."""

SHORTEST_LIMIT_SECONDS = 10
"""Below this, whole seconds, timer slack and lost probes leave nothing to choose."""

SHORTEST_LIMIT_REASON = "the shortest idle limit that keepalive in whole seconds can stay below"

LONGEST_LIMIT_SECONDS = ((1 << 31) - 1) // 100
"""INT_MAX ticks of a kernel with 100 a second, the fewest there are: no kernel takes a longer timeout."""


@dataclass(frozen=True)
class Limit:
    """One idle limit; ``node`` is None for a middlebox."""

    seconds: int
    name: str
    node: str | None

    @property
    def absurd(self) -> str | None:
        """Why nobody can plan for it, None where it makes sense."""
        if self.seconds < SHORTEST_LIMIT_SECONDS:
            return f"shows {self.seconds} s, below {SHORTEST_LIMIT_SECONDS} s ({SHORTEST_LIMIT_REASON})"
        if self.seconds > LONGEST_LIMIT_SECONDS:
            return (
                f"shows {self.seconds} s, above {LONGEST_LIMIT_SECONDS} s (the longest timeout that any kernel takes)"
            )
        return None

    @property
    def in_force(self) -> bool:
        """Whether the kernel itself has it now, and not only a program that will set it when it starts."""
        return self.name in (IPVS_TCP, CONNTRACK)

    @property
    def whose(self) -> str:
        return f"{self.name} on {self.node}" if self.node else self.name

    def __str__(self) -> str:
        return f"{self.seconds} s ({self.whose})"

    def is_kept_by(self, keepalive: Keepalive, policy: Policy) -> bool:
        """Whether an idle connection with that keepalive is refreshed before the limit, as the policy wants it."""
        return keepalive_math.is_safe(keepalive, self.seconds, policy.lost_probes, policy.margin)

    def keeps(self, keepalive: Keepalive) -> bool:
        """Whether it is refreshed before the limit while no probe is lost: too late is only what is not."""
        return keepalive_math.keeps(keepalive, self.seconds)

    def verdict_text(self, keepalive: Keepalive, policy: Policy) -> str:
        """How the keepalive stands to the limit, in words, without a full stop."""
        text = self.sum_text(keepalive, policy)
        if not self.keeps(keepalive) or self.is_kept_by(keepalive, policy):
            return text
        losses = keepalive_math.losses_text(keepalive, self.seconds)
        short = keepalive_math.losses_below(keepalive, self.seconds) < policy.lost_probes
        wish = (
            f"keepalive_lost_probes is {policy.lost_probes}"
            if short
            else f"less than the {policy.margin} s of keepalive_margin are left"
        )
        return f"kept {losses}, but {wish}: {text}"

    def sum_text(self, keepalive: Keepalive, policy: Policy) -> str:
        """The arithmetic of is_kept_by in words, without a full stop."""
        return keepalive_math.sum_text(keepalive, self.seconds, self.whose, policy.lost_probes, policy.margin)

    def as_dict(self) -> dict[str, object]:
        return {"seconds": self.seconds, "name": self.name, "node": self.node}


@dataclass(frozen=True)
class NotSeen:
    """A limit that may be there and could not be read; or ``shown``, which makes no sense and is left out.

    ``problem`` is the id of what node_info said about it.
    """

    node: str
    name: str
    why: str
    problem: str | None = None
    shown: Limit | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.why}" if self.shown else f"{self.name} could not be read: {self.why}"

    def as_dict(self) -> dict[str, str]:
        return {"node": self.node, "name": self.name, "why": self.why}


@dataclass(frozen=True)
class NodeLimits:
    """The limits of one node, those that are not known, and remarks on what is there but not on the path."""

    limits: tuple[Limit, ...]
    not_seen: tuple[NotSeen, ...]
    notes: tuple[str, ...]

    @property
    def shown(self) -> tuple[Limit, ...]:
        """The limits that the node shows and that make no sense. The other nodes are planned without them."""
        return tuple(each.shown for each in self.not_seen if each.shown)


def ascending(limits: Iterator[Limit] | list[Limit]) -> tuple[Limit, ...]:
    """The limits, shortest first; the order does not depend on the order of nodes."""
    return tuple(sorted(limits, key=lambda limit: (limit.seconds, limit.name, limit.node or "")))


def shows_nonsense(node: Observed) -> bool:
    return any(limit.absurd for limit in (*_ipvs("", node), *_conntrack("", node)))


def sensible(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if not limit.absurd)


def of_middlebox(middlebox: Middlebox) -> Limit:
    return Limit(middlebox.seconds, middlebox.name, None)


def of_node(name: str, node: Observed | None, declared: bool = False, why_not: str = "") -> NodeLimits:
    """What one node's kernel and kube-proxy forget. A node that was not observed (None) hides every limit.

    ``declared``: the user told of a middlebox that may be what forwards Services. ``why_not``: why the node
    was not observed.
    """
    if node is None:
        why = f"the node was not observed: {why_not}" if why_not else "the node was not observed"
        return NodeLimits((), (NotSeen(name, IPVS_TCP, why), NotSeen(name, CONNTRACK, why)), ())
    limits = ascending([*_ipvs(name, node), *_conntrack(name, node)])
    return NodeLimits(
        sensible(limits),
        (
            *(NotSeen(name, limit.name, limit.absurd, shown=limit) for limit in limits if limit.absurd),
            *_ipvs_not_seen(name, node),
            *_conntrack_not_seen(name, node),
            *(() if declared else _services_not_seen(name, node)),
        ),
        tuple(_notes(node)),
    )


def kube_proxy_ipvs_seconds(node: Observed, cell: str) -> int | None:
    """What kube-proxy sets an IPVS timeout to at its next start, None where it leaves it alone.

    It does so in ipvs mode only, and 0 keeps the value (ConfigureTimeouts in pkg/proxy/ipvs/proxier.go). A release of
    before it had the fields may be given them, and does nothing with them.
    """
    if node.mode != "ipvs" or releases.before(node.kube_proxy.version, releases.IPVS_TIMEOUTS_SINCE):
        return None
    return node.kube_proxy.ipvs_timeouts.get(cell) or None


def keepalived_seconds(node: Observed, cell: str) -> int | None:
    """What keepalived sets an IPVS timeout to at its next start or reload, None where it leaves it alone."""
    return node.others.keepalived.timeouts.get(cell) if node.others.keepalived else None


def kube_router_seconds(node: Observed, cell: str) -> int | None:
    """What kube-router sets an IPVS timeout to at its next start, None where it leaves it alone."""
    return node.others.kube_router.timeouts.get(cell) if node.others.kube_router else None


def ipvs_after_restart(name: str, node: Observed, seconds: int | None) -> Iterator[Limit]:
    """The limits that come where kube-proxy or another of them starts anew and sets IPVS tcp to something else."""
    for limit, configured in (
        (IPVS_TCP_RESTART, kube_proxy_ipvs_seconds(node, "tcp")),
        (IPVS_TCP_KEEPALIVED, keepalived_seconds(node, "tcp")),
        (IPVS_TCP_KUBE_ROUTER, kube_router_seconds(node, "tcp")),
    ):
        if configured is not None and configured != seconds:
            yield Limit(configured, limit, name)


def kube_proxy_established_seconds(node: Observed, present: int | None) -> int | None:
    """What kube-proxy sets conntrack's established timeout to at its next start, None where it leaves it alone.

    That is with 0, and from v1.23 to v1.28 where it is higher already.
    """
    configured = node.kube_proxy.conntrack.get("tcp_established") or None
    higher = configured is not None and present is not None and present > configured
    return None if higher and node.kube_proxy.raises_only else configured


def conntrack_after_restart(name: str, node: Observed, seconds: int) -> Iterator[Limit]:
    """The limit that comes where kube-proxy starts anew and sets conntrack's established timeout to something else."""
    configured = kube_proxy_established_seconds(node, seconds)
    if configured is not None and configured != seconds:
        yield Limit(configured, CONNTRACK_RESTART, name)


def _ipvs(name: str, node: Observed) -> Iterator[Limit]:
    if not node.ipvs_on_path:
        return
    live = node.ipvs.timeouts["tcp"] if node.ipvs.timeouts else None
    if live is not None:
        yield Limit(live, IPVS_TCP, name)
    yield from ipvs_after_restart(name, node, live)


def _conntrack(name: str, node: Observed) -> Iterator[Limit]:
    if not node.conntrack.loaded or node.conntrack.established is None:
        return
    yield Limit(node.conntrack.established, CONNTRACK, name)
    yield from conntrack_after_restart(name, node, node.conntrack.established)


def _ipvs_not_seen(name: str, node: Observed) -> Iterator[NotSeen]:
    if node.ipvs.loaded is None:
        yield NotSeen(name, IPVS_TCP, "whether IPVS is loaded could not be read")
    elif not node.ipvs.loaded and node.mode == "ipvs":
        yield NotSeen(name, IPVS_TCP, "kube-proxy is in ipvs mode, but no IPVS is visible in this network namespace")
    elif not node.ipvs_on_path and node.problem(IPVS_SERVICES):
        yield NotSeen(name, IPVS_TCP, "whether IPVS has virtual services could not be read")
    elif node.ipvs_on_path and node.ipvs.timeouts is None:
        yield _unread(name, IPVS_TCP, node.problem(IPVS_TIMEOUTS), "the timeouts could not be read")


def _conntrack_not_seen(name: str, node: Observed) -> Iterator[NotSeen]:
    if node.conntrack.loaded is None:
        yield NotSeen(name, CONNTRACK, "whether nf_conntrack is loaded could not be read")
    elif node.conntrack.loaded and node.conntrack.established is None:
        otherwise = "nf_conntrack_tcp_timeout_established could not be read"
        yield _unread(name, CONNTRACK, node.problem(observed_node.CONNTRACK), otherwise)


def _services_not_seen(name: str, node: Observed) -> Iterator[NotSeen]:
    """Cilium and Calico's eBPF data plane forward Services by tables of their own, which nothing here reads.

    Open vSwitch in the kernel does so by the kernel's connection tracking, which is read.
    """
    own_tables = [OWN_TABLES[each] for each in node.data_planes if each in OWN_TABLES]
    if own_tables:
        seen = "no kube-proxy runs" if node.mode == "none" else f"kube-proxy's {node.mode} mode was seen"
        yield NotSeen(name, SERVICES, f"{' and '.join(own_tables)} forwards them by tables of its own; {seen}")
    elif node.mode == "none" and "ovs" in node.data_planes and node.conntrack.loaded:
        return
    elif node.mode == "none" and not node.ipvs_on_path and node.on_kubernetes:
        runs = "kubelet runs" if node.kubelet.running else "there are pods"
        yield NotSeen(name, SERVICES, f"{runs}, but no kube-proxy, so who forwards them is not known")


def _unread(node: str, limit: str, problem: Problem | None, otherwise: str) -> NotSeen:
    """With what node_info said about the failed reading, without its full stop."""
    if problem is None or not problem.why:
        return NotSeen(node, limit, otherwise)
    return NotSeen(node, limit, problem.why.rstrip("."), problem.id)


def _notes(node: Observed) -> Iterator[str]:
    if node.ipvs.loaded and not node.ipvs_on_path:
        mode = {"none": "no kube-proxy runs", "unknown": "kube-proxy did not say its mode"}
        reason = mode.get(node.mode, f"kube-proxy is in {node.mode} mode")
        yield f"ip_vs is loaded, but {reason} and there is no virtual service: IPVS is not on the path."
