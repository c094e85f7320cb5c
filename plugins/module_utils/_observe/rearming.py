# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether open connections can be re-armed on this node. Reading only. Private to this collection."""

import errno
import os
import re
from typing import Any, Dict, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import more_rights
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import pidfd
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_text

_CAP_SYS_PTRACE = 19  # include/uapi/linux/capability.h
_CAPABILITIES = r"(?m)^CapEff:\s*([0-9a-f]{1,16})$"


def read() -> Dict[str, Any]:
    """As node_info documents it. No connection is touched: this process duplicates a pipe of its own."""
    possible, reason = True, None
    for look in (_by_kernel, _by_yama, _by_rights):
        if possible:
            possible, reason = look()
    return {"possible": possible, "reason": reason}


_FINE = (True, None)


def _by_kernel() -> Any:
    """Whether the kernel has the two system calls, and nothing keeps this process from them; and why not."""
    release = os.uname().release
    try:
        number: Optional[int] = _try()
    except ImportError as error:
        return None, f"This Python cannot tell ({error}). Have Ansible use a Python on the node that has ctypes."
    if number is None:
        return _FINE
    if number == errno.ENOSYS:
        return False, f"Kernel {release} cannot do it (pidfd_getfd came with Linux 5.6). Boot a newer kernel."
    text = f"pidfd_getfd answers {os.strerror(number)} even for an own file"
    if number == errno.EPERM:
        return False, f"{text}: a filter for system calls (seccomp) forbids it, as in a container. Run on the host."
    return None, f"{text}. Report it and the kernel ({release}) to the collection."


def _try() -> Optional[int]:
    """Duplicate a descriptor of this process; the error's number, None where it works. Raises ImportError."""
    reading, writing = os.pipe()
    opened = [reading, writing]
    try:
        opened.append(pidfd.open_process(os.getpid()))
        opened.append(pidfd.duplicate(opened[-1], reading))
    except OSError as error:
        return error.errno
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return None


def _by_yama() -> Any:
    if pidfd.nobody_may():
        return False, (
            "kernel.yama.ptrace_scope is 3, at which not even root may do it until the next boot. "
            "Set it to 2 or lower at boot, or restart what has connections at risk."
        )
    return _FINE


def _by_rights() -> Any:
    if os.geteuid() != 0:
        return None, f"Not looked at as user {os.geteuid()}, only root may do it. {more_rights()}"
    found = re.search(_CAPABILITIES, read_text("/proc/self/status").value or "")
    if found and not int(found.group(1), 16) >> _CAP_SYS_PTRACE & 1:
        return False, "This root lacks CAP_SYS_PTRACE, as in a container. Run on the host, or with all capabilities."
    return _FINE
