# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the node runs containers: the daemon that does. Private to this collection."""

from typing import List, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import NODE, Found, Process, Wanted
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import namespace_of

from .connections.pod_names import owner_of

NAMES = ("containerd", "crio", "dockerd", "k3s", "k3s-agent", "k3s-server")
"""What a process of each calls itself. K3s and RKE2 have containerd as a child, which may not be up yet."""


def _is_contained(process: Process) -> bool:
    """Whether it is of a pod or container, which may share every namespace but its files with the node.

    Files of its own alone tell nothing: systemd and snap give them to daemons of the node, too.
    """
    uid, container = owner_of(process.cgroups())
    return bool(uid or container) or process.namespace("pid") != namespace_of("self", "pid")


WANTED = Wanted(NAMES, NODE, _is_contained)


def names(found: Found) -> Optional[List[str]]:
    """The name of the daemon in a list, an empty one where there is none; None where that is not certain.

    ``found`` is what processes.find() found of WANTED.
    """
    process, doubts = found
    if process is None:
        return None if doubts else []
    try:
        return [process.name()]
    except OSError:  # it has ended
        return None
