# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Units of ours that systemd runs at boot: where they lie, and what starts them. Private to this collection."""

import os
import re
import sys
from typing import Callable

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import root_only

DIRECTORY = "/etc/systemd/system"
RUNNING = "/run/systemd/system"  # sd_booted(3)

_STABLE = ("/usr/bin/python3", "/usr/libexec/platform-python")
"""Names of the distribution's own Python that stay when an upgrade brings another version of it."""

_PROGRAM = r"(?m)^ExecStart=(\"?)(.+?)\1 -[cI] "


def path_of(name: str) -> str:
    return DIRECTORY + "/" + name


def link_of(name: str) -> str:
    """The link that has it started at boot."""
    return DIRECTORY + "/multi-user.target.wants/" + name


def has_systemd(is_directory: Callable[[str], bool] = os.path.isdir) -> bool:
    return is_directory(RUNNING) or is_directory(DIRECTORY)


def quote(word: str) -> str:
    """One word of a command line in a unit: systemd.service(5) "Command lines", systemd.unit(5) "Specifiers"."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if re.match(r"\A[A-Za-z0-9_./+-]+\Z", word) else f'"{escaped}"'


def can_start(text: str) -> bool:
    """Whether the program of a unit of ours is still there; an upgrade of the distribution may have removed it."""
    found = re.search(_PROGRAM, text)
    path = found.group(2).replace("%%", "%").replace("$$", "$") if found else ""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def node_python(otherwise: str) -> str:
    """The Python that runs this, by a name that stays where it has one; where others than root can change it, another.

    systemd starts none with quotes or backslashes in its path (string_is_safe). otherwise ends what a person is told to
    do. Raises NodeError.
    """
    path = sys.executable
    real = os.path.realpath(path or "")
    path = next((name for name in _STABLE if os.path.exists(name) and os.path.realpath(name) == real), path)
    if not path or re.search(r"[\x00-\x1f\"'\\\x7f]", path):
        raise NodeError(
            f"Python: its path {path!r} cannot stand in a systemd unit. Set ansible_python_interpreter to a plain "
            f"absolute path{otherwise}."
        )
    doubt = root_only.doubt(path)
    if doubt is None:
        return path
    other = next((name for name in _STABLE if os.path.exists(name) and not root_only.doubt(name)), None)
    if other is None:
        raise NodeError(
            f"Python: {doubt}: systemd would start it as root at each boot. Set ansible_python_interpreter to the "
            f"distribution's own{otherwise}."
        )
    return other
