# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which limits hold for what of a node: for its namespaces, and for their connections. Private to this collection.

A connection to a service crosses IPVS and the connection tracking of any node, one to another address only that of its
own node, and its IPVS where that balances by firewall mark. A middlebox holds for both, or for what it is bound to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import (
    CONTAINER,
    POD,
    Peer,
    Pods,
    Space,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.binding import KEYS, Binding, parse_binding
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middlebox_table import (
    ALIBABA_TRACKING,
    KNOWN,
    NITRO_V6,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import Middlebox

from .limits import CONNTRACK, CONNTRACK_POLICY, CONNTRACK_RESTART, OF_IPVS, Limit, ascending, of_middlebox

_ON_EVERY_PATH = (
    CONNTRACK,
    CONNTRACK_POLICY,
    CONNTRACK_RESTART,
    KNOWN[NITRO_V6].label,
    KNOWN[ALIBABA_TRACKING].label,
)
"""Limits of a node that its connections to other addresses than services cross, too."""


@dataclass(frozen=True)
class Holding:
    """The lowest limits of one node that hold for all of its connections to services and to other addresses.

    ``bound``: the middleboxes that hold for a part of them. ``proxies``: those that end TCP, by their destinations.
    """

    services: Limit | None = None
    outside: Limit | None = None
    bound: tuple[Middlebox, ...] = ()
    proxies: tuple[Middlebox, ...] = ()

    def of(self, space: Space) -> Limit | None:
        """What the keepalive of a namespace has to stay below."""
        if not self.bound:
            return self.services
        boxes = [of_middlebox(box) for box in self.bound if box.binding and _holds_for(box.binding, space)]
        return _lowest(self.services, boxes)

    def to_service(self, space: Space, service: Peer) -> Limit | None:
        return _lowest(self.services, self._before(space, service)) if self.bound else self.services

    def to_outside(self, space: Space, destination: Peer) -> Limit | None:
        return _lowest(self.outside, self._before(space, destination)) if self.bound else self.outside

    def has_proxy(self, space: Space, peer: Peer) -> bool:
        """Whether connections there go through a proxy, whose idle timer counts payload alone."""
        return any(_stands_before(box, space, peer) for box in self.proxies)

    def of_pods(self, pods: Pods | None) -> Limit | None:
        """The lowest that holds for any pod or container."""
        if not self.bound:
            return self.services
        found = [self.of(space) for space in pods.spaces if space.kind in (POD, CONTAINER)] if pods else []
        return _lowest(self.services, [each for each in found if each])

    def of_node(self, pods: Pods | None) -> Limit | None:
        """What holds for the node's own namespace."""
        own = pods.own if pods else None
        return self.of(own) if own else self.services

    def as_dict(self) -> dict[str, Any]:
        """As plain data, which parse_holding reads again."""
        return {
            "services": self.services.as_dict() if self.services else None,
            "outside": self.outside.as_dict() if self.outside else None,
            "bound": [box.as_dict() for box in self.bound],
            "proxies": [box.as_dict() for box in self.proxies],
        }

    def _before(self, space: Space, peer: Peer) -> Iterator[Limit]:
        return (of_middlebox(box) for box in self.bound if _stands_before(box, space, peer))


def _stands_before(box: Middlebox, space: Space, peer: Peer) -> bool:
    binding = box.binding
    return binding is not None and _has_pod(binding, space, [peer]) and binding.has_destination(peer.name)


NOTHING_HOLDS = Holding()


def holding_of(
    name: str, node: Observed | None, own: Iterable[Limit], services: Limit | None, boxes: Iterable[Middlebox]
) -> Holding:
    """What holds for a node: ``own`` are its limits, ``services`` the lowest of all that are bound to nothing."""
    on_host = [box for box in boxes if box.binding is None or box.binding.has_host(name)]
    proxies = tuple(box for box in on_host if box.proxy and box.binding and box.binding.destinations)
    here = [_known(box, node) for box in on_host if not box.proxy]
    parts = tuple(box for box in here if box.binding and (box.binding.pods or box.binding.destinations))
    whole = [of_middlebox(box) for box in here if box not in parts]
    every = (*_ON_EVERY_PATH, *(OF_IPVS if node and node.ipvs.services_by_mark else ()))
    crossed = [limit for limit in own if limit.name in every or _is_tracking_there(limit)]
    return Holding(_lowest(services, whole), _lowest(None, [*whole, *crossed]), parts, proxies)


def _is_tracking_there(limit: Limit) -> bool:
    """Who is in that namespace, as a pod within a node of kind, goes out through it."""
    return limit.in_namespace and limit.name.startswith(CONNTRACK)


def parse_holding(plain: Mapping[str, Any]) -> Holding:
    """From what as_dict gave."""
    services, outside = (Limit(**plain[name]) if plain[name] else None for name in ("services", "outside"))
    bound, proxies = (tuple(map(_bound, plain[name])) for name in ("bound", "proxies"))
    return Holding(services, outside, bound, proxies)


def _bound(plain: Mapping[str, Any]) -> Middlebox:
    parts = {key: plain[key] for key in KEYS if key in plain}
    proxy = plain.get("proxy", False)
    return Middlebox(plain["name"], plain["seconds"], proxy, binding=parse_binding(plain["name"], parts))


def in_force(box: Middlebox, nodes: Mapping[str, Observed | None]) -> bool:
    """Whether a middlebox holds for anything on these nodes, as far as they show."""
    return any(_holds_on(box, name, node) for name, node in nodes.items())


def _holds_on(box: Middlebox, name: str, node: Observed | None) -> bool:
    if box.binding is None or not box.binding.has_host(name):
        return box.binding is None
    holding = holding_of(name, node, (), None, [box])
    spaces = node.pods.spaces if node and node.pods else ()
    return holding.services is not None or any(holding.of(space) for space in spaces)


def _known(box: Middlebox, node: Observed | None) -> Middlebox:
    """Bound to no more than the node shows: where connections or pods were not seen, it holds for all of them."""
    pods = node.pods if node else None
    if box.binding is None or pods is None or pods.omitted:
        return replace(box, binding=None)
    return box if pods.sockets_from else replace(box, binding=replace(box.binding, destinations=()))


def _lowest(limit: Limit | None, others: Iterable[Limit]) -> Limit | None:
    found = ascending([*others, *([limit] if limit else [])])
    return found[0] if found else None


def _holds_for(binding: Binding, space: Space) -> bool:
    peers = (*space.services, *space.outside)
    if not _has_pod(binding, space, peers):
        return False
    if not binding.destinations or space.error or not space.all_listed:
        return True
    return any(binding.has_destination(peer.name) for peer in peers)


def _has_pod(binding: Binding, space: Space, peers: Iterable[Peer]) -> bool:
    """Pods in the node's own namespace are known by their processes. One whose name is not known may be any."""
    if space.name is not None:
        return binding.has_pod(f"{space.namespace}/{space.name}")
    if space.kind == POD:
        return True
    if not binding.pods:
        return True
    named = {process.pod for peer in peers for process in peer.processes if process.pod}
    return any(binding.has_pod(pod) for pod in named)
