# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The TCP sockets of a network namespace whose peer is a virtual service. Reading only. Private to this collection."""

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import Address, keep_largest
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.netlink import (
    InterruptedDumpError,
    NetlinkError,
)

from .round_trips import RoundTrips

Names = Dict[Address, str]
"""Virtual services: the packed address (4 or 16 bytes) and the port, 0 for every port, to a name like 10.96.0.10:80."""


class Process(NamedTuple):
    """A process with connections to a service: how many have no SO_KEEPALIVE, and the longest gap in seconds."""

    name: str
    pid: int
    without_keepalive: int
    gap: Optional[int]


class ToService(NamedTuple):
    """The connections to one virtual service; gaps are (seconds, connections), ascending.

    connections = without_keepalive + in_flight + those of gaps. in_flight: data is under way, whose timer hides the
    keepalive timer, so that nobody can tell now.
    """

    service: str
    connections: int
    without_keepalive: int
    in_flight: int
    gaps: List[Tuple[int, int]]
    processes: List[Process]


class Sockets(NamedTuple):
    """The established TCP sockets of a network namespace; services are the worst first."""

    connections: int
    to_services: int
    without_keepalive: int
    in_flight: int
    services: List[ToService]
    services_omitted: int
    sockets_from: Optional[str]
    sockets_error: Optional[str]
    rto: Optional[Dict[str, int]] = None
    """RoundTrips.summary()."""


SOCK_DIAG = "sock_diag"
"""What sockets_from is where netlink was asked. It alone tells how long a connection is idle."""

MAX_SERVICES = 20
MAX_PROCESSES = 5
"""Of each service."""
MAX_NAMED = 1024
"""So many sockets of each kind, without keepalive and with, get the name of their process in one namespace."""

_ATTEMPTS = 3
_EXACT_GAP_BITS = 7
_TICKS_MS = 20
"""The kernel looks at its clock for each of both times: so much more than a whole second is its tick, no second."""


class Tally:
    """What has been counted of one service so far."""

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


Named = Tuple[int, int, str]
"""A socket whose process is to be named: its gap in seconds (_NO_KEEPALIVE without), its inode, its service."""

_NO_KEEPALIVE = -1


class Count(NamedTuple):
    """All sockets, the tally of each service by its name, and the sockets to be named."""

    connections: int
    tallies: Dict[str, Tally]
    named: List[Named]
    rto: Optional[Dict[str, int]]


def read(names: Names, ask_netlink: bool, pids: Sequence[int]) -> Sockets:
    """The sockets of this network namespace; pids are its processes. What cannot be read is said in sockets_error.

    ask_netlink is what inet_diag.loads_nothing() says.
    """
    count, source, why = None, SOCK_DIAG, None
    if ask_netlink:
        count = _ask_netlink(names)
    if count is None:
        source = "/proc/net/tcp"
        try:
            count = _read_file(names)
        except OSError as error:
            why = f"{error.filename or source}: {error.strerror or error}"
    if count is None:
        return Sockets(0, 0, 0, 0, [], 0, None, why)
    return _conclude(count, source, pids)


def as_plain(sockets: Sockets) -> Dict[str, Any]:
    """As plain data for JSON, with lists for gaps."""
    services = [
        dict(
            service._asdict(),
            gaps=[list(gap) for gap in service.gaps],
            processes=[dict(process._asdict()) for process in service.processes],
        )
        for service in sockets.services
    ]
    return dict(sockets._asdict(), services=services)


def tally(sockets: Iterable[Socket], names: Names) -> Count:
    """Count the sockets, streamed: memory grows with the services, not with the sockets."""
    any_port = {address: name for (address, port), name in names.items() if port == 0}
    connections = 0
    round_trips = RoundTrips()
    tallies: Dict[str, Tally] = {}
    without: List[Named] = []
    armed: List[Named] = []
    for found in sockets:
        connections += 1
        round_trips.add(found)
        name = names.get((found.remote, found.remote_port)) or any_port.get(found.remote)
        if name is None:
            continue
        of_service = tallies.get(name)
        if of_service is None:
            of_service = tallies[name] = Tally()
        if found.timer == inet_diag.TIMER_KEEPALIVE:
            seconds = gap(found)
            of_service.add_gap(seconds)
            keep_largest(armed, (seconds, found.inode, name), MAX_NAMED)
        elif found.timer == inet_diag.TIMER_NONE:
            of_service.without_keepalive += 1
            if len(without) < MAX_NAMED:
                without.append((_NO_KEEPALIVE, found.inode, name))
        else:
            of_service.in_flight += 1
    return Count(connections, tallies, without + armed, round_trips.summary())


def gap(found: Socket) -> int:
    """Whole seconds, rounded up, from the last packet to the end of the armed keepalive timer.

    From /proc/net/tcp, which does not tell how long the socket is idle, it is only what is left of the timer.
    """
    return max(-(-(found.expires_ms + (found.idle_ms or 0) - _TICKS_MS) // 1000), 0)


def _ask_netlink(names: Names) -> Optional[Count]:
    """The count through netlink; None where the kernel refuses or the table never holds still."""
    for _attempt in range(_ATTEMPTS):
        try:
            return tally(inet_diag.read(), names)
        except InterruptedDumpError:
            continue
        except (NetlinkError, OSError):
            return None
    return None


def _read_file(names: Names) -> Count:
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import proc_tcp  # netlink tells more

    return tally(proc_tcp.read(), names)


def _conclude(count: Count, source: str, pids: Sequence[int]) -> Sockets:
    tallies = count.tallies
    worst = sorted(tallies, key=lambda name: _badness(name, tallies[name]))[:MAX_SERVICES]
    processes = _processes([each for each in count.named if each[2] in worst], pids)
    return Sockets(
        count.connections,
        sum(each.connections for each in tallies.values()),
        sum(each.without_keepalive for each in tallies.values()),
        sum(each.in_flight for each in tallies.values()),
        [_service(name, tallies[name], processes.get(name, [])) for name in worst],
        len(tallies) - len(worst),
        source,
        None,
        count.rto,
    )


def _badness(name: str, of_service: Tally) -> Tuple[int, int, int, str]:
    """Least for the worst: most without keepalive, then the longest gap, then most connections."""
    return -of_service.without_keepalive, -max(of_service.gaps or [(0, 0)])[0], -of_service.connections, name


def _service(name: str, of_service: Tally, processes: List[Process]) -> ToService:
    return ToService(
        name,
        of_service.connections,
        of_service.without_keepalive,
        of_service.in_flight,
        of_service.gaps,
        sorted(processes, key=_process_badness)[:MAX_PROCESSES],
    )


def _processes(sockets: Sequence[Named], pids: Sequence[int]) -> Dict[str, List[Process]]:
    """The processes that have these sockets open, by service."""
    if not sockets:
        return {}
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import socket_holders

    holders = socket_holders.find((inode for _gap, inode, _name in sockets), pids)
    gaps: Dict[Tuple[str, socket_holders.Holder], List[int]] = {}
    for seconds, inode, name in sockets:
        if inode in holders:
            gaps.setdefault((name, holders[inode]), []).append(seconds)
    result: Dict[str, List[Process]] = {}
    for (name, holder), of_process in gaps.items():
        longest = max(of_process)
        process = Process(
            holder.name, holder.pid, of_process.count(_NO_KEEPALIVE), None if longest == _NO_KEEPALIVE else longest
        )
        result.setdefault(name, []).append(process)
    return result


def _process_badness(process: Process) -> Tuple[int, int, int]:
    return -process.without_keepalive, -(process.gap or 0), process.pid
