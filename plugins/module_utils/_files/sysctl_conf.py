# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/etc/sysctl.conf, which not every distribution reads at boot. Reading only. Private to this collection."""

import os
from typing import Dict, Iterable, List, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem, below, read_conf
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import fold

from .drop_ins import conf_files
from .sysctl_d import has_systemd_sysctl, parse_lines
from .sysctl_values import taken

PATH = "/etc/sysctl.conf"


class Line(NamedTuple):
    """The last line that sets a key."""

    value: str
    line: int


class SysctlConf(NamedTuple):
    """The file: whether it is read at boot, and what it sets."""

    read_at_boot: bool
    sysctls: Dict[str, Line]


def read(keys: Iterable[str], root: str, problems: List[Problem]) -> Optional[SysctlConf]:
    """What the file sets the keys to, None where it is not there or cannot be read.

    systemd-sysctl reads it where a drop-in is a link to it, as 99-sysctl.conf is on many distributions (Debian has none
    since 13); procps, which sets the keys where systemd-sysctl is not installed, always reads it, and so do ``sysctl
    --system`` and ``sysctl -p`` by hand.
    """
    data = read_conf(PATH, root, problems)
    if data is None:
        return None
    wanted = set(keys)
    found = {
        str(line.key): Line(taken(str(line.key), line.value) or fold(line.value), line.number)
        for line in parse_lines(data)
        if line.key in wanted and line.value
    }
    return SysctlConf(not has_systemd_sysctl(root) or _is_linked(root), found)


def _is_linked(root: str) -> bool:
    return any(_target(path, root) == PATH for path in conf_files("sysctl.d", root, []))


def _target(path: str, root: str) -> str:
    try:
        target = os.readlink(below(root, path))
    except OSError:  # no link
        return path
    return os.path.normpath(os.path.join(os.path.dirname(path), target))
