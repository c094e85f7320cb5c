# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Timeout policies of connection tracking, by which some connections have other timeouts. Reading only. Private to this
collection.

iptables and Open vSwitch use those of nfct, nftables has objects of its own (``ct timeout``).
"""

import errno
import struct
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple

from .modules import use_loads_nothing
from .netlink import InterruptedDumpError, NetlinkError, attributes, dump


class Policies(NamedTuple):
    """How many there are for TCP that somebody uses, the shortest established timeout of theirs, and why not known."""

    used: int
    established: Optional[int]
    error: Optional[str]


_MODULES = ("nfnetlink_cttimeout", "nft_ct")
"""Without either there are no policies."""

# include/uapi/linux/netfilter/nfnetlink.h, nfnetlink_cttimeout.h, nf_tables.h
_NETLINK_NETFILTER = 12
_TIMEOUT_GET = 8 << 8 | 1  # NFNL_SUBSYS_CTNETLINK_TIMEOUT, IPCTNL_MSG_TIMEOUT_GET
_OBJECT_GET = 10 << 8 | 19  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETOBJ
_NFGENMSG = struct.Struct("=BBH")  # family, version, resource
_ALL = _NFGENMSG.pack(0, 0, 0)
_L4PROTO, _DATA, _USE, _TCP_ESTABLISHED = 3, 4, 5, 3
_OBJECT_TYPE, _OBJECT_DATA, _OBJECT_USE = 3, 4, 5
_OBJECT_L4PROTO, _OBJECT_TIMEOUTS = 2, 3
_CT_TIMEOUT = 7
_OF_TYPE = _ALL + struct.pack("=HH", 8, _OBJECT_TYPE) + struct.pack(">I", _CT_TIMEOUT)
_IPPROTO_TCP = 6
_NUMBER = struct.Struct(">I")

_ATTEMPTS = 3


def read() -> Policies:
    """Those of this network namespace. Loads no module: without it there are none."""
    seconds: List[int] = []
    errors = []
    for module, established in zip(_MODULES, (_of_nfct, _of_nftables)):
        found, error = _listed(established) if use_loads_nothing(module) else ([], None)
        seconds += found
        errors += [error] if error else []
    error = f"timeout policies of connection tracking: {errors[0]}" if errors else None
    return Policies(len(seconds), min(seconds, default=None), error)


def _listed(established: Callable[[], Iterator[int]]) -> Tuple[List[int], Optional[str]]:
    """The timeouts, and why they are not known. Rules that change meanwhile are read again."""
    why = None
    for _attempt in range(_ATTEMPTS):
        try:
            return list(established()), None
        except InterruptedDumpError as error:
            why = str(error)
        except (NetlinkError, OSError, struct.error) as error:
            return [], None if _unknown_to_kernel(error) else str(error)
    return [], why


def _unknown_to_kernel(error: Exception) -> bool:
    """Whether it is a kernel without such policies, one that loads no modules: nfnetlink_rcv_msg answers EINVAL."""
    number = error.number if isinstance(error, NetlinkError) else getattr(error, "errno", None)
    return number in (errno.EINVAL, errno.EPROTONOSUPPORT)


def _of_nfct() -> Iterator[int]:
    """The timeout of each policy for TCP that a rule or a connection uses: one that nobody uses counts itself alone."""
    for buffer, begin, end in dump(_NETLINK_NETFILTER, _TIMEOUT_GET, _ALL):
        policy = attributes(buffer, begin + _NFGENMSG.size, end)
        if {_L4PROTO, _DATA, _USE} <= set(policy) and buffer[policy[_L4PROTO][0]] == _IPPROTO_TCP:
            timeouts = attributes(buffer, *policy[_DATA])
            if _number(buffer, policy[_USE]) > 1 and _TCP_ESTABLISHED in timeouts:
                yield _number(buffer, timeouts[_TCP_ESTABLISHED])


def _of_nftables() -> Iterator[int]:
    """The same of each object that a rule uses."""
    for buffer, begin, end in dump(_NETLINK_NETFILTER, _OBJECT_GET, _OF_TYPE):
        found = attributes(buffer, begin + _NFGENMSG.size, end)
        if not {_OBJECT_TYPE, _OBJECT_DATA, _OBJECT_USE} <= set(found) or not _number(buffer, found[_OBJECT_USE]):
            continue
        policy = attributes(buffer, *found[_OBJECT_DATA])
        is_timeout = _number(buffer, found[_OBJECT_TYPE]) == _CT_TIMEOUT
        if is_timeout and {_OBJECT_L4PROTO, _OBJECT_TIMEOUTS} <= set(policy):
            timeouts = attributes(buffer, *policy[_OBJECT_TIMEOUTS])
            if buffer[policy[_OBJECT_L4PROTO][0]] == _IPPROTO_TCP and _TCP_ESTABLISHED in timeouts:
                yield _number(buffer, timeouts[_TCP_ESTABLISHED])


def _number(buffer: bytearray, place: Tuple[int, int]) -> int:
    return int(_NUMBER.unpack_from(buffer, place[0])[0])
