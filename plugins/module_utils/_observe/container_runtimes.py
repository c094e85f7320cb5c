# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the node runs containers: the daemon that does. Private to this collection."""

from typing import List, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import NODE, Found, Wanted

NAMES = ("containerd", "crio", "dockerd", "k3s", "k3s-agent", "k3s-server")
"""What a process of each calls itself. K3s and RKE2 have containerd as a child, which may not be up yet."""

WANTED = Wanted(NAMES, NODE)


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
