# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Idle limits: after how many idle seconds something forgets a TCP connection. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.module_utils._common import limit_names
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math, releases
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import Middlebox
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

IPVS_TCP = limit_names.IPVS_TCP
CONNTRACK = limit_names.CONNTRACK
CONNTRACK_POLICY = limit_names.CONNTRACK_POLICY
IPVS_TCP_RESTART = "IPVS tcp after a kube-proxy restart"
IPVS_TCP_KEEPALIVED = "IPVS tcp after a keepalived restart"
IPVS_TCP_KUBE_ROUTER = "IPVS tcp after a kube-router restart"
CONNTRACK_RESTART = "conntrack established after a kube-proxy restart"
OF_IPVS = (IPVS_TCP, IPVS_TCP_RESTART, IPVS_TCP_KEEPALIVED, IPVS_TCP_KUBE_ROUTER)
"""Those of IPVS in the node's own namespace."""
SERVICES = "the idle limit of Services"

SHORTEST_LIMIT_SECONDS = 10
"""Below this, whole seconds, timer slack and lost probes leave nothing to choose."""

SHORTEST_LIMIT_REASON = "the shortest idle limit that keepalive in whole seconds can stay below"

LONGEST_LIMIT_SECONDS = ((1 << 31) - 1) // 100
"""INT_MAX ticks of a kernel with 100 a second, the fewest there are: no kernel takes a longer timeout."""


@dataclass(frozen=True)
class Limit:
    """One idle limit; ``node`` is None for a middlebox.

    ``in_namespace``: of another network namespace than the node's own, which the name tells too.
    """

    seconds: int
    name: str
    node: str | None
    in_namespace: bool = False

    @property
    def absurd(self) -> str | None:
        """Why nobody can plan for it, None where it makes sense."""
        if self.seconds < SHORTEST_LIMIT_SECONDS:
            return tell(
                "shows {seconds} s, below {lowest} s ({why})",
                seconds=self.seconds,
                lowest=SHORTEST_LIMIT_SECONDS,
                why=SHORTEST_LIMIT_REASON,
            )
        if self.seconds > LONGEST_LIMIT_SECONDS:
            return tell(
                "shows {seconds} s, above {highest} s (the longest timeout that any kernel takes)",
                seconds=self.seconds,
                highest=LONGEST_LIMIT_SECONDS,
            )
        return None

    @property
    def in_force(self) -> bool:
        """Whether the kernel itself has it now, and not only a program that will set it when it starts."""
        return self.in_namespace or self.name in (IPVS_TCP, CONNTRACK, CONNTRACK_POLICY)

    @property
    def whose(self) -> str:
        return tell("{limit} on {node}", limit=self.name, node=self.node) if self.node else self.name

    def __str__(self) -> str:
        return str(self.text)

    @property
    def text(self) -> Message:
        return tell("{seconds} s ({whose})", seconds=self.seconds, whose=self.whose)

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
        if keepalive_math.losses_below(keepalive, self.seconds) < policy.lost_probes:
            return tell(
                "kept {losses}, but keepalive_lost_probes is {wanted}: {sum}",
                losses=losses,
                wanted=policy.lost_probes,
                sum=text,
            )
        return tell(
            "kept {losses}, but less than the {margin} s of keepalive_margin are left: {sum}",
            losses=losses,
            margin=policy.margin,
            sum=text,
        )

    def sum_text(self, keepalive: Keepalive, policy: Policy) -> str:
        """The arithmetic of is_kept_by in words, without a full stop."""
        return keepalive_math.sum_text(keepalive, self.seconds, self.whose, policy.lost_probes, policy.margin)

    def as_dict(self) -> dict[str, object]:
        return {"seconds": self.seconds, "name": self.name, "node": self.node}


def ascending(limits: Iterator[Limit] | list[Limit]) -> tuple[Limit, ...]:
    """The limits, shortest first; the order does not depend on the order of nodes."""
    return tuple(sorted(limits, key=lambda limit: (limit.seconds, limit.name, limit.node or "")))


def shows_nonsense(node: Observed) -> bool:
    return any(limit.absurd for limit in of_kernel("", node))


def sensible(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if not limit.absurd)


def of_middlebox(middlebox: Middlebox) -> Limit:
    return Limit(middlebox.seconds, middlebox.name, None)


def of_kernel(name: str, node: Observed) -> tuple[Limit, ...]:
    """The limits that the node's kernel has, or will have once kube-proxy or keepalived starts anew."""
    return ascending([*_ipvs(name, node), *_conntrack(name, node)])


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
    yield from conntrack_by_policy(name, node)
    yield from conntrack_after_restart(name, node, node.conntrack.established)


def conntrack_by_policy(name: str, node: Observed) -> Iterator[Limit]:
    """The shortest limit of the timeout policies that somebody uses, by which some connections have another."""
    if node.conntrack.policy_established is not None:
        yield Limit(node.conntrack.policy_established, CONNTRACK_POLICY, name)
