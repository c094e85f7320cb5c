# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Timeout policies of connection tracking, by which some connections have other timeouts. Reading only. Private to this
collection.
"""

import struct
from typing import Iterator, NamedTuple, Optional

from .modules import use_loads_nothing
from .netlink import NetlinkError, attributes, dump


class Policies(NamedTuple):
    """How many there are for TCP that somebody uses, the shortest established timeout of theirs, and why not known."""

    used: int
    established: Optional[int]
    error: Optional[str]


MODULE = "nfnetlink_cttimeout"

# include/uapi/linux/netfilter/nfnetlink.h, nfnetlink_cttimeout.h
_NETLINK_NETFILTER = 12
_TIMEOUT_GET = 8 << 8 | 1  # NFNL_SUBSYS_CTNETLINK_TIMEOUT, IPCTNL_MSG_TIMEOUT_GET
_NFGENMSG = struct.Struct("=BBH")  # family, version, resource
_L4PROTO, _DATA, _USE, _TCP_ESTABLISHED = 3, 4, 5, 3
_IPPROTO_TCP = 6
_NUMBER = struct.Struct(">I")


def read() -> Policies:
    """Those of this network namespace. Loads no module: without it there are none."""
    if not use_loads_nothing(MODULE):
        return Policies(0, None, None)
    try:
        seconds = list(_established())
    except (NetlinkError, OSError, struct.error) as error:
        return Policies(0, None, f"timeout policies of connection tracking: {error}")
    return Policies(len(seconds), min(seconds, default=None), None)


def _established() -> Iterator[int]:
    """The timeout of each policy for TCP that a rule or a connection uses: one that nobody uses counts itself alone."""
    for buffer, begin, end in dump(_NETLINK_NETFILTER, _TIMEOUT_GET, _NFGENMSG.pack(0, 0, 0)):
        policy = attributes(buffer, begin + _NFGENMSG.size, end)
        if {_L4PROTO, _DATA, _USE} <= set(policy) and buffer[policy[_L4PROTO][0]] == _IPPROTO_TCP:
            timeouts = attributes(buffer, *policy[_DATA])
            if _NUMBER.unpack_from(buffer, policy[_USE][0])[0] > 1 and _TCP_ESTABLISHED in timeouts:
                yield _NUMBER.unpack_from(buffer, timeouts[_TCP_ESTABLISHED][0])[0]
