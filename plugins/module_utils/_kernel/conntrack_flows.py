# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Established TCP flows whose destination connection tracking translates: the services of the iptables and nftables
modes of kube-proxy. Reading only. Private to this collection."""

import re
import socket
import struct
from typing import Dict, Iterable, Iterator, NamedTuple, Optional, Set, Tuple

from .flows import Address, SecondsLeft
from .modules import module_loaded, use_loads_nothing
from .netlink import InterruptedDumpError, NetlinkError, attributes, dump


class Flow(NamedTuple):
    """Where a connection was meant to go, and the seconds after which it is forgotten if it stays idle.

    The seconds are None for a flow that a network card or a flow table has taken over.
    """

    destination: Address
    seconds: Optional[int]


class Flows(NamedTuple):
    """What the flows come to: their destinations, how many will be cut within so many seconds, what is missing."""

    destinations: Set[Address]
    cut_within: Optional[Dict[str, int]]
    error: Optional[str]


MAX_DESTINATIONS = 32768

_FILE = "/proc/net/nf_conntrack"
_ATTEMPTS = 3
# ct_seq_show in net/netfilter/nf_conntrack_standalone.c; an offloaded flow has neither seconds nor state.
_LINE = (
    rb"ipv[46] +\d+ tcp +6 +(?:(\d{1,10}) ESTABLISHED )?src=\S+ dst=(\S+) sport=\d+ dport=(\d{1,5}) "
    rb"(?:(?!src=)\S+ )*src=(\S+) dst=\S+ sport=(\d+) dport=\d+ "
    rb"(?:[^ \[]+ )*\[(?:ASSURED|OFFLOAD|HW_OFFLOAD)\]"
)

# include/uapi/linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h, nf_conntrack_common.h, nf_conntrack_tcp.h
_NETLINK_NETFILTER = 12
_CT_GET = 1 << 8 | 1  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET
_NFGENMSG = struct.Struct("=BBH")  # family, version, resource
_CTA_TUPLE_ORIG, _CTA_TUPLE_REPLY, _CTA_STATUS, _CTA_PROTOINFO, _CTA_TIMEOUT = 1, 2, 3, 4, 7
_CTA_TUPLE_IP, _CTA_TUPLE_PROTO = 1, 2
_CTA_IP_SOURCES, _CTA_IP_DESTINATIONS = (1, 3), (2, 4)  # IPv4, IPv6
_CTA_PROTO_NUM, _CTA_PROTO_SRC_PORT, _CTA_PROTO_DST_PORT = 1, 2, 3
_CTA_PROTOINFO_TCP, _CTA_PROTOINFO_TCP_STATE = 1, 1
_TCP_CONNTRACK_ESTABLISHED = 3
_IPS_ASSURED = 1 << 2
_IPS_OFFLOADED = 1 << 14 | 1 << 15  # IPS_OFFLOAD, IPS_HW_OFFLOAD
_NUMBER = struct.Struct(">I")
_PORT = struct.Struct(">H")


def read() -> Flows:
    """The flows of this network namespace; none where it has no connection tracking. Loads no module."""
    if not module_loaded("nf_conntrack"):
        return Flows(set(), None, None)
    try:
        return collect(_read_file())
    except FileNotFoundError:
        pass  # a kernel without CONFIG_NF_CONNTRACK_PROCFS
    except OSError as error:
        return Flows(set(), None, f"{_FILE}: {error.strerror or error}")
    if not use_loads_nothing("nf_conntrack_netlink"):
        return Flows(set(), None, f"{_FILE} is not there, and asking netlink would load nf_conntrack_netlink")
    return _ask_netlink()


def collect(flows: Iterable[Flow]) -> Flows:
    """What the flows come to, streamed: of the destinations at most MAX_DESTINATIONS are kept."""
    destinations: Set[Address] = set()
    seconds_left = SecondsLeft()
    more = False
    for destination, seconds in flows:
        if destination not in destinations:
            if len(destinations) < MAX_DESTINATIONS:
                destinations.add(destination)
            else:
                more = True
        if seconds is not None:
            seconds_left.add(seconds)
    error = f"there are more than {MAX_DESTINATIONS} translated destinations" if more else None
    return Flows(destinations, seconds_left.within(), error)


def parse(lines: Iterable[bytes]) -> Iterator[Flow]:
    """The translated flows in the lines of /proc/net/nf_conntrack. Never raises."""
    match = re.compile(_LINE).match
    for line in lines:
        found = match(line)
        if found is None:
            continue
        seconds, meant, meant_port, answering, answering_port = found.groups()
        if meant == answering and meant_port == answering_port:
            continue
        address = _packed(meant.decode("ascii", "replace"))
        if address is not None and int(meant_port) < 1 << 16:
            yield Flow((address, int(meant_port)), None if seconds is None else int(seconds))


def parse_message(buffer: bytearray, begin: int, end: int) -> Optional[Flow]:
    """The translated flow in a ctnetlink message's payload; None for any other. Raises NetlinkError."""
    parts = attributes(buffer, begin + _NFGENMSG.size, end)
    status = _number(buffer, parts.get(_CTA_STATUS)) or 0
    offloaded = bool(status & _IPS_OFFLOADED)
    if not status & _IPS_ASSURED and not offloaded:
        return None
    meant = _end(buffer, parts.get(_CTA_TUPLE_ORIG), _CTA_IP_DESTINATIONS, _CTA_PROTO_DST_PORT)
    answering = _end(buffer, parts.get(_CTA_TUPLE_REPLY), _CTA_IP_SOURCES, _CTA_PROTO_SRC_PORT)
    if meant is None or answering is None or meant == answering:
        return None
    if offloaded:
        return Flow(meant, None)
    if _tcp_state(buffer, parts.get(_CTA_PROTOINFO)) != _TCP_CONNTRACK_ESTABLISHED:
        return None
    return Flow(meant, _number(buffer, parts.get(_CTA_TIMEOUT)))


def _read_file() -> Iterator[Flow]:
    with open(_FILE, "rb") as lines:
        yield from parse(lines)


def _ask_netlink() -> Flows:
    error = ""
    for _attempt in range(_ATTEMPTS):
        try:
            return collect(_read_netlink())
        except InterruptedDumpError as problem:
            error = str(problem)
        except NetlinkError as problem:
            return Flows(set(), None, f"connection tracking's table through netlink: {problem}")
        except OSError as problem:
            return Flows(set(), None, f"connection tracking's table through netlink: {problem.strerror or problem}")
    return Flows(set(), None, f"connection tracking's table through netlink: {error}")


def _read_netlink() -> Iterator[Flow]:
    for buffer, begin, end in dump(_NETLINK_NETFILTER, _CT_GET, _NFGENMSG.pack(socket.AF_UNSPEC, 0, 0)):
        flow = parse_message(buffer, begin, end)
        if flow is not None:
            yield flow


Part = Optional[Tuple[int, int]]
"""Where an attribute's content begins and ends."""


def _end(buffer: bytearray, part: Part, addresses: Tuple[int, int], port: int) -> Optional[Address]:
    """One end of a TCP tuple: the address is one of these attributes, the port that one."""
    inner = _nested(buffer, part)
    protocol = _nested(buffer, inner.get(_CTA_TUPLE_PROTO))
    number = protocol.get(_CTA_PROTO_NUM)
    if number is None or buffer[number[0] : number[1]] != bytes([socket.IPPROTO_TCP]):
        return None
    where = protocol.get(port)
    for kind, (first, last) in _nested(buffer, inner.get(_CTA_TUPLE_IP)).items():
        if kind in addresses and last - first in (4, 16) and where and where[1] - where[0] >= _PORT.size:
            return bytes(buffer[first:last]), _PORT.unpack_from(buffer, where[0])[0]
    return None


def _tcp_state(buffer: bytearray, part: Part) -> Optional[int]:
    state = _nested(buffer, _nested(buffer, part).get(_CTA_PROTOINFO_TCP)).get(_CTA_PROTOINFO_TCP_STATE)
    return buffer[state[0]] if state and state[1] > state[0] else None


def _nested(buffer: bytearray, part: Part) -> Dict[int, Tuple[int, int]]:
    return {} if part is None else attributes(buffer, part[0], part[1])


def _number(buffer: bytearray, part: Part) -> Optional[int]:
    if part is None or part[1] - part[0] < _NUMBER.size:
        return None
    return int(_NUMBER.unpack_from(buffer, part[0])[0])


def _packed(text: str) -> Optional[bytes]:
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):  # a ValueError for a null byte
        return None
