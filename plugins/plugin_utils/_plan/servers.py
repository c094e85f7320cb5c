# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the servers do that connections go to: probes of either end keep a connection. Private to this collection.

A server counts only where every socket that it accepted at its address was read and has SO_KEEPALIVE, for nobody knows
which of them is a client's: NAT hides that. And only where the whole run was read: else somebody else may have its
address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import OWN_TABLES
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import OTHER, Accepted, Peer, Space


class Server(NamedTuple):
    """A server whose accepted sockets all have SO_KEEPALIVE: the longest gap of their timers in seconds, and the
    keepalive of its namespace, with which they may be armed next."""

    keepalive: Keepalive
    longest_gap: int


Servers = Mapping[str, Sequence[Server]]
"""All that the connections of a node to a peer end at, by the peer's name. A peer of which not all is known is not
there."""

_Accepting = Mapping[str, tuple[Space, Accepted] | None]
"""Who accepts at an address and port; None where two namespaces do, or one that anybody may have made."""


def servers_of(observed: Mapping[str, Observed | None]) -> dict[str, Servers]:
    """The servers of each node's connections; nothing where a part of the run was not read."""
    nodes = {name: node for name, node in observed.items() if node is not None and _is_whole(node)}
    if len(nodes) < len(observed):
        return {}
    accepting = _accepting(nodes.values())
    if not accepting:
        return {}
    clients = _clients(nodes.values())
    return {name: _of(node, accepting, clients) for name, node in nodes.items()}


def servers_as_dict(servers: Servers) -> dict[str, list[dict[str, Any]]]:
    """As plain data."""
    return {
        peer: [{"keepalive": each.keepalive.as_dict(), "longest_gap": each.longest_gap} for each in behind]
        for peer, behind in servers.items()
    }


def parse_servers(plain: Mapping[str, Any]) -> Servers:
    """From what servers_as_dict gave."""
    return {
        peer: [Server(Keepalive(**each["keepalive"]), each["longest_gap"]) for each in behind]
        for peer, behind in plain.items()
    }


def _is_whole(node: Observed) -> bool:
    """Whether all sockets of all namespaces were read, and no other tables than those that were read forward them."""
    pods = node.pods
    if pods is None or pods.error is not None or pods.idle_unseen or pods.omitted or not node.namespaces.complete:
        return False
    hidden = any(space.error or space.sandbox or space.accepted_omitted for space in pods.spaces)
    if node.ipvs.services_by_mark:
        return False
    return not hidden and not any(plane in OWN_TABLES for plane in node.data_planes)


def _accepting(nodes: Iterable[Observed]) -> _Accepting:
    found: dict[str, tuple[Space, Accepted] | None] = {}
    for space in _spaces(nodes):
        for each in space.accepted:
            believed = each.name not in found and space.kind != OTHER
            found[each.name] = (space, each) if believed else None
    return found


def _clients(nodes: Iterable[Observed]) -> Counter[str]:
    """How many connections were seen to go to each peer."""
    clients: Counter[str] = Counter()
    for space in _spaces(nodes):
        for peer in (*space.services, *space.outside):
            clients[peer.name] += peer.connections
    return clients


def _spaces(nodes: Iterable[Observed]) -> Iterable[Space]:
    return (space for node in nodes if node.pods for space in node.pods.spaces)


def _of(node: Observed, accepting: _Accepting, clients: Mapping[str, int]) -> Servers:
    behind = _real_servers(node)
    found: dict[str, Sequence[Server]] = {}
    for space in _spaces([node]):
        for peers, is_service in ((space.services, True), (space.outside, False)):
            for peer in filter(_may_be_at_risk, peers):
                if peer.name not in found:
                    ends = behind.get(peer.name, ()) if is_service else (peer.name,)
                    found[peer.name] = _servers(ends, accepting, clients[peer.name])
    return {name: servers for name, servers in found.items() if servers}


def _real_servers(node: Observed) -> Mapping[str, Sequence[str]]:
    """Where another namespace has IPVS, too, nobody knows which of both forwards a connection."""
    tables = node.namespaces.tables
    if tables is None or tables.omitted or tables.unread or any(row.services or row.error for row in tables.rows):
        return {}
    return node.ipvs.real_servers


def _may_be_at_risk(peer: Peer) -> bool:
    return bool(peer.without_keepalive or peer.gaps)


def _servers(ends: Sequence[str], accepting: _Accepting, clients: int) -> tuple[Server, ...]:
    """What accepts at all these addresses; nothing where one is not known, or has not as many connections as clients.

    Those that are missing there ended at the server, or somebody between has ended them: nobody probes them.
    """
    found = [each for each in map(accepting.get, ends) if each is not None]
    if len(found) < len(ends) or sum(accepted.direct for _space, accepted in found) < clients:
        return ()
    armed = [
        Server(space.keepalive, accepted.longest_gap)
        for space, accepted in found
        if space.keepalive is not None and not accepted.without_keepalive and not accepted.in_flight
    ]
    return tuple(dict.fromkeys(armed)) if len(armed) == len(ends) else ()
