# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose each network namespace is: the node's own, a pod's, a container's or another's. Reading only. Private to this
collection."""

import os
from itertools import compress
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import Reading, read_text

from .pod_names import NOBODY, Container, Owner, PodName, Process, owner_of, parse_stat, pod_names

_MAX_PROCESSES = 50
"""More processes of one namespace are not asked who they are."""

_PAUSE = "pause"
"""What holds a pod's namespace open; naming it tells nobody anything."""


class Attributed(NamedTuple):
    """A namespace, whose it is, and its processes, the oldest first. untold: why it may be somebody's all the same."""

    space: Space
    owner: Owner
    processes: List[Process]
    untold: Optional[str] = None

    @property
    def key(self) -> Optional[str]:
        """What tells its pod or container from all others of the node."""
        uid, container = self.owner
        return uid or (container.key if container else None)


class Names(NamedTuple):
    """Of pods by UID, and the labels of containers."""

    pods: Dict[str, PodName]
    containers: Dict[Container, str]

    def label(self, owner: Owner) -> str:
        if owner.uid is None:
            return self.containers[owner.container] if owner.container else ""
        name = self.pods.get(owner.uid)
        pod = f"{name.namespace}/{name.name}" if name else f"pod {owner.uid}"
        return f"{pod} in {self.containers[owner.container]}" if owner.container else pod


def attribute(spaces: List[Space], proc: str, log_directory: str) -> Tuple[List[Attributed], Names]:
    """Whose each of these namespaces is, and the names of all. Never raises; what ended meanwhile has no name."""
    pods = pod_names(log_directory)
    attributed = [_attributed(space, proc) for space in spaces]
    return attributed, Names(pods, labels_of([each.owner for each in attributed]))


def main_namespaces(attributed: List[Attributed]) -> Dict[int, str]:
    """The key by the inode of each pod's own namespace: that of its oldest process, where a program made more."""
    oldest: Dict[str, Tuple[Process, int]] = {}
    for each in attributed:
        if each.key is not None:
            candidate = (each.processes[0], each.space.inode)
            oldest[each.key] = min(candidate, oldest.get(each.key, candidate))
    return {inode: key for key, (_process, inode) in oldest.items()}


def kind_of(each: Attributed, is_main: bool) -> str:
    if each.space.own:
        return "node"
    uid, container = each.owner
    if not is_main or (uid is None and (container is None or container.rootless)):
        return "other"
    return "pod" if uid is not None else "container"


def label_of(each: Attributed, is_main: bool, owner: str) -> str:
    """What to call a namespace; owner is what to call its pod or container."""
    if each.space.own:
        return "the node itself"
    if is_main:
        return owner
    if not each.processes:
        return f"network namespace {each.space.names[0] if each.space.names else each.space.inode}"
    process = telling(each.processes)
    text = f"process {process.name} ({process.pid})"
    return f"{owner}, {text}" if owner else text


def telling(processes: List[Process]) -> Process:
    """The oldest that is not the pause container."""
    return next((process for process in processes if process.name != _PAUSE), processes[0])


def labels_of(owners: List[Owner]) -> Dict[Container, str]:
    """What to call the containers among them."""
    found = [owner.container for owner in owners if owner.container is not None]
    if not found:
        return {}
    from .container_names import labels  # not every node has containers outside of pods

    return labels(found)


def owner_of_process(pid: int, proc: str) -> Owner:
    return owner_of(read_text(f"{proc}/{pid}/cgroup").value or "")


def _attributed(space: Space, proc: str) -> Attributed:
    stats = [read_text(f"{proc}/{pid}/stat") for pid in space.pids[:_MAX_PROCESSES]]
    processes = sorted(found for found in (parse_stat(each.value or "") for each in stats) if found is not None)
    if space.own:
        return Attributed(space, NOBODY, processes)
    cgroups = [read_text(f"{proc}/{process.pid}/cgroup") for process in processes]
    inodes = [_inode(f"{proc}/{process.pid}/ns/net") for process in processes]
    # Later than its control groups: a pod may have got the number of a process that has ended meanwhile.
    is_there = [each.value == str(space.inode) for each in inodes]
    owner = _owner([owner_of(each.value or "") for each in compress(cgroups, is_there)])
    untold = next((each.error for each in [*stats, *cgroups, *inodes] if each.error), None)
    return Attributed(space, owner, list(compress(processes, is_there)), untold if owner == NOBODY else None)


def _inode(namespace: str) -> Reading:
    try:
        return Reading("present", str(os.stat(namespace).st_ino), None)
    except (FileNotFoundError, ProcessLookupError):
        return Reading("absent", None, None)
    except OSError as error:
        return Reading("unreadable", None, f"{namespace}: {error.strerror or error}")


def _owner(owners: List[Owner]) -> Owner:
    """Whose a namespace is by the owners of its processes, the oldest first.

    A process from outside may look into a namespace, so any that belongs to a pod tells. But pods with hostNetwork of a
    cluster in a container are in the container's own namespace, which has an older process of the container.
    """
    known = [owner for owner in owners if owner != NOBODY]
    pod = next((owner for owner in known if owner.uid is not None), None)
    if pod is None or (pod.container is not None and known[0] == Owner(None, pod.container)):
        return known[0] if known else NOBODY
    return pod
