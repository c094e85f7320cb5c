# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many connections go where, and how long their timers are. Pure. Private to this collection."""

from typing import AbstractSet, Any, Dict, Iterable, List, NamedTuple, Optional, Set, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import Address, keep_largest
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket

from .forgotten import MAX_IDLE, flow_of, is_silent
from .round_trips import RoundTrips

Names = Dict[Address, str]
"""Virtual services: the packed address (4 or 16 bytes) and the port, 0 for every port, to a name like 10.96.0.10:80."""

MAX_NAMED = 1024
"""So many sockets of each kind, without keepalive and with, get the name of their process in one namespace."""

MAX_OUTSIDE = 4096
"""So many destinations that are no service are counted each by itself, the others together.

A namespace may have any number of them, and whoever makes them must not fill our memory. The kernel lists sockets in
the order of a secret hash, so that what has many connections is among the first.
"""

MAX_ACCEPTING = 1024
"""So many addresses of its own at which it accepts are counted each by itself, the others as one number."""

MAX_LISTENING = 65536
"""So many listening sockets are remembered of one namespace. A pod may have any number of them."""

NO_KEEPALIVE = -1

Named = Tuple[int, int, Any]
"""A socket whose process is to be named: its gap in seconds (NO_KEEPALIVE without), its inode, where it goes."""

_EXACT_GAP_BITS = 7
_TICKS_MS = 20
"""The kernel looks at its clock for each of both times: so much more than a whole second is its tick, no second."""

_ANY_4, _ANY_6 = bytes(4), bytes(16)
_LOOPBACK_6 = b"\0" * 15 + b"\x01"


class Tally:
    """What has been counted of one peer so far."""

    __slots__ = ("_buckets", "in_flight", "without_keepalive")

    def __init__(self) -> None:
        self.without_keepalive = 0
        self.in_flight = 0
        self._buckets: Dict[int, Tuple[int, int]] = {}

    def add_gap(self, seconds: int) -> None:
        """Count a connection with that gap, together with the others that are nearly as long."""
        width = 1 << max(seconds.bit_length() - _EXACT_GAP_BITS, 0)
        longest, count = self._buckets.get(seconds // width * width, (0, 0))
        self._buckets[seconds // width * width] = max(longest, seconds), count + 1

    @property
    def gaps(self) -> List[Tuple[int, int]]:
        """(Seconds, connections), ascending: up to 127 s exact, above under the longest in each 1/64 of an octave."""
        return sorted(self._buckets.values())

    @property
    def connections(self) -> int:
        return self.without_keepalive + self.in_flight + sum(count for _seconds, count in self._buckets.values())


class Peers:
    """The tally of each peer, and the sockets to be named. Peers beyond ``most`` have one tally together: ``rest``."""

    __slots__ = ("_armed", "_most", "_without", "rest", "tallies")

    def __init__(self, most: int) -> None:
        self.tallies: Dict[Any, Tally] = {}
        self.rest = Tally()
        self._most = most
        self._without: List[Named] = []
        self._armed: List[Named] = []

    def add(self, found: Socket, peer: Any) -> None:
        """Count a socket."""
        of_peer = self.tallies.get(peer)
        if of_peer is None:
            of_peer = self.rest
            if len(self.tallies) < self._most:
                of_peer = self.tallies[peer] = Tally()
        if found.timer == inet_diag.TIMER_KEEPALIVE:
            seconds = gap(found)
            of_peer.add_gap(seconds)
            keep_largest(self._armed, (seconds, found.inode, peer), MAX_NAMED)
        elif found.timer == inet_diag.TIMER_NONE:
            of_peer.without_keepalive += 1
            if len(self._without) < MAX_NAMED:
                self._without.append((NO_KEEPALIVE, found.inode, peer))
        else:
            of_peer.in_flight += 1

    @property
    def named(self) -> List[Named]:
        return self._without + self._armed

    @property
    def all(self) -> List[Tally]:
        return [*self.tallies.values(), self.rest]


class Accepted:
    """The sockets that were accepted at one address and port.

    ``direct`` of them came from another address, to one that is no service's: only they tell of clients elsewhere.
    The others may be those of a proxy in the pod, behind which clients are not seen.
    """

    __slots__ = ("connections", "direct", "in_flight", "longest_gap", "without_keepalive")

    def __init__(self) -> None:
        self.connections = self.direct = self.without_keepalive = self.in_flight = self.longest_gap = 0

    def add(self, found: Socket, is_direct: bool) -> None:
        """Count a socket."""
        self.connections += 1
        self.direct += is_direct
        if found.timer == inet_diag.TIMER_KEEPALIVE:
            self.longest_gap = max(self.longest_gap, gap(found))
        elif found.timer == inet_diag.TIMER_NONE:
            self.without_keepalive += 1
        else:
            self.in_flight += 1


class Accepting:
    """What was accepted, by address and port; ``rest`` counts the sockets at others than the first MAX_ACCEPTING."""

    __slots__ = ("_names", "at", "rest")

    def __init__(self, names: Names) -> None:
        self.at: Dict[Address, Accepted] = {}
        self.rest = 0
        self._names = names

    def add(self, found: Socket) -> None:
        """Count an accepted socket, where somebody elsewhere may know the address."""
        if not _is_routed(found.local):
            return
        place = (found.local, found.local_port)
        if place not in self.at and len(self.at) == MAX_ACCEPTING:
            self.rest += 1
            return
        is_direct = found.remote != found.local and not is_loopback(found.remote) and place not in self._names
        self.at.setdefault(place, Accepted()).add(found, is_direct)


class Listening:
    """Where sockets listen, by which is told what came in.

    The port alone does not tell it: any user may listen at the port that another's connection has, at another address
    or for IPv6 only, and would hide it. Beyond MAX_LISTENING sockets nothing is remembered: what comes in there counts
    as going out, rather than hide what does.
    """

    __slots__ = ("_at", "_number")

    def __init__(self) -> None:
        self._at: Dict[int, Set[Tuple[int, bytes]]] = {}
        self._number = 0

    def add(self, found: Socket) -> None:
        self._number += 1
        if self._number > MAX_LISTENING:
            return
        places = self._at.setdefault(found.local_port, set())
        local = found.local[12:] if found.local.startswith(inet_diag.V4_MAPPED) else found.local
        places.add((found.family, local))
        if local == _ANY_6 and not found.ipv6_only:
            places.add((found.family, _ANY_4))

    def has(self, found: Socket) -> bool:
        """Whether one listens to which the kernel may have given that connection; both are of one family then."""
        places = self._at.get(found.local_port)
        if places is None:
            return False
        any_address = _ANY_4 if len(found.local) == len(_ANY_4) else _ANY_6
        return (found.family, found.local) in places or (found.family, any_address) in places


class Count(NamedTuple):
    """All connections; those to services by the service's name, those to other addresses by address and port.

    ``accepted`` came in at a port that listens, and go to no service; ``accepting`` has all that came in there.
    ``rto``: RoundTrips.summary(). ``lost`` are neither at a service nor elsewhere. ``silent``: the flows of those to
    services that may be lost, the first MAX_IDLE (see forgotten).
    """

    connections: int
    services: Peers
    outside: Peers
    accepted: int
    accepting: Accepting
    rto: Optional[Dict[str, int]]
    lost: int
    silent: List[str]


def tally(sockets: Iterable[Socket], names: Names, forgotten: AbstractSet[str] = frozenset()) -> Count:
    """Count the established sockets, streamed; the listening ones, which have no remote port, stand before them.

    ``forgotten`` are the flows that IPVS does not know any more.
    """
    any_port = {address: name for (address, port), name in names.items() if port == 0}
    services, outside = Peers(len(names)), Peers(MAX_OUTSIDE)
    round_trips, listening, accepting = RoundTrips(), Listening(), Accepting(names)
    connections = accepted = lost = 0
    silent: List[str] = []
    for found in sockets:
        if not found.remote_port:
            listening.add(found)
            continue
        connections += 1
        round_trips.add(found)
        name = names.get((found.remote, found.remote_port)) or any_port.get(found.remote)
        came_in = listening.has(found)
        if came_in:
            accepting.add(found)
        if name is not None and not came_in and is_silent(found):
            if forgotten and flow_of(found) in forgotten:
                lost += 1
                continue
            if len(silent) < MAX_IDLE:
                silent.append(flow_of(found))
        if name is not None:
            services.add(found, name)
        elif came_in:
            accepted += 1
        elif leaves(found):
            outside.add(found, (found.remote, found.remote_port))
    return Count(connections, services, outside, accepted, accepting, round_trips.summary(), lost, silent)


def leaves(found: Socket) -> bool:
    """Whether a connection leaves its network namespace for an address that is routed.

    The kernel gives a connection to an address of its own that same address as its source.
    """
    return found.remote != found.local and _is_routed(found.remote)


def _is_routed(address: bytes) -> bool:
    """Whether it is neither loopback nor link-local."""
    if len(address) == 4:
        return address[0] != 127 and address[:2] != b"\xa9\xfe"
    return address != _LOOPBACK_6 and not (address[0] == 0xFE and address[1] & 0xC0 == 0x80)


def is_loopback(address: bytes) -> bool:
    """Whether a packed address of 4 or 16 bytes is 127.0.0.0/8 or ::1."""
    return address[0] == 127 if len(address) == 4 else address == _LOOPBACK_6


def gap(found: Socket) -> int:
    """Whole seconds, rounded up, from the last packet to the end of the armed keepalive timer.

    From /proc/net/tcp, which does not tell how long the socket is idle, it is only what is left of the timer.
    """
    return max(-(-(found.expires_ms + (found.idle_ms or 0) - _TICKS_MS) // 1000), 0)
