# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node answers when it cannot do as asked. Private to this collection."""

import errno
import os

_TODO = {
    errno.EROFS: "It is mounted read-only here (an unprivileged container, or a read-only image): "
    "run this on the host, or remount it writable.",
    errno.EACCES: "Run as root, and see whether a security module denies it.",
    errno.EPERM: "Run as root; see whether the file is immutable (lsattr) or the container lacks the capability.",
    errno.ENOSPC: "Free some space on that file system.",
    errno.EDQUOT: "Free some space on that file system.",
    errno.EBUSY: "It is a mount point or in use: unmount it, or name another file.",
    errno.ELOOP: "Its symbolic links lead in a circle: mend them.",
    errno.EINVAL: "Choose a value that this kernel accepts.",
}


class NodeError(Exception):
    """The message says what, where, observed against expected, and what to do; it is meant for a person."""


def refused(what: str, error: OSError) -> NodeError:
    """The NodeError for an OSError; ``what`` names the place and what was tried there, without a full stop."""
    name = errno.errorcode.get(error.errno or 0, "no error number")
    todo = _TODO.get(error.errno or 0, "Mend that and run again.")
    text = os.strerror(error.errno) if error.errno else str(error)
    return NodeError(f"{what}: {text} ({name}). {todo}")
