# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which kernel modules are loaded at boot. Reading only. Private to this collection."""

import shlex
from typing import Dict, List, NamedTuple, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.modules import (
    depmod_lines,
    module_of_file,
    normal_name,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem, read_conf

from .drop_ins import conf_files


class Source(NamedTuple):
    """The line of a file that loads a module at boot."""

    file: str
    line: int


MAX_NAME_BYTES = 255
"""Longer lines name no module (file names are shorter)."""


def read_boot(root: str = "/") -> Tuple[Dict[str, Source], List[Problem]]:
    """The modules that systemd-modules-load loads at boot, before systemd-sysctl runs, by name (underscores).

    And the places in modules-load.d that name no module or cannot be read. What counts is ``modules_load=`` on the
    kernel's command line and modules-load.d; /etc/modules where a link in modules-load.d names it, as Debian's
    modules.conf does: modules-load.d(5), systemd's src/modules-load.
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
    for line in depmod_lines("modules.dep", root) if boot else []:
        needs = [module_of_file(part) for part in line.replace(":", " ", 1).split()]
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
            names.append((number, normal_name(text.decode("ascii"))))
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
        if sep and normal_name(key) == "modules_load":
            found.extend(normal_name(name) for name in value.split(",") if name)
    return found
