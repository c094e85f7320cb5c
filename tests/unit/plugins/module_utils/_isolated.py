# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running Python in a namespace of its own, for tests of what the kernel really does."""

import os
import subprocess
import sys

from ansible_collections.kubenode.connections.plugins.module_utils._common import sysctl_keys

MODULE_UTILS = "ansible_collections.kubenode.connections.plugins.module_utils"
ROOT = os.path.dirname(os.path.abspath(sysctl_keys.__file__)).rsplit(os.sep + "ansible_collections" + os.sep, 1)[0]


def run(*command):
    """The output of a command that must succeed, stdout and stderr together."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment())
    output = process.communicate()[0].decode("utf-8", "replace")
    assert process.returncode == 0, f"failed (it needs root, unshare and setpriv): {command}\n{output}"
    return output.strip()


def run_python(rooms, code, *prefix):
    """What code prints, with these rooms imported, below a prefix such as ("unshare", "-mn")."""
    return run(*prefix, *python(rooms, code))


def python(rooms, code):
    """The command that runs code with these rooms imported: wing and name each, maybe `as` another."""
    parts = [room.rpartition(".") for room in rooms.split(", ")]
    imports = "".join(f"from {MODULE_UTILS}.{wing} import {room}\n" for wing, _dot, room in parts)
    return sys.executable, "-c", imports + code


def environment():
    """The environment in which the collection can be imported."""
    return dict(os.environ, PYTHONPATH=ROOT, PYTHONDONTWRITEBYTECODE="1")


ALL_RIGHTS = "Run with all capabilities: this root lacks some, as in a container."
"""What to do where a root without capabilities is denied something."""


def run_without_rights(names, code):
    """What code prints as a root who may not pass by permissions, as in a container."""
    return run_python(names, code, "setpriv", "--bounding-set=-all", "--inh-caps=-all")
