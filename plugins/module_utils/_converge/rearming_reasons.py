# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Why an open connection was not re-armed. Pure. Private to this collection."""

import errno
import os
from typing import NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive


class Reason(NamedTuple):
    """An ID that does not change from release to release, and a text without a full stop."""

    id: str
    text: str


KERNEL, PTRACE_SCOPE, RIGHTS = "kernel", "ptrace_scope", "rights"
OWN_VALUES, GONE, NO_PROCESS, REFUSED, UNLISTED = "own_values", "gone", "no_process", "refused", "unlisted"
FORGOTTEN, BUSY, USER_TIMEOUT, NET_CLS = "forgotten", "busy", "user_timeout", "net_cls"

HOPELESS = (KERNEL, PTRACE_SCOPE, RIGHTS)
"""What holds for all connections of a process."""

_RESTART = "Restart them, or have them connect again, where that matters."
TODO = {
    KERNEL: _RESTART,
    PTRACE_SCOPE: _RESTART,
    RIGHTS: _RESTART,
    REFUSED: _RESTART,
    NO_PROCESS: "See whose they are (ss -tnope), and restart that where it matters.",
    OWN_VALUES: "Change them in the program's own settings where that is not wanted.",
    FORGOTTEN: "Have them connect again; their programs learn it at the next request otherwise.",
    BUSY: "Run this again.",
    USER_TIMEOUT: "Give them a keepalive in the program's own settings, where that matters.",
    NET_CLS: _RESTART,
    UNLISTED: "Run this again.",
}
"""What to do, by the ID. Nothing about those that are gone."""

_PIDFD_GETFD_SINCE = "5.6"


def of_duplicate(error: OSError, nobody_may: bool) -> Reason:
    """Why the kernel gave no duplicate of a process's descriptor. nobody_may: Yama forbids it to everybody."""
    if error.errno == errno.ENOSYS:
        release = os.uname().release
        return Reason(KERNEL, f"kernel {release} has no pidfd_getfd, which came with {_PIDFD_GETFD_SINCE}")
    if error.errno in (errno.EPERM, errno.EACCES):
        if nobody_may:
            return Reason(PTRACE_SCOPE, "kernel.yama.ptrace_scope is 3, at which nobody may, until the next boot")
        text = f"pidfd_getfd answers {_text(error)}: this process may not trace the one that has them open"
        return Reason(RIGHTS, f"{text} (a user namespace, a container or a security module)")
    if error.errno in (errno.ESRCH, errno.EBADF):
        return gone()
    return Reason(REFUSED, f"pidfd_getfd answers {_text(error)}")


def gone() -> Reason:
    return Reason(GONE, "they were closed while this looked")


def forgotten() -> Reason:
    return Reason(FORGOTTEN, "they have been idle for longer than the limit, so they are forgotten already")


def busy() -> Reason:
    return Reason(BUSY, "data was under way at each look, so that their timers could not be seen")


def own_values(own: Keepalive, namespace: Keepalive) -> Reason:
    """own is what the socket has."""
    return Reason(OWN_VALUES, f"the program has set {own} itself, its network namespace has {namespace}")


def user_timeout(milliseconds: int, wanted: Keepalive) -> Reason:
    return Reason(
        USER_TIMEOUT,
        f"the program has set TCP_USER_TIMEOUT to {milliseconds} ms, at which {wanted} ends them too soon",
    )


def net_cls() -> Reason:
    return Reason(NET_CLS, "a control group (net_cls or net_prio) tags their packets, and would not any more")


def turned_off() -> Reason:
    return Reason(OWN_VALUES, "the program has turned SO_KEEPALIVE off itself")


def no_process(denied: bool) -> Reason:
    """denied: there are processes whose files may not be seen."""
    if denied:
        return Reason(RIGHTS, "the files of some processes may not be seen")
    return Reason(NO_PROCESS, "no process of their network namespace has them open")


def not_searched(most: int) -> Reason:
    """most: after so many open files the search ends."""
    return Reason(UNLISTED, f"their processes were not found within the time or the {most} open files for one search")


def multipath() -> Reason:
    return Reason(REFUSED, "they are paths of Multipath TCP, whose options are those of all paths together")


def of_option(error: OSError) -> Reason:
    """Why an option of a duplicate was not read or set; what is no socket has taken the number of one."""
    if error.errno == errno.ENOTSOCK:
        return gone()
    return Reason(REFUSED, f"an option of the socket could not be read or set: {_text(error)}")


def not_kept(held: str, wanted: Keepalive) -> Reason:
    return Reason(REFUSED, f"they hold {held} after {wanted} was set")


def beyond(most: int) -> Reason:
    return Reason(UNLISTED, f"more than {most} of one network namespace are not looked at in one run")


def too_slow(why: str) -> Reason:
    return Reason(UNLISTED, why)


def _text(error: OSError) -> str:
    return f"{error.strerror or error} ({errno.errorcode.get(error.errno or 0, 'no error number')})"
