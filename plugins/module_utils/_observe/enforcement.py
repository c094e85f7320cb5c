# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a program in the kernel gives new connections a keepalive here, or could. Private to this collection.

Nothing is loaded, attached or mounted for a look.
"""

import errno
import os
import re
import struct
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._files import enforce_unit
from ansible_collections.kubenode.connections.plugins.module_utils._files.systemd_units import has_systemd
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_text

from . import ours

FIRST_RELEASE = (5, 9)
"""The first Linux that takes SO_KEEPALIVE and the TCP_KEEP* options from a program (bpf_setsockopt)."""

_BACKPORTED = r"4\.18\..*\.el8"
"""Red Hat's 4.18 has the BPF of later kernels. Others build older ones for its distribution, too (5.4, .el8uek)."""

_EVERY_USER = ["0", "0", "4294967295"]
"""What /proc/PID/uid_map has outside of user namespaces; nothing where the kernel has none."""

_LOCKDOWN = "/sys/kernel/security/lockdown"
_BITS = 64
_SYS_ADMIN, _NET_ADMIN = 21, 12  # include/uapi/linux/capability.h


class Obstacle(NamedTuple):
    """Why there is no enforcement here: possible is False, or None for not known; id is as node_info documents it."""

    possible: Optional[bool]
    id: str
    reason: str


class Seen(NamedTuple):
    """What is on the root cgroup: where it is mounted, our programs (name, tag), and how many of others there are."""

    cgroup: Optional[str]
    programs: List[Tuple[str, str]]
    others: int


_NOTHING = Seen(None, [], 0)


def read() -> Dict[str, Any]:
    """The enforcement of this node as node_info documents it."""
    obstacle, seen = look()
    recorded, boot = ours.enforced(), enforce_unit.at_boot()
    known = recorded or (boot.enforced if boot else None)
    attached = _attached(seen.programs, known)
    excluded = known if known and attached else None
    return {
        "possible": obstacle.possible if obstacle else True,
        "reason": obstacle.reason if obstacle else None,
        "obstacle": obstacle.id if obstacle else None,
        "cgroup": seen.cgroup,
        "attached": attached,
        "exclude_ports": list(excluded.exclude_ports) if excluded else [],
        "exclude_cgroups": _excluded(excluded.exclude_cgroups) if excluded else [],
        "boot": dict(_plain(boot.enforced), enabled=boot.enabled) if boot else None,
        "systemd": has_systemd(),
        "others": seen.others,
    }


def look(kernel: Optional[os.uname_result] = None) -> Tuple[Optional[Obstacle], Seen]:
    """What speaks against enforcement here, and what is attached already. Never raises."""
    try:
        obstacle = _of_machine(kernel or os.uname()) or _of_rights()
        if obstacle is not None and obstacle.id != "unknown":
            return obstacle, _NOTHING
        against, seen = _of_cgroup()
        return against or obstacle, seen
    except ImportError as error:
        why = f"The Python here cannot ask the kernel ({error}): install its ctypes, or set another interpreter."
        return Obstacle(False, "unknown", why), _NOTHING
    except OSError as error:
        return _refusal(error), _NOTHING


def _of_machine(kernel: os.uname_result) -> Optional[Obstacle]:
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel.bpf import NUMBERS

    bits = 8 * struct.calcsize("P")
    if kernel.machine not in NUMBERS or bits != _BITS:
        why = (
            f"This is {kernel.machine} with a Python of {bits} bits, and how to ask the kernel is known for one of "
            f"{_BITS} bits on {', '.join(sorted(NUMBERS))}: there is no way here."
        )
        return Obstacle(False, "architecture", why)
    found = re.match(r"(\d{1,4})\.(\d{1,4})", kernel.release)
    if found is None or tuple(int(text) for text in found.groups()) >= FIRST_RELEASE:
        return None
    if re.match(_BACKPORTED, kernel.release):
        why = f"Linux {kernel.release} may take keepalive options from a program: only an apply tells, by a trial."
        return Obstacle(None, "unknown", why)
    first = ".".join(str(number) for number in FIRST_RELEASE)
    why = (
        f"Linux {kernel.release} takes no keepalive options from a program, Linux {first} does: install a newer kernel."
    )
    return Obstacle(False, "kernel", why)


def _of_rights() -> Optional[Obstacle]:
    if os.geteuid() != 0:
        why = "Root alone sees which programs are attached: run again as root (-e keepalive_become=true)."
        return Obstacle(None, "rights", why)
    if (read_text("/proc/self/uid_map").value or "").split() not in ([], _EVERY_USER):
        why = (
            "This root is one of a user namespace, and the kernel takes programs from the node's own alone: run on "
            "the host itself."
        )
        return Obstacle(False, "rights", why)
    found = re.search(r"(?m)^CapEff:\s*([0-9a-f]{1,16})$", read_text("/proc/self/status").value or "")
    rights = int(found.group(1), 16) if found else -1
    if rights >> _SYS_ADMIN & rights >> _NET_ADMIN & 1:
        return None
    why = "It takes CAP_SYS_ADMIN and CAP_NET_ADMIN to attach a program, which this root lacks: run on the host itself."
    return Obstacle(False, "rights", why)


def _of_cgroup() -> Tuple[Optional[Obstacle], Seen]:
    """Raises OSError where the kernel does not say what is attached."""
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, cgroups

    if not cgroups.known():
        why = "This kernel has no cgroup v2 (cgroup2 in /proc/filesystems): install one that has it."
        return Obstacle(False, "cgroup", why), _NOTHING
    partial = cgroups.obstacle()
    if partial:
        return Obstacle(False, "cgroup", partial), _NOTHING
    with cgroups.root(mount=False) as root:
        if root is None:
            bpf.ask()
            return None, _NOTHING
        programs, flags = bpf.attached(root.descriptor)
    mine = _ours([(each.name, each.tag) for each in programs])
    seen = Seen(root.path, mine, len(programs) - len(mine))
    if programs and not flags & bpf.ALLOW_MULTI:
        why = (
            f"The program {programs[0].name or programs[0].id} of somebody else is attached to the root cgroup and "
            "lets none be beside it: have it attached with BPF_F_ALLOW_MULTI, or detached."
        )
        return Obstacle(False, "cgroup", why), seen
    return None, seen


def _refusal(error: OSError) -> Obstacle:
    said = error.strerror or str(error)
    if isinstance(error, PermissionError):
        mode = re.search(r"\[(integrity|confidentiality)\]", read_text(_LOCKDOWN).value or "")
        if mode:
            why = f"The kernel refuses it ({said}) and is locked down ({mode.group(1)}): boot without lockdown."
            return Obstacle(False, "lockdown", why)
        why = f"The kernel refuses it ({said}): run on the host itself, and see what its security modules deny."
        return Obstacle(False, "rights", why)
    if error.errno in (errno.ENOSYS, errno.EINVAL):
        why = f"The kernel knows no programs of cgroups ({said}): install one with CONFIG_CGROUP_BPF."
        return Obstacle(False, "kernel", why)
    why = f"The kernel does not say which programs are attached ({said}): look at bpftool cgroup tree."
    return Obstacle(None, "unknown", why)


def _ours(programs: List[Tuple[str, str]]) -> List[Tuple[str, str]]:
    if not programs:
        return []
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import sock_ops  # few nodes have any

    return [each for each in programs if sock_ops.values_of(each[0])]


def _attached(programs: List[Tuple[str, str]], known: Optional[Enforcement]) -> Optional[Dict[str, Any]]:
    """The one of ours that runs last, whose values count; exact where it is alone and the very one that is recorded."""
    if not programs:
        return None
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import sock_ops

    name, tag = programs[-1]
    values = sock_ops.values_of(name) or Keepalive(0, 0, 0)
    exact = len(programs) == 1 and known is not None and known.keepalive == values
    if exact and known is not None:
        exact = tag in sock_ops.tags(sock_ops.code_of(sock_ops.program(values, known.exclude_ports)))
    return dict(values._asdict(), exact=exact)


def _excluded(paths: Tuple[str, ...]) -> List[str]:
    """Those of the cgroups that are excluded. One that is not there or cannot be looked at counts as such."""
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import cgroups

    if not paths:
        return []
    try:
        with cgroups.root(mount=False) as root:
            return [path for path in paths if root is None or _is_excluded(root.descriptor, path)]
    except OSError:
        return list(paths)


def _is_excluded(top: int, path: str) -> bool:
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, cgroups, sock_ops

    cgroup = cgroups.below(top, path)
    if cgroup is None:
        return True
    try:
        return any(each.name == sock_ops.MARKER for each in bpf.attached(cgroup)[0])
    finally:
        os.close(cgroup)


def _plain(enforced: Enforcement) -> Dict[str, Any]:
    lists = {"exclude_ports": list(enforced.exclude_ports), "exclude_cgroups": list(enforced.exclude_cgroups)}
    return dict(enforced.keepalive._asdict(), **lists)
