# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a daemon of the node runs, or will after a boot: by its files, asking nobody. Private to this collection."""

import os
from typing import Iterable, List, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import (
    Problem,
    below,
    entries,
    is_there,
)

_PLACES = ("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin")
_UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


_RUNLEVELS = ("/etc/rc2.d", "/etc/rc3.d", "/etc/rc4.d", "/etc/rc5.d")


def in_use(name: str, pid_files: Iterable[str], root: str, problems: List[Problem]) -> bool:
    """Whether the program of that name is installed, and runs as a daemon now or starts at boot.

    It runs where one of its pid files is there. It starts at boot where some unit wants it (the link that ``systemctl
    enable`` makes, or its package), unless it is masked, and by the links of System V's runlevels 2 to 5. What cannot
    be seen of that is added to problems, unless another place says yes.
    """
    unseen: List[Problem] = []
    if not is_installed(name, root, unseen):
        used = False
    else:
        used = any(is_there(path, root, unseen) for path in pid_files) or _starts(name, root, unseen)
    problems += [] if used else unseen
    return used


def is_installed(name: str, root: str, problems: List[Problem]) -> bool:
    """Whether the program of that name is where programs lie. What cannot be seen of that is added to problems."""
    return place_of(name, root, problems) is not None


def place_of(name: str, root: str, problems: List[Problem]) -> Optional[str]:
    """The path of that program, the first of where programs lie."""
    return next((path for place in _PLACES for path in [f"{place}/{name}"] if is_there(path, root, problems)), None)


def _starts(name: str, root: str, problems: List[Problem]) -> bool:
    if _wanted(f"{name}.service", root, problems):
        return True
    links = [link for folder in _RUNLEVELS for link in entries(folder, root, problems)]
    return any(link[:1] == "S" and link[1:3].isdigit() and link[3:] == name for link in links)


def _wanted(unit: str, root: str, problems: List[Problem]) -> bool:
    if any(_is_masked(below(root, f"{folder}/{unit}")) for folder in _UNITS):
        return False
    wants = [f"{folder}/{each}" for folder in _UNITS for each in entries(folder, root, problems)]
    return any(unit in entries(each, root, problems) for each in wants if each.endswith(".wants"))


def _is_masked(path: str) -> bool:
    return os.path.islink(path) and os.readlink(path) == os.devnull
