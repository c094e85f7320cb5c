# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which kernel modules are there now. Reading only, and loads nothing. Private to this collection."""

import os
from typing import List

from .node_files import below, read_conf

# What a module brings, so that one built into the kernel, or not to be seen from a container, counts too.
_MARKS = {
    "ip_vs": "/proc/net/ip_vs",
    "nf_conntrack": "/proc/sys/net/netfilter/nf_conntrack_max",
    "br_netfilter": "/proc/sys/net/bridge/bridge-nf-call-iptables",
}


def module_loaded(name: str, root: str = "/") -> bool:
    """Whether the module's function is there: loaded or built in. Loads nothing."""
    name = normal_name(name)
    if name in _MARKS and os.path.exists(below(root, _MARKS[name])):
        return True
    return os.path.isdir(below(root, "/sys/module/" + name)) or name in _listed(root)


def ipvs_loaded() -> bool:
    """Whether the kernel has IPVS now (module loaded or built in), as seen in this network namespace."""
    return os.path.exists(_MARKS["ip_vs"])


def module_builtin(name: str, root: str = "/") -> bool:
    """Whether the running kernel has it built in: its list says so, or it is there without being a loaded module."""
    name = normal_name(name)
    if name in _listed(root):
        return False
    return module_loaded(name, root) or name in _builtin_list(root)


def use_loads_nothing(name: str, root: str = "/") -> bool:
    """Whether using the module's function loads nothing: it is there, or this kernel loads no modules at all."""
    return not _loadable(root) or module_loaded(name, root) or module_builtin(name, root)


def normal_name(name: str) -> str:
    """The kernel takes a dash in a module's name for an underscore."""
    return name.replace("-", "_")


def _listed(root: str) -> List[str]:
    """The names in /proc/modules; none where the kernel has no loadable modules."""
    try:
        with open(below(root, "/proc/modules"), "rb") as handle:
            return [line.split(None, 1)[0].decode("utf-8", "replace") for line in handle if line.strip()]
    except OSError:
        return []


def _loadable(root: str) -> bool:
    """Whether modules can be loaded: not without CONFIG_MODULES, not once kernel.modules_disabled is 1."""
    disabled = read_conf("/proc/sys/kernel/modules_disabled", root, [])
    if disabled is not None:
        return disabled.strip() != b"1"
    return os.path.exists(below(root, "/proc/modules")) or os.path.exists(below(root, "/proc/sys/kernel/modprobe"))


def _builtin_list(root: str) -> List[str]:
    """The modules built into the running kernel (lines such as kernel/net/netfilter/nf_conntrack.ko)."""
    return [module_of_file(line) for line in depmod_lines("modules.builtin", root)]


def depmod_lines(name: str, root: str) -> List[str]:
    """The lines of a file that depmod makes for the running kernel."""
    data = read_conf(f"/lib/modules/{os.uname().release}/{name}", root, []) or b""
    return data.decode("utf-8", "replace").splitlines()


def module_of_file(path: str) -> str:
    """kernel/net/netfilter/nf_conntrack.ko.xz to nf_conntrack."""
    return normal_name(os.path.basename(path).split(".")[0])
