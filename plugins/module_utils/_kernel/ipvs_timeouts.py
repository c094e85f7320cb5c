# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPVS timeouts of this network namespace, read and set. Never loads the module. Private to this collection."""

import errno
import os
import re
import socket
import struct
from typing import NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, more_rights
from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import MAX_SECONDS, Timeouts

# include/uapi/linux/ip_vs.h: IP_VS_SO_GET_TIMEOUT, IP_VS_SO_SET_TIMEOUT and struct ip_vs_timeout_user.
_SO_GET_TIMEOUT = 1158
_SO_SET_TIMEOUT = 1162
_TIMEOUT_USER = struct.Struct("=3i")

_IPVSADM_SECONDS = 5.0
_TIMEOUT_LINE = r"(?m)Timeout \(tcp tcpfin udp\):\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*$"


class Reading(NamedTuple):
    """Timeouts and the way they were read ("socket option" or "ipvsadm"), or why neither way worked and what to do."""

    timeouts: Optional[Timeouts]
    by: Optional[str]
    error: Optional[str]
    do: str = ""


class IpvsError(Exception):
    """The kernel or ipvsadm refused or made no sense; the message says what to do. errno is the kernel's, or None."""

    def __init__(self, message: str, number: Optional[int] = None) -> None:
        super().__init__(message)
        self.errno = number


def get_timeouts() -> Timeouts:
    """The timeouts of this network namespace by the socket option, which loads no module. Raises IpvsError."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            raw = sock.getsockopt(socket.SOL_IP, _SO_GET_TIMEOUT, _TIMEOUT_USER.size)
    except OSError as error:
        raise _refused("read", error) from error
    if len(raw) != _TIMEOUT_USER.size:
        raise IpvsError(
            f"IPVS timeouts: the kernel gives {len(raw)} bytes, not {_TIMEOUT_USER.size} (struct ip_vs_timeout_user)."
        )
    return Timeouts(*_TIMEOUT_USER.unpack(raw))


def set_timeouts(timeouts: Timeouts) -> None:
    """Set the timeouts of this network namespace; 0 keeps. The kernel takes all three or none. Raises IpvsError."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_IP, _SO_SET_TIMEOUT, _TIMEOUT_USER.pack(*timeouts))
    except (OSError, struct.error) as error:
        raise _refused("set to {}/{}/{}".format(*timeouts), error) from error


def read_timeouts() -> Reading:
    """The timeouts by the socket option, else by ipvsadm. Call it only when ipvs_loaded(): ipvsadm would load ip_vs."""
    try:
        return Reading(get_timeouts(), "socket option", None)
    except IpvsError as error:
        first, denied = str(error), error.errno in (errno.EPERM, errno.EACCES)
    try:
        return Reading(_ask_ipvsadm(), "ipvsadm", None)
    except IpvsError as error:
        return Reading(
            None, None, f"{first} {error}", more_rights() if denied else "See by hand: ipvsadm -l --timeout."
        )


def parse_timeouts(text: str) -> Timeouts:
    """The timeouts out of what ``ipvsadm -l --timeout`` prints. Raises IpvsError for anything else."""
    found = re.search(_TIMEOUT_LINE, text)
    if found is None:
        raise IpvsError(
            f"ipvsadm -l --timeout: printed {text[:80]!r}, expected 'Timeout (tcp tcpfin udp): 900 120 300'."
        )
    return Timeouts(*[int(number) for number in found.groups()])


def _ask_ipvsadm() -> Timeouts:
    """Run ``ipvsadm -l --timeout``, bounded in time and output. Raises IpvsError."""
    from .programs import find_program, run_program  # the socket option has answered on most nodes

    try:
        program = find_program("ipvsadm")
        if program is None:
            raise IpvsError("ipvsadm: not installed, so there is no second way. Run as root, or install ipvsadm.")
        status, text = run_program([program, "-l", "--timeout"], _IPVSADM_SECONDS)
    except NodeError as error:
        raise IpvsError(str(error)) from error
    if status:
        raise IpvsError(f"ipvsadm -l --timeout: return code {status}, it says {text[:200]!r}.")
    return parse_timeouts(text)


def _refused(what: str, error: Exception) -> IpvsError:
    number = errno.EINVAL if isinstance(error, struct.error) else getattr(error, "errno", None) or 0
    todo = {
        errno.ENOPROTOOPT: "The kernel has no IPVS loaded: load the module ip_vs first.",
        errno.EPERM: "Run as root (CAP_NET_ADMIN in the namespace, and no seccomp filter in between).",
        errno.EINVAL: f"Use values from 0 (keep) to {MAX_SECONDS} seconds (INT_MAX / HZ in the kernel).",
    }.get(number, "See the kernel's answer.")
    return IpvsError(
        f"IPVS timeouts: not {what}, the socket option answers {os.strerror(number)}. {todo}",
        number,
    )
