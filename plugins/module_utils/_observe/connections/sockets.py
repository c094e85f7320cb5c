# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TCP sockets of a network namespace, by where they go: to a virtual service, or out of it to another address.

Reading only. Private to this collection.
"""

import socket
from typing import AbstractSet, Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import endpoint
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.netlink import (
    InterruptedDumpError,
    NetlinkError,
)

from . import tallies
from .tallies import NO_KEEPALIVE, Count, Named, Names, Peers, Tally


class Process(NamedTuple):
    """A process with connections to a peer: how many have no SO_KEEPALIVE, and the longest gap in seconds."""

    name: str
    pid: int
    without_keepalive: int
    gap: Optional[int]


class ToPeer(NamedTuple):
    """The connections to one virtual service or other address; gaps are (seconds, connections), ascending.

    connections = without_keepalive + in_flight + those of gaps. in_flight: data is under way, whose timer hides the
    keepalive timer, so that nobody can tell now.
    """

    peer: str
    connections: int
    without_keepalive: int
    in_flight: int
    gaps: List[Tuple[int, int]]
    processes: List[Process]


class AcceptedAt(NamedTuple):
    """The accepted sockets of one address and port of this namespace.

    Of all of them how many have no SO_KEEPALIVE or data under way, and the longest gap in seconds. ``direct``: see
    tallies.Accepted.
    """

    endpoint: str
    connections: int
    direct: int
    without_keepalive: int
    in_flight: int
    longest_gap: int


class Sockets(NamedTuple):
    """The established TCP sockets of a network namespace; services and other addresses are the worst first.

    ``accepted`` came in at a port that listens. ``accepted_at`` has their addresses and ports, the worst first, and
    ``accepted_omitted`` is the number of accepted sockets at others.
    """

    connections: int
    to_services: int
    without_keepalive: int
    in_flight: int
    services: List[ToPeer]
    services_omitted: int
    to_outside: int
    outside_without_keepalive: int
    outside_in_flight: int
    outside: List[ToPeer]
    accepted: int
    accepted_at: List[AcceptedAt]
    accepted_omitted: int
    sockets_from: Optional[str]
    sockets_error: Optional[str]
    rto: Optional[Dict[str, int]] = None
    """RoundTrips.summary()."""
    lost: int = 0
    """So many to services have been forgotten by IPVS already; they are in ``connections`` alone."""
    silent: Sequence[str] = ()
    """The flows of those to services that may be (see forgotten)."""
    unnamed: int = 0
    """So many of those listed are of no process that was found."""
    files_denied: bool = False
    """There are processes whose files may not be seen."""


class _Programs(NamedTuple):
    """The processes that have sockets open, by where these go; how many sockets are of nobody that was found."""

    by_peer: Dict[Any, List[Process]]
    unnamed: int = 0
    denied: bool = False


SOCK_DIAG = "sock_diag"
"""What sockets_from is where netlink was asked. It alone tells how long a connection is idle."""

MAX_PEERS = 20
"""Services, and as many other addresses."""
MAX_ACCEPTED_AT = 50
MAX_PROCESSES = 5
"""Of each of them."""

_ATTEMPTS = 3


def read(names: Names, ask_netlink: bool, pids: Sequence[int], forgotten: AbstractSet[str] = frozenset()) -> Sockets:
    """The sockets of this network namespace; pids are its processes. What cannot be read is said in sockets_error.

    ask_netlink is what inet_diag.loads_nothing() says. ``forgotten``: flows that IPVS does not know any more.
    """
    count, source, why = None, SOCK_DIAG, None
    if ask_netlink:
        count = _ask_netlink(names, forgotten)
    if count is None:
        source = "/proc/net/tcp"
        try:
            count = _read_file(names)
        except OSError as error:
            why = f"{error.filename or source}: {error.strerror or error}"
    if count is None:
        return _conclude(tallies.tally([], {}), None, [])._replace(sockets_error=why)
    return _conclude(count, source, pids)


def as_plain(sockets: Sockets) -> Dict[str, Any]:
    """As plain data for JSON, with lists for gaps."""
    return dict(
        sockets._asdict(),
        services=[_plain(each, "service") for each in sockets.services],
        outside=[_plain(each, "destination") for each in sockets.outside],
        accepted_at=[dict(each._asdict()) for each in sockets.accepted_at],
    )


def _plain(each: ToPeer, noun: str) -> Dict[str, Any]:
    plain = dict(
        each._asdict(),
        gaps=[list(gap) for gap in each.gaps],
        processes=[dict(process._asdict()) for process in each.processes],
    )
    plain[noun] = plain.pop("peer")
    return plain


def _ask_netlink(names: Names, forgotten: AbstractSet[str]) -> Optional[Count]:
    """The count through netlink; None where the kernel refuses or the table never holds still."""
    for _attempt in range(_ATTEMPTS):
        try:
            return tallies.tally(inet_diag.read(listening=True), names, forgotten)
        except InterruptedDumpError:
            continue
        except (NetlinkError, OSError):
            return None
    return None


def _read_file(names: Names) -> Count:
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import proc_tcp  # netlink tells more

    return tallies.tally(proc_tcp.read(proc_tcp.OPEN), names)


def _conclude(count: Count, source: Optional[str], pids: Sequence[int]) -> Sockets:
    services, outside = _worst(count.services), _worst(count.outside)
    of_services = [each for each in count.services.named if each[2] in services]
    of_outside = [each for each in count.outside.named if each[2] in outside]
    programs = _programs(of_services + of_outside, pids)
    all_outside = count.outside.all
    accepted_at = _accepted_at(count.accepting)
    accepted = count.accepting.rest + sum(each.connections for each in count.accepting.at.values())
    return Sockets(
        count.connections,
        sum(each.connections for each in count.services.all),
        sum(each.without_keepalive for each in count.services.all),
        sum(each.in_flight for each in count.services.all),
        [_to_peer(name, count.services.tallies[name], programs.by_peer.get(name, [])) for name in services],
        len(count.services.tallies) - len(services),
        sum(each.connections for each in all_outside),
        sum(each.without_keepalive for each in all_outside),
        sum(each.in_flight for each in all_outside),
        [_to_peer(_name(*each), count.outside.tallies[each], programs.by_peer.get(each, [])) for each in outside],
        count.accepted,
        accepted_at,
        accepted - sum(each.connections for each in accepted_at),
        source,
        None,
        count.rto,
        count.lost,
        count.silent,
        programs.unnamed,
        programs.denied,
    )


def _accepted_at(accepting: tallies.Accepting) -> List[AcceptedAt]:
    at = accepting.at
    worst = sorted(at, key=lambda place: (-at[place].without_keepalive, -at[place].longest_gap, place))
    return [_at(_name(*place), at[place]) for place in worst[:MAX_ACCEPTED_AT]]


def _at(name: str, each: tallies.Accepted) -> AcceptedAt:
    return AcceptedAt(name, each.connections, each.direct, each.without_keepalive, each.in_flight, each.longest_gap)


def _worst(peers: Peers) -> List[Any]:
    tallied = peers.tallies
    return sorted(tallied, key=lambda peer: (*_badness(tallied[peer]), peer))[:MAX_PEERS]


def _badness(of_peer: Tally) -> Tuple[int, int, int]:
    """Least for the worst: most without keepalive, then the longest gap, then most connections."""
    return -of_peer.without_keepalive, -max(of_peer.gaps or [(0, 0)])[0], -of_peer.connections


def _name(address: bytes, port: int) -> str:
    return endpoint(socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address), port)


def _to_peer(name: str, of_peer: Tally, processes: List[Process]) -> ToPeer:
    return ToPeer(
        name,
        of_peer.connections,
        of_peer.without_keepalive,
        of_peer.in_flight,
        of_peer.gaps,
        sorted(processes, key=_process_badness)[:MAX_PROCESSES],
    )


def _programs(sockets: Sequence[Named], pids: Sequence[int]) -> _Programs:
    if not sockets:
        return _Programs({})
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import socket_holders

    opened = socket_holders.find_open((inode for _gap, inode, _peer in sockets), pids, socket_holders.MAX_DESCRIPTORS)
    gaps: Dict[Tuple[Any, socket_holders.Holder], List[int]] = {}
    for seconds, inode, peer in sockets:
        if inode in opened.sockets:
            gaps.setdefault((peer, opened.sockets[inode].holder), []).append(seconds)
    result: Dict[Any, List[Process]] = {}
    for (peer, holder), of_process in gaps.items():
        longest = max(of_process)
        process = Process(
            holder.name, holder.pid, of_process.count(NO_KEEPALIVE), None if longest == NO_KEEPALIVE else longest
        )
        result.setdefault(peer, []).append(process)
    unnamed = sum(inode not in opened.sockets for _gap, inode, _peer in sockets)
    return _Programs(result, unnamed, opened.denied)


def _process_badness(process: Process) -> Tuple[int, int, int]:
    return -process.without_keepalive, -(process.gap or 0), process.pid
