# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kernel modules: what is there now and what is loaded at boot. Reading only. Private to this collection."""

import os
import shlex
from typing import Dict, List, NamedTuple, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._conf_files import (
    Problem,
    below,
    conf_files,
    read_conf,
)


class Source(NamedTuple):
    """The line of a file that loads a module at boot."""

    file: str
    line: int


MAX_NAME_BYTES = 255
"""Longer lines name no module (file names are shorter)."""

# What a module brings, so that one built into the kernel, or not to be seen from a container, counts too.
_MARKS = {
    "ip_vs": "/proc/net/ip_vs",
    "nf_conntrack": "/proc/sys/net/netfilter/nf_conntrack_max",
    "br_netfilter": "/proc/sys/net/bridge/bridge-nf-call-iptables",
}


def module_loaded(name: str, root: str = "/") -> bool:
    """Whether the module's function is there: loaded or built in. Loads nothing."""
    name = _normal(name)
    if name in _MARKS and os.path.exists(below(root, _MARKS[name])):
        return True
    return os.path.isdir(below(root, "/sys/module/" + name)) or name in _listed(root)


def module_builtin(name: str, root: str = "/") -> bool:
    """Whether the running kernel has it built in: its list says so, or it is there without being a loaded module."""
    name = _normal(name)
    if name in _listed(root):
        return False
    return module_loaded(name, root) or name in _builtin_list(root)


def use_loads_nothing(name: str, root: str = "/") -> bool:
    """Whether using the module's function loads nothing: it is there, or this kernel loads no modules at all."""
    return not _loadable(root) or module_loaded(name, root) or module_builtin(name, root)


def boot_modules(root: str = "/") -> Dict[str, Source]:
    """The modules that systemd-modules-load loads at boot, before systemd-sysctl runs, by name (underscores)."""
    return read_boot_modules(root)[0]


def read_boot_modules(root: str = "/") -> Tuple[Dict[str, Source], List[Problem]]:
    """What boot_modules returns, and the places in modules-load.d that name no module or cannot be read.

    Read are ``modules_load=`` on the kernel's command line and modules-load.d; /etc/modules counts where a link in
    modules-load.d names it, as Debian's modules.conf does: modules-load.d(5), systemd's src/modules-load.
    """
    found: Dict[str, Source] = {}
    problems: List[Problem] = []
    for name in cmdline_modules(read_conf("/proc/cmdline", root, problems) or b""):
        found.setdefault(name, Source("/proc/cmdline", 1))
    for file in conf_files("modules-load.d", root, problems):
        names, wrong = parse_modules(read_conf(file, root, problems) or b"")
        problems.extend(Problem(file, number, why) for number, why in wrong)
        for number, name in names:
            found.setdefault(name, Source(file, number))
    return found, problems


def with_dependencies(boot: Dict[str, Source], root: str = "/") -> Dict[str, Source]:
    """boot and the modules it brings along: each with the line of the module that needs it (modules.dep(5))."""
    result = dict(boot)
    for line in _lines("modules.dep", root) if boot else []:
        needs = [_file_module(part) for part in line.replace(":", " ", 1).split()]
        if needs and needs[0] in boot:
            for name in needs[1:]:
                result.setdefault(name, boot[needs[0]])
    return result


def parse_modules(data: bytes) -> Tuple[List[Tuple[int, str]], List[Tuple[int, str]]]:
    """The (line number, module) pairs of a modules-load.d file, and (line number, what is wrong) pairs."""
    names, wrong = [], []
    for number, raw in enumerate(data.split(b"\n"), 1):
        text = raw.strip(b" \t\r")
        if not text or text[:1] in (b"#", b";"):
            continue
        if len(text) > MAX_NAME_BYTES:
            wrong.append((number, f"the line has {len(text)} bytes, a module's name at most {MAX_NAME_BYTES}"))
        elif any(byte > 127 for byte in text):
            wrong.append((number, "the line is not plain ASCII text"))
        elif len(text.split()) > 1:
            wrong.append((number, "the line has more than the name of a module"))
        else:
            names.append((number, _normal(text.decode("ascii"))))
    return names, wrong


def cmdline_modules(data: bytes) -> List[str]:
    """The modules of ``modules_load=a,b`` (or ``modules-load=``) on a kernel command line. Never raises."""
    text = data.decode("utf-8", "replace")
    try:
        words = shlex.split(text)
    except ValueError:
        words = text.split()
    found: List[str] = []
    for word in words:
        key, sep, value = word.partition("=")
        if sep and _normal(key) == "modules_load":
            found.extend(_normal(name) for name in value.split(",") if name)
    return found


def _normal(name: str) -> str:
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
    return [_file_module(line) for line in _lines("modules.builtin", root)]


def _lines(name: str, root: str) -> List[str]:
    """The lines of a file that depmod makes for the running kernel."""
    data = read_conf(f"/lib/modules/{os.uname().release}/{name}", root, []) or b""
    return data.decode("utf-8", "replace").splitlines()


def _file_module(path: str) -> str:
    """kernel/net/netfilter/nf_conntrack.ko.xz to nf_conntrack."""
    return _normal(os.path.basename(path).split(".")[0])
