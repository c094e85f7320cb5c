# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which pods and which of their connections are at risk under a limit. Private to this collection.

Two questions that have different cures. What keepalive a pod has decides over every connection that it opens from now
on: node_settings can change it, or have it enforced. What timers its open connections were armed with, and whether they
have SO_KEEPALIVE at all, the program can change, or node_settings by re-arming them in place.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

from ansible_collections.kubenode.connections.plugins.module_utils._common import connection_counts
from ansible_collections.kubenode.connections.plugins.module_utils._common import keepalive as common_keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.connection_counts import (
    Counts,
    Tallied,
    Under,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import Holding
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import Enforced
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import (
    CONTAINER,
    POD,
    Peer,
    Pods,
    Process,
    Space,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

from .enforced import new_connections
from .judged_pods import SANDBOXES, Judged, JudgedPods, Outside, is_long
from .servers import Server, Servers


@dataclass(frozen=True)
class View:
    """What is known: the limit, whether every limit was seen, and what the user wants.

    ``holding`` says which limit holds for which namespace and connection; None: ``limit`` for all to services.
    ``servers``: what is known of those that connections go to. ``enforced``: what new connections of the node get.
    """

    limit: Limit | None
    all_limits: bool
    policy: Policy
    holding: Holding | None = None
    servers: Servers = field(default_factory=dict)
    enforced: Enforced | None = None
    _at: dict[Limit | None, View] = field(default_factory=dict, compare=False, repr=False)

    def at(self, limit: Limit | None) -> View:
        """With that limit for everything; made once for each, for there are few limits and many connections."""
        if limit not in self._at:
            self._at[limit] = View(limit, self.all_limits, self.policy)
        return self._at[limit]

    def of(self, space: Space) -> View:
        """For the keepalive of a namespace."""
        return self.at(self.holding.of(space)) if self.holding else self

    def to_service(self, space: Space, service: Peer) -> View:
        return self.at(self.holding.to_service(space, service)) if self.holding else self

    def to_outside(self, space: Space, destination: Peer) -> View:
        return self.at(self.holding.to_outside(space, destination) if self.holding else None)

    def has_proxy(self, space: Space, peer: Peer) -> bool:
        return self.holding is not None and self.holding.has_proxy(space, peer)

    @property
    def under(self) -> Under:
        return Under(self.limit.seconds if self.limit else None, self.all_limits)

    def is_safe(self, keepalive: Keepalive) -> bool:
        """Whether it keeps a connection of which no probe is lost."""
        return keepalive.usable if self.limit is None else self.limit.keeps(keepalive)

    def is_as_wanted(self, keepalive: Keepalive) -> bool:
        """Whether it does so with as many lost probes, and as much margin, as the policy wants."""
        return keepalive.usable if self.limit is None else self.limit.is_kept_by(keepalive, self.policy)

    def is_late(self, gap: int, keepalive: Keepalive) -> bool:
        """Whether a timer with that gap, in a namespace with that keepalive, ends after the limit."""
        return self.limit is not None and is_late(gap, keepalive, self.limit.seconds)

    def new_connections(self, space: Space) -> Keepalive | None:
        """The keepalive of what a namespace opens from now on."""
        return new_connections(self.enforced, space) or space.keepalive

    def is_kept_by_server(self, space: Space, peer: Peer, here: View) -> bool:
        """Whether what the connections to a peer end at probes them in time; ``here`` is the view of them."""
        servers = self.servers.get(peer.name, ())
        return bool(servers) and here.is_kept_by(servers) and not self.has_proxy(space, peer)

    def is_kept_by(self, servers: Sequence[Server]) -> bool:
        """Whether the timers of all these servers end in time, and the ones that they are armed with next."""
        return all(
            self.is_safe(each.keepalive) and not self.is_late(each.longest_gap, each.keepalive) for each in servers
        )


def judge(pods: Pods, view: View, all_namespaces: bool, unlisted_unsafe: int = 0) -> JudgedPods:
    """Every namespace against the limit.

    ``all_namespaces``: none is hidden from us. ``unlisted_unsafe`` of those that are not listed are too late.
    """
    of_values = functools.cache(lambda own, to_come, error, at: _values_verdict(own, to_come, error, view.at(at)))
    each = []
    for space in pods.spaces:
        verdict = of_values(space.keepalive, view.new_connections(space), space.error, view.of(space).limit)
        each.append(_judge(space, view, verdict, pods.idle_unseen))
    values = {judged.verdict for judged in each if judged.space.kind == POD or judged.in_sandbox}
    values |= ({UNSAFE} if unlisted_unsafe else set()) | (set() if all_namespaces else {UNKNOWN})
    boxes = {judged.verdict for judged in each if judged.space.kind == CONTAINER}
    to_change = (values if view.policy.pods else set()) | (boxes if view.policy.containers else set())
    unknown = pods.error is not None or not view.all_limits
    at_risk = any(judged.at_risk for judged in each)
    all_verdicts = values | boxes | ({UNKNOWN} if unknown else set()) | ({UNSAFE} if at_risk else set())
    return JudgedPods(pods.count, tuple(each), _worst(all_verdicts), _worst(to_change), unlisted_unsafe)


def _worst(verdicts: set[str]) -> str:
    return next((verdict for verdict in (UNSAFE, UNKNOWN) if verdict in verdicts), SAFE)


def _judge(space: Space, view: View, values_verdict: tuple[str, str], idle_unseen: bool) -> Judged:
    counts = _unlisted(space, view)
    unseen, kept = 0, set()
    for service in space.services:
        here = view.to_service(space, service)
        of_service, unseen_of_service = _count(service, space.keepalive, here, idle_unseen)
        if of_service.at_risk and view.is_kept_by_server(space, service, here):
            of_service = of_service.by_server()
            kept.add(service.name)
        counts = counts.plus(_but_for_proxies(of_service, service, space, view))
        unseen += unseen_of_service
    outside = tuple([_outside(each, space, view, idle_unseen) for each in space.outside])
    verdict, why = _in_sandbox(space, values_verdict)
    at = view.of(space)
    to_come = view.new_connections(space)
    wanted = to_come is not None and at.is_as_wanted(to_come)
    armed_late = tuple(_armed_late(space, view, kept))
    unlisted = _unlisted_outside(space, view)
    proxied = _through_proxies(space, view)
    by_server = frozenset(kept)
    return Judged(space, verdict, counts, why, armed_late, unseen, wanted, outside, unlisted, proxied, by_server)


def _through_proxies(space: Space, view: View) -> int:
    if view.holding is None or not view.holding.proxies:
        return 0
    return sum(peer.connections for peer in (*space.services, *space.outside) if view.has_proxy(space, peer))


def _but_for_proxies(counts: Counts, peer: Peer, space: Space, view: View) -> Counts:
    """What keepalive keeps is not kept where a proxy counts payload alone: nobody sees when some was sent."""
    if not counts.safe or not view.has_proxy(space, peer):
        return counts
    return counts._replace(safe=0, undecided=counts.undecided + counts.safe)


def _outside(destination: Peer, space: Space, view: View, idle_unseen: bool) -> Outside:
    """The connections to another address. Under a long limit nobody can tell of those without SO_KEEPALIVE."""
    here = view.to_outside(space, destination)
    counts, _unseen = _count(destination, space.keepalive, here, idle_unseen)
    if counts.at_risk and view.is_kept_by_server(space, destination, here):
        counts = counts.by_server()
    if here.limit and is_long(here.limit):
        counts = counts.but_without()
    return Outside(destination, here.limit, _but_for_proxies(counts, destination, space, view))


def _unlisted_outside(space: Space, view: View) -> Counts:
    """Connections to addresses beyond those that a node lists."""
    limit, bound = (view.holding.outside, view.holding.bound) if view.holding else (None, ())
    listed = map(_tallied, space.outside)
    return connection_counts.unlisted_outside(
        space.to_outside, space.outside_without_keepalive, listed, is_long(limit), bool(bound)
    )


def _in_sandbox(space: Space, values_verdict: tuple[str, str]) -> tuple[str, str]:
    """Of a sandbox nobody can say anything; where the kernel has connections there all the same, too late stays so."""
    if space.sandbox is None or (values_verdict[0] == UNSAFE and space.connections):
        return values_verdict
    return UNKNOWN, tell("it runs in {sandbox}, whose TCP this kernel does not show", sandbox=SANDBOXES[space.sandbox])


def _armed_late(space: Space, view: View, kept: Set[str]) -> Iterator[Process]:
    if space.keepalive is None:
        return
    for service in (each for each in space.services if each.name not in kept):
        here = view.to_service(space, service)
        for process in service.processes:
            if process.gap is not None and here.is_late(process.gap, space.keepalive):
                yield process


def _values_verdict(
    own: Keepalive | None, keepalive: Keepalive | None, error: str | None, view: View
) -> tuple[str, str]:
    """``own`` is what the namespace has, ``keepalive`` what its new connections get."""
    limit = view.limit
    if keepalive is None:
        return UNKNOWN, tell("its keepalive could not be read ({why})", why=error or "no reason was given")
    if not keepalive.usable:
        return UNSAFE, tell("keepalive {keepalive} has a value below 1", keepalive=keepalive)
    text = "nothing was seen that forgets idle connections"
    if limit is not None:
        text = limit.verdict_text(keepalive, view.policy)
    if own == keepalive:
        text = tell("keepalive {keepalive}: {sum}", keepalive=own, sum=text)
    else:
        text = tell("keepalive {keepalive}, {enforced} enforced: {sum}", keepalive=own, enforced=keepalive, sum=text)
    if not view.is_safe(keepalive):
        return UNSAFE, text
    return (SAFE if view.all_limits else UNKNOWN), text


def _unlisted(space: Space, view: View) -> Counts:
    """Connections to services beyond those that a node lists: of their timers nothing is known."""
    listed = map(_tallied, space.services)
    return connection_counts.unlisted(space.to_services, space.without_keepalive, listed, view.under)


def _count(peer: Peer, keepalive: Keepalive | None, view: View, idle_unseen: bool) -> tuple[Counts, int]:
    return connection_counts.count(_tallied(peer), keepalive, view.under, idle_unseen)


def _tallied(peer: Peer) -> Tallied:
    return Tallied(peer.connections, peer.without_keepalive, peer.in_flight, peer.gaps)


is_late = functools.lru_cache(maxsize=4096)(common_keepalive.is_late)
