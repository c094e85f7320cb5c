# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running pods and containers, each with ways into its network namespace. Reading only. Private to this
collection."""

from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space

from .attribution import Attributed, Names, attribute, kind_of, main_namespaces
from .pod_names import LOG_DIRECTORY
from .sandboxes import sandbox_of

_WAYS = 3
"""A process may end while we look, so some others of its namespace are tried."""


class Pod(NamedTuple):
    """A running pod or container with a network namespace of its own, and some paths that lead to it.

    keepalive is None where it was not read, error says why it could not be. sandbox: it has TCP of its own there.
    namespace tells its network namespace from any other, see namespaces.own_identity; None where it was not read.
    """

    label: str
    inode: int
    ways: List[str]
    keepalive: Optional[Keepalive]
    error: Optional[str]
    sandbox: Optional[str] = None
    namespace: Optional[str] = None


Running = Tuple[Dict[str, Pod], Optional[str]]
"""The running pods or containers, and why there may be more of them (None: these are all)."""


def pods_of(spaces: List[Space], proc: str = "/proc", log_directory: str = LOG_DIRECTORY) -> Running:
    """The running pods of these namespaces by UID. Never raises; what ended meanwhile is not there."""
    return _running("pod", spaces, proc, log_directory)


def containers_of(spaces: List[Space], proc: str = "/proc") -> Running:
    """The same for containers outside of pods, by engine and ID; not those of users, who give cgroups any name."""
    return _running("container", spaces, proc, LOG_DIRECTORY)


def _running(kind: str, spaces: List[Space], proc: str, log_directory: str) -> Running:
    attributed, names = attribute(spaces, proc, log_directory)
    main = main_namespaces(attributed)
    found = {
        main[each.space.inode]: _pod(each, names, proc)
        for each in attributed
        if each.space.inode in main and kind_of(each, True) == kind
    }
    return found, next((each.untold for each in attributed if each.untold), None)


def _pod(each: Attributed, names: Names, proc: str) -> Pod:
    ways = [f"{proc}/{process.pid}/ns/net" for process in each.processes[:_WAYS]]
    space = each.space
    sandbox = sandbox_of(each.processes, proc)
    return Pod(names.label(each.owner), space.inode, ways, space.keepalive, space.error, sandbox)
