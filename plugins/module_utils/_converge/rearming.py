# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Re-arms the open connections at risk of one network namespace, in place. Private to this collection.

A socket is found by its inode, and the process that has it open may end or put another file under the same number at
any moment. So nothing is set before the duplicate itself says that it is that very socket.
"""

import errno
import os
import socket
import time
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
    pidfd,
    socket_holders,
    socket_keepalive,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.socket_keepalive import Armed
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import at_risk
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.at_risk import AtRisk

from . import rearming_reasons
from .rearming_reasons import HOPELESS, Reason

MAX_DESCRIPTORS = 1 << 18
"""After so many open files of one network namespace the search for sockets ends."""

_OBSTACLES: Dict[Optional[str], Reason] = {
    at_risk.FORGOTTEN: rearming_reasons.forgotten(),
    at_risk.BUSY: rearming_reasons.busy(),
}

_IPPROTO_MPTCP = 262  # include/uapi/linux/in.h


class Order(NamedTuple):
    """What the sockets of a namespace, which has the keepalive ``own``, shall have. check: nothing is set.

    asked: those without SO_KEEPALIVE are left alone. deadline: by time.monotonic(), when to stop.
    given: what runs gave to connections before; a socket with that has nothing that its program has set.
    """

    wanted: Keepalive
    own: Keepalive
    asked: bool
    check: bool
    deadline: float
    given: Tuple[Keepalive, ...] = ()


class Part(NamedTuple):
    """What became of the connections of one process to one peer.

    ``rearmed`` of them (in check mode would be); of the others how many by the reason's ID, with the first's text.
    """

    peer: Optional[str]
    process: Optional[str]
    pid: Optional[int]
    rearmed: int
    left: Dict[str, Tuple[str, int]]


def rearm(found: Iterable[AtRisk], pids: Iterable[int], order: Order) -> Iterator[Part]:
    """Re-arm these sockets of these processes, and tell what became of them, process by process. Never raises."""
    by_inode: Dict[int, List[AtRisk]] = {}
    for each in found:
        by_inode.setdefault(each.inode, []).append(each)  # the paths of a Multipath TCP connection have one
    opened = socket_holders.find_open(by_inode, pids, MAX_DESCRIPTORS, deadline=order.deadline)
    of_process: Dict[socket_holders.Holder, List[Tuple[int, AtRisk]]] = {}
    for inode, (holder, descriptor) in opened.sockets.items():
        of_process.setdefault(holder, []).extend((descriptor, each) for each in by_inode.pop(inode))
    nobody = (
        rearming_reasons.not_searched(MAX_DESCRIPTORS) if opened.cut else rearming_reasons.no_process(opened.denied)
    )
    yield from _parts(None, ((each.peer, nobody) for same in by_inode.values() for each in same))
    for holder, sockets in of_process.items():
        yield from _parts(holder, _rearm_all(holder.pid, sockets, order))


def sooner(own: Keepalive, wanted: Keepalive) -> Keepalive:
    """What is wanted, with neither the first probe nor the next later than the namespace has it."""
    pairs = zip(wanted[:2], own[:2])
    return Keepalive(*(min(ours, theirs) if theirs >= 1 else ours for ours, theirs in pairs), probes=wanted.probes)


def _parts(holder: Optional[socket_holders.Holder], outcomes: Iterable[Tuple[str, Optional[Reason]]]) -> Iterator[Part]:
    """Count outcomes by the peer."""
    parts: Dict[str, Part] = {}
    name, pid = (None, None) if holder is None else (holder.name, holder.pid)
    for peer, reason in outcomes:
        part = parts.get(peer) or Part(peer, name, pid, 0, {})
        if reason is None:
            part = part._replace(rearmed=part.rearmed + 1)
        else:
            text, number = part.left.get(reason.id, (reason.text, 0))
            part.left[reason.id] = (text, number + 1)
        parts[peer] = part
    yield from parts.values()


def _rearm_all(pid: int, sockets: Sequence[Tuple[int, AtRisk]], order: Order) -> Iterator[Tuple[str, Optional[Reason]]]:
    """Each socket's peer, and why it was not re-armed, None where it was."""
    reason: Optional[Reason] = None
    process = -1
    try:
        process = pidfd.open_process(pid)
        reason = None if pidfd.keeps_tags(pid) else rearming_reasons.net_cls()
    except (OSError, ImportError) as error:
        reason = _no_duplicate(error)
    try:
        for descriptor, wanted in sockets:
            if time.monotonic() > order.deadline:
                yield wanted.peer, rearming_reasons.too_slow("the time for their network namespace was over")
                continue
            outcome = _OBSTACLES.get(wanted.obstacle) or reason or _rearm_one(process, descriptor, wanted, order)
            reason = outcome if outcome is not None and outcome.id in HOPELESS else reason
            yield wanted.peer, outcome
    finally:
        if process >= 0:
            os.close(process)


def _rearm_one(process: int, descriptor: int, wanted: AtRisk, order: Order) -> Optional[Reason]:
    try:
        copy = pidfd.duplicate(process, descriptor)
    except (OSError, ImportError) as error:
        return _no_duplicate(error)
    try:
        connection = socket_keepalive.of_descriptor(copy)
    except OSError as error:
        os.close(copy)
        return rearming_reasons.of_option(error)
    with connection:
        try:
            return _another(connection, wanted) or _arm(connection, order)
        except OSError as error:
            return rearming_reasons.of_option(error)


def _no_duplicate(error: Exception) -> Reason:
    if isinstance(error, OSError):
        denied = error.errno in (errno.EPERM, errno.EACCES)
        return rearming_reasons.of_duplicate(error, denied and pidfd.nobody_may())
    return Reason(rearming_reasons.REFUSED, f"this Python cannot do it ({error}): it needs ctypes")


def _another(connection: socket.socket, wanted: AtRisk) -> Optional[Reason]:
    """Why a duplicate is not the socket that was found, or not any more open at both ends. Raises OSError."""
    inode, cookie = socket_keepalive.identity(connection)
    if inode != wanted.inode:
        return rearming_reasons.gone()
    if wanted.cookie is not None and cookie != wanted.cookie:
        is_multipath = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == _IPPROTO_MPTCP
        return rearming_reasons.multipath() if is_multipath else rearming_reasons.gone()
    return None if socket_keepalive.is_established(connection) else rearming_reasons.gone()


def _arm(connection: socket.socket, order: Order) -> Optional[Reason]:
    """Set what is wanted and read it back, unless the program has set something itself. Raises OSError."""
    held = socket_keepalive.read(connection)
    if not all(value in known for value, known in zip(held.keepalive, zip(order.own, *order.given))):
        return rearming_reasons.own_values(held.keepalive, order.own)
    if order.asked and not held.asked:
        return rearming_reasons.turned_off()
    wanted = sooner(held.keepalive, sooner(order.own, order.wanted))
    timeout_ms = socket_keepalive.user_timeout_ms(connection)
    if 0 < timeout_ms < (wanted.time + wanted.probes * wanted.intvl) * 1000:
        return rearming_reasons.user_timeout(timeout_ms, wanted)
    if order.check:
        return None
    socket_keepalive.arm(connection, wanted)
    held = socket_keepalive.read(connection)
    return None if held == Armed(True, wanted) else rearming_reasons.not_kept(str(held.keepalive), wanted)
