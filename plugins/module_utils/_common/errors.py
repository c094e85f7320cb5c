# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node answers when it cannot do as asked. Private to this collection."""

import errno
import os
import re

_TODO = {
    errno.EROFS: "It is mounted read-only here (an unprivileged container, or a read-only image): "
    "run this on the host, or remount it writable.",
    errno.ENOSPC: "Free some space on that file system.",
    errno.EDQUOT: "Free some space on that file system.",
    errno.EBUSY: "Something uses it, or it is a mount point: end or unmount that, or name another file.",
    errno.ELOOP: "It is a symbolic link where none may be, or its links lead in a circle: mend it.",
    errno.ETIME: "Run again when the node is less busy. See by hand how much there is.",
}

_VALUE_TODO = "Choose a value that this kernel accepts."
_RIGHTS = (errno.EACCES, errno.EPERM)
_CAPABILITIES = r"(?m)^CapEff:\s*([0-9a-f]{1,16})$"


class NodeError(Exception):
    """The message says what, where, observed against expected, and what to do; it is meant for a person."""


class NoAnswerError(Exception):
    """A program of the node gave no usable answer; the message says what it did."""


def refused(what: str, error: OSError, of_value: bool = False) -> NodeError:
    """The NodeError for an OSError; ``what`` names the place and what was tried there, without a full stop.

    of_value: what was tried is to write a value there, so EINVAL speaks of that.
    """
    name = errno.errorcode.get(error.errno or 0, "no error number")
    todo = _VALUE_TODO if of_value and error.errno == errno.EINVAL else remedy(error)
    text = os.strerror(error.errno) if error.errno else str(error)
    return NodeError(f"{what}: {text} ({name}). {todo}")


def remedy(error: OSError) -> str:
    """What to do about an OSError."""
    if error.errno in _RIGHTS:
        return more_rights()
    return _TODO.get(error.errno or 0, "Mend that and run again.")


def more_rights() -> str:
    """What to do where a right is missing, by the rights that this process has."""
    if os.geteuid() != 0:
        return "Run again as root (-e keepalive_become=true)."
    if not has_all_capabilities():
        return "Run with all capabilities: this root lacks some, as in a container."
    return (
        "Root itself may not: see whether the file is immutable (lsattr), whether the kernel takes no change there, or "
        "whether a security module (AppArmor, SELinux) denies it."
    )


def has_all_capabilities() -> bool:
    """Whether none of those that this kernel knows is missing; not known counts as yes."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as handle:
            found = re.search(_CAPABILITIES, handle.read())
        with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as handle:
            last = int(handle.read())
    except (OSError, ValueError):
        return True
    return found is None or int(found.group(1), 16) + 1 == 1 << (last + 1)
