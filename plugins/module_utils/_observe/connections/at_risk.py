# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sockets of a network namespace that are at risk under idle limits, one by one. Reading only. Private to this
collection.

The rule is the one that the audit counts with (is_late), the sockets are those that tallies counts to services and to
other addresses. Where data is under way nobody can tell: there this looks twice, and then says so.
"""

import time
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive, is_late
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.netlink import (
    InterruptedDumpError,
    NetlinkError,
)

from .destinations import name_of
from .tallies import Listening, Names, gap, is_loopback, leaves

MAX_SOCKETS = 20000
"""More at risk of one namespace are only counted."""

FORGOTTEN = "forgotten"
"""It has been idle for longer than the limit, so that nothing on its way knows it any more."""

BUSY = "busy"
"""Data was under way at both looks, so its keepalive timer is not seen."""

_ATTEMPTS = 3
_PAUSE_SECONDS = 0.1
"""Longer than data is under way in most networks, and short, for a node may have hundreds of namespaces."""


class Limits(NamedTuple):
    """After how many idle seconds connections to services and to other addresses are forgotten; None: these are safe.

    silent: sockets without SO_KEEPALIVE are wanted, too.
    """

    services: Optional[int]
    outside: Optional[int]
    silent: bool


class AtRisk(NamedTuple):
    """A socket by its inode and its cookie (SO_COOKIE; None where it was not told), and where it goes.

    obstacle: None, or why it is to be left alone (FORGOTTEN, BUSY).
    """

    inode: int
    cookie: Optional[int]
    peer: str
    obstacle: Optional[str] = None


class Found(NamedTuple):
    """The first MAX_SOCKETS at risk, how many there are more, and why none could be read (None: they were)."""

    sockets: List[AtRisk]
    more: int
    error: Optional[str]


def read(names: Names, ask_netlink: bool, keepalive: Keepalive, limits: Limits) -> Found:
    """Those of this network namespace, which has that keepalive. Never raises.

    ask_netlink is what inet_diag.loads_nothing() says.
    """
    found = _read(names, ask_netlink, keepalive, limits)
    if all(each.obstacle != BUSY for each in found.sockets):
        return found
    time.sleep(_PAUSE_SECONDS)
    again = _read(names, ask_netlink, keepalive, limits)
    if again.error or again.more:
        return found
    later = {each[:3]: each for each in again.sockets}
    sockets = [each if each.obstacle != BUSY else later.get(each[:3]) for each in found.sockets]
    return found._replace(sockets=[each for each in sockets if each is not None])


def _read(names: Names, ask_netlink: bool, keepalive: Keepalive, limits: Limits) -> Found:
    for _attempt in range(_ATTEMPTS if ask_netlink else 0):
        try:
            return _bounded(select(inet_diag.read_with_cookies(), names, keepalive, limits))
        except InterruptedDumpError:
            continue
        except (NetlinkError, OSError):
            break
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import proc_tcp  # netlink tells more

    try:
        found = ((each, None) for each in proc_tcp.read(proc_tcp.OPEN))
        return _bounded(select(found, names, keepalive, limits))
    except OSError as error:
        return Found([], 0, f"{error.filename or '/proc/net/tcp'}: {error.strerror or error}")


def select(
    sockets: Iterable[Tuple[Socket, Optional[int]]], names: Names, keepalive: Keepalive, limits: Limits
) -> Iterator[AtRisk]:
    """Those at risk of the established sockets, streamed; the listening ones stand before them."""
    any_port = {address: name for (address, port), name in names.items() if port == 0}
    listening = Listening()
    for found, cookie in sockets:
        if not found.remote_port:
            listening.add(found)
            continue
        if (found.timer == inet_diag.TIMER_NONE and not limits.silent) or is_loopback(found.remote):
            continue
        place = (found.remote, found.remote_port)
        name = names.get(place) or any_port.get(found.remote)
        if name is not None:
            limit = limits.services
        elif listening.has(found) or not leaves(found):
            continue
        else:
            limit = limits.outside
        if limit is None or not _is_at_risk(found, keepalive, limit):
            continue
        yield AtRisk(found.inode, cookie, name or name_of(place), _obstacle(found, limit))


def _is_at_risk(found: Socket, keepalive: Keepalive, limit: int) -> bool:
    """Of one with data under way: may be."""
    return found.timer != inet_diag.TIMER_KEEPALIVE or is_late(gap(found), keepalive, limit)


def _obstacle(found: Socket, limit: int) -> Optional[str]:
    if found.idle_ms is not None and found.idle_ms > limit * 1000:
        return FORGOTTEN
    return None if found.timer in (inet_diag.TIMER_NONE, inet_diag.TIMER_KEEPALIVE) else BUSY


def _bounded(found: Iterator[AtRisk]) -> Found:
    sockets: List[AtRisk] = []
    more = 0
    for each in found:
        if len(sockets) < MAX_SOCKETS:
            sockets.append(each)
        else:
            more += 1
    return Found(sockets, more, None)
