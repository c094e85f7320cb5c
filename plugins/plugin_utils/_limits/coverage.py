# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which places that can forget a connection were looked at on a node, and which were not. Private to this collection.

With a place that was not looked at no verdict is safe. docs/coverage.md has the table of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, bare, joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed import node as observed_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import (
    CONNECTIONS,
    IPVS_SERVICES,
    IPVS_TIMEOUTS,
    NAMESPACES,
    Observed,
)

from .limits import CONNTRACK, IPVS_TCP, OF_IPVS, SERVICES, Limit, of_kernel, sensible

REACH = "Make it reachable and run again. If it is gone for good, take it out of the inventory."
WHO_FORWARDS = (
    "Name what forwards Services in keepalive_middleboxes: cilium, calico_ebpf, or {name: ..., seconds: ...}. If "
    "kube-proxy just has not started yet, run again when it has."
)
OWN_TABLES = {"cilium": "Cilium", "calico_ebpf": "Calico's eBPF data plane"}
"""Data planes that forward Services by tables of their own, by the names that node_info and the middleboxes have."""
_IN_THE_SANDBOX = "Ask inside of it: nothing on the node can tell. The finding pod-sandboxed says what helps."
_KUBELET_ALONE = "kubelet runs, but no kube-proxy, so who forwards them is not known"
_PODS_ALONE = "there are pods, but no kube-proxy, so who forwards them is not known"
_AS_ROOT = "Run again as root (-e keepalive_become=true)."
_MORE_RIGHTS = "Run on the node itself: this root lacks rights, as in a container."

PLACES = {
    "ipvs": "IPVS",
    "conntrack": "conntrack",
    "services": "Services",
    "namespaces": "network namespaces",
    "connections": "connections",
    "sandboxes": "sandboxed pods",
    "middleboxes": "middleboxes",
    "hosts": "hosts left out",
}
"""Each kind of place by its id, in words, in the order in which they are told."""

OF_PODS = ("namespaces", "connections", "sandboxes")
"""Of these no limit is hidden, but which connections stay below it."""


@dataclass(frozen=True)
class Seen:
    """A place that was looked at; ``place`` is one of PLACES, ``what`` says what was there."""

    place: str
    what: str

    def as_dict(self) -> dict[str, str]:
        return {"place": self.place, "what": self.what}


@dataclass(frozen=True)
class NotSeen:
    """A place that may forget connections and could not be looked at; or a limit ``shown``, which makes no sense.

    ``place`` is one of PLACES, ``name`` the limit or what else it is about, ``do`` the sentence that says what
    would make it known. ``problem`` is the id of what node_info said about it.
    """

    node: str
    name: str
    why: str
    problem: str | None = None
    shown: Limit | None = None
    place: str = field(kw_only=True)
    do: str = field(kw_only=True)

    def __str__(self) -> str:
        return str(self.text)

    @property
    def text(self) -> Message:
        """Without a full stop."""
        if self.shown:
            return tell("{name} {why}", name=self.name, why=self.why)
        return tell("{name} could not be read: {why}", name=self.name, why=self.why)

    @property
    def hides_a_limit(self) -> bool:
        """Whether connections may be forgotten there after a time that nobody knows."""
        return self.place not in OF_PODS

    def as_dict(self) -> dict[str, str]:
        return {"node": self.node, "name": self.name, "why": self.why}

    def as_place(self) -> dict[str, str]:
        return {"place": self.place, "name": self.name, "why": self.why, "do": self.do}


@dataclass(frozen=True)
class NodeLimits:
    """The limits of one node, what was looked at and what was not, and remarks on what is not on the path.

    ``why_not``: why the node was not observed, where somebody said.
    """

    limits: tuple[Limit, ...]
    not_seen: tuple[NotSeen, ...]
    notes: tuple[str, ...]
    seen: tuple[Seen, ...] = ()
    why_not: str = ""

    @property
    def shown(self) -> tuple[Limit, ...]:
        """The limits that the node shows and that make no sense. The other nodes are planned without them."""
        return tuple(each.shown for each in self.not_seen if each.shown)

    @property
    def hidden_limits(self) -> tuple[NotSeen, ...]:
        return tuple(each for each in self.not_seen if each.hides_a_limit)

    def coverage(self) -> dict[str, list[dict[str, str]]]:
        """As plain data: what was looked at and what was not."""
        return {
            "seen": [each.as_dict() for each in self.seen],
            "not_seen": [each.as_place() for each in self.not_seen],
        }


def of_node(name: str, node: Observed | None, declared: bool = False, why_not: str = "") -> NodeLimits:
    """What one node's kernel and kube-proxy forget. A node that was not observed (None) hides every limit.

    ``declared``: the user told of a middlebox, and so has thought of what no node can see. ``why_not``: why the node
    was not observed.
    """
    if node is None:
        why = tell("the node was not observed: {why}", why=why_not) if why_not else "the node was not observed"
        unseen = ((IPVS_TCP, "ipvs"), (CONNTRACK, "conntrack"))
        not_seen = tuple(NotSeen(name, limit, why, place=place, do=REACH) for limit, place in unseen)
        return NodeLimits((), not_seen, (), why_not=why_not)
    limits = of_kernel(name, node)
    looked = tuple(looked_at(name, node, declared))
    return NodeLimits(
        sensible(limits),
        (*_absurd(name, limits), *(each for each in looked if isinstance(each, NotSeen))),
        tuple(_notes(node)),
        tuple(each for each in looked if isinstance(each, Seen)),
    )


def looked_at(name: str, node: Observed, declared: bool) -> Iterator[Seen | NotSeen]:
    """Each place of a node that can forget a connection, in the order of PLACES."""
    yield _ipvs(name, node)
    yield _conntrack(name, node)
    yield from _services(name, node, declared)
    yield _namespaces(name, node)
    yield from _connections(name, node)
    yield from _sandboxes(name, node)


def rights(node: Observed) -> str:
    """What to do where something could not be read and node_info does not say more."""
    return _MORE_RIGHTS if node.root else _AS_ROOT


def _absurd(name: str, limits: tuple[Limit, ...]) -> Iterator[NotSeen]:
    for limit in limits:
        if limit.absurd:
            place = "ipvs" if limit.name in OF_IPVS else "conntrack"
            yield NotSeen(name, limit.name, limit.absurd, shown=limit, place=place, do=correct(limit))


def correct(limit: Limit) -> Message:
    """What to do about a limit that makes no sense."""
    return tell("Correct {limit}.", limit=limit.whose)


def _ipvs(name: str, node: Observed) -> Seen | NotSeen:
    ipvs, why = node.ipvs, None
    if ipvs.loaded is None:
        why = "whether IPVS is loaded could not be read"
    elif not ipvs.loaded and node.mode == "ipvs":
        why = "kube-proxy is in ipvs mode, but no IPVS is visible in this network namespace"
    elif not node.ipvs_on_path and node.problem(IPVS_SERVICES):
        why = "whether IPVS has virtual services could not be read"
    if why:
        return NotSeen(name, IPVS_TCP, why, place="ipvs", do=rights(node))
    if not ipvs.loaded:
        return Seen("ipvs", "IPVS is not loaded")
    if not node.ipvs_on_path:
        return Seen("ipvs", tell("IPVS has no {service}", service=_service(node)))
    if ipvs.timeouts is None:
        return _unread(name, IPVS_TCP, IPVS_TIMEOUTS, "the timeouts could not be read", node, "ipvs")
    return Seen("ipvs", tell("{limit} {seconds} s", limit=IPVS_TCP, seconds=ipvs.timeouts["tcp"]))


def _conntrack(name: str, node: Observed) -> Seen | NotSeen:
    conntrack = node.conntrack
    if conntrack.loaded is None:
        why = "whether nf_conntrack is loaded could not be read"
        return NotSeen(name, CONNTRACK, why, place="conntrack", do=rights(node))
    if not conntrack.loaded:
        return Seen("conntrack", "nf_conntrack is not loaded")
    if conntrack.established is None:
        otherwise = "nf_conntrack_tcp_timeout_established could not be read"
        return _unread(name, CONNTRACK, observed_node.CONNTRACK, otherwise, node, "conntrack")
    return Seen("conntrack", tell("{limit} {seconds} s", limit=CONNTRACK, seconds=conntrack.established))


def _services(name: str, node: Observed, declared: bool) -> Iterator[Seen | NotSeen]:
    """Cilium and Calico's eBPF data plane forward Services by tables of their own, which nothing here reads.

    Open vSwitch in the kernel does so by the kernel's connection tracking, which is read.
    """
    own_tables = [OWN_TABLES[each] for each in node.data_planes if each in OWN_TABLES]
    by_kube_proxy = node.mode in ("ipvs", "iptables", "nftables")
    if own_tables and not declared:
        who = joined(" and ", own_tables)
        if node.mode == "none":
            why = tell("{who} forwards them by tables of its own; no kube-proxy runs", who=who)
        else:
            why = tell(
                "{who} forwards them by tables of its own; kube-proxy's {mode} mode was seen", who=who, mode=node.mode
            )
        yield NotSeen(name, SERVICES, why, place="services", do=WHO_FORWARDS)
    elif by_kube_proxy:
        yield Seen("services", tell("kube-proxy in {mode} mode", mode=node.mode))
    elif node.mode == "none" and "ovs" in node.data_planes and node.conntrack.loaded:
        yield Seen("services", "Open vSwitch with the kernel's connection tracking")
    elif node.mode == "none" and not node.ipvs_on_path and node.on_kubernetes and not declared:
        unknown = _KUBELET_ALONE if node.kubelet.running else _PODS_ALONE
        yield NotSeen(name, SERVICES, unknown, place="services", do=WHO_FORWARDS)


def _namespaces(name: str, node: Observed) -> Seen | NotSeen:
    spaces = node.namespaces
    if spaces.complete:
        number = sum(group.namespaces for group in spaces.groups)
        return Seen("namespaces", tell("keepalive of {namespaces}", namespaces=count(number, "network namespace")))
    # What node_info says of it begins with how many there are, as ``hidden`` does.
    why = bare(spaces.error or "no reason was given")
    what = tell("the keepalive of {namespaces}", namespaces=spaces.hidden)
    return replace(_unread(name, what, NAMESPACES, why, node, "namespaces"), why=why)


def _connections(name: str, node: Observed) -> Iterator[Seen | NotSeen]:
    if node.pods is None:
        return
    if node.pods.error is not None:
        yield _unread(name, "connections to services", CONNECTIONS, node.pods.error, node, "connections")
    else:
        yield Seen("connections", count(node.pods.totals.connections, "open connection"))


def _sandboxes(name: str, node: Observed) -> Iterator[NotSeen]:
    labels = dict.fromkeys(space.label for space in (node.pods.spaces if node.pods else ()) if space.sandbox)
    if labels:
        what = tell("TCP keepalive of {names}", names=some(list(labels)))
        why = "a sandbox has TCP of its own, which the node does not show"
        yield NotSeen(name, what, why, place="sandboxes", do=_IN_THE_SANDBOX)


def _unread(name: str, what: str, problem_id: str, otherwise: str, node: Observed, place: str) -> NotSeen:
    """With what node_info said about the failed reading, without its full stop."""
    problem = node.problem(problem_id)
    if problem is None or not problem.why:
        return NotSeen(name, what, bare(otherwise), place=place, do=rights(node))
    return NotSeen(name, what, bare(problem.why), problem.id, place=place, do=problem.do or rights(node))


def _notes(node: Observed) -> Iterator[str]:
    if node.ipvs.loaded and not node.ipvs_on_path and node.ipvs_elsewhere is False:
        mode = {"none": "no kube-proxy runs", "unknown": "kube-proxy did not say its mode"}
        yield tell(
            "ip_vs is loaded, but {reason} and there is no {service}: IPVS is not on the path.",
            reason=mode.get(node.mode, tell("kube-proxy is in {mode} mode", mode=node.mode)),
            service=_service(node),
        )


def _service(node: Observed) -> str:
    return "virtual service for TCP" if node.ipvs.services else "virtual service"
