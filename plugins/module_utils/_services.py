# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a service of the node runs, or will after a boot: by its files, asking nobody. Private to this collection."""

import glob
import os
from typing import Iterable

from ansible_collections.kubenode.connections.plugins.module_utils._conf_files import below

_PLACES = ("/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin", "/sbin", "/bin")
_UNITS = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")


def in_use(name: str, pid_files: Iterable[str] = (), root: str = "/") -> bool:
    """Whether the program of that name is installed, and its service runs now or starts at boot.

    It runs where one of its pid files is there. It starts at boot where some unit wants it (the link that ``systemctl
    enable`` makes, or its package), unless it is masked, and by the links of System V's runlevels 2 to 5.
    """
    if not any(os.path.isfile(below(root, f"{place}/{name}")) for place in _PLACES):
        return False
    if any(os.path.exists(below(root, path)) for path in pid_files):
        return True
    return _wanted(name, root) or bool(glob.glob(below(root, f"/etc/rc[2-5].d/S[0-9][0-9]{glob.escape(name)}")))


def _wanted(name: str, root: str) -> bool:
    unit = f"{name}.service"
    if any(_is_masked(below(root, f"{folder}/{unit}")) for folder in _UNITS):
        return False
    return any(glob.glob(below(root, f"{folder}/*.wants/{glob.escape(unit)}")) for folder in _UNITS)


def _is_masked(path: str) -> bool:
    return os.path.islink(path) and os.readlink(path) == os.devnull
