# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose process is it? Pods by the names that a kubelet gives to cgroups and log directories. Private to this
collection."""

import os
import re
from itertools import islice
from typing import Dict, NamedTuple, Optional, Tuple

LOG_DIRECTORY = "/var/log/pods"
"""Where kubelet makes NAMESPACE_NAME_UID for each pod (pkg/kubelet/kuberuntime/helpers.go, BuildPodLogsDirectory)."""

_MAX_LOG_DIRECTORIES = 50000


class PodName(NamedTuple):
    namespace: str
    name: str


class Process(NamedTuple):
    """A process; ``started`` counts clock ticks since the boot."""

    started: int
    pid: int
    name: str


# A pod's own cgroup is podUID (cgroupfs driver) or kubepods[-QOS]-podUID.slice, with _ for - (systemd driver; before it
# the slices of a --cgroup-root, such as kubelet- in kind), see pkg/kubelet/cm/cgroup_manager_linux.go. A containerd
# without SystemdCgroup under a kubelet with it leaves kubepods-podUID.slice:cri-containerd:ID. A UID is a UUID, or for
# a static pod the MD5 of its configuration. Anything else counts only where kubepods stands before it.
_UID = r"([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})"
_END = r"(?:\.slice)?(?=[/:]|$)"
_POD = re.compile(r"(?:^|[/-])pod" + _UID + _END, re.MULTILINE)
_KUBEPODS_POD = re.compile(
    r"kubepods(?:[/-](?:burstable|besteffort))?[/-]pod([0-9A-Za-z_-]{1,64})" + _END, re.MULTILINE
)

# Below it any user makes cgroups of any name (systemd's Delegate=).
_OF_USERS = "/user.slice/"

# No namespace or name of the API has a _ or a / (RFC 1123), so that the two _ are the separators.
_LOG_NAME = re.compile(r"([a-z0-9-]{1,63})_([a-z0-9.-]{1,253})_([0-9A-Za-z-]{1,64})\Z")


def pod_uid(text: str) -> Optional[str]:
    """The UID of a process' pod by the text of /proc/PID/cgroup, cgroup v1 (a line a hierarchy) or v2. Never raises.

    Of pods within pods (a cluster in a pod) it is the outermost, which is the one that runs on this node, whatever
    names a container gives to cgroups below its own. Paths that lead out of a cgroup namespace (/../..) are as good as
    others.
    """
    for line in text.splitlines():
        path = line.split(":", 2)[-1]
        found = _POD.search(path) or _KUBEPODS_POD.search(path)
        if found is not None and _OF_USERS not in path[: found.start() + 1]:
            return found.group(1).replace("_", "-")
    return None


def parse_stat(text: str) -> Optional[Process]:
    """The process by the text of /proc/PID/stat, None where it makes no sense. Its name may hold anything, ) too."""
    before, _parenthesis, rest = text.rpartition(")")
    pid, _blank, name = before.partition(" (")
    fields = rest.split()
    if len(fields) < 20 or not (pid.isdigit() and fields[19].isdigit()):
        return None
    return Process(int(fields[19]), int(pid), name)


def parse_log_directory(name: str) -> Optional[Tuple[str, PodName]]:
    """UID and name of the pod that a directory NAMESPACE_NAME_UID belongs to; None for another directory."""
    found = _LOG_NAME.match(name)
    return (found.group(3), PodName(found.group(1), found.group(2))) if found else None


def pod_names(directory: str = LOG_DIRECTORY) -> Dict[str, PodName]:
    """Names of pods by UID, as kubelet's log directory has them. Static pods, too; empty where it cannot be read."""
    names: Dict[str, PodName] = {}
    try:
        with os.scandir(directory) as entries:
            found = (parse_log_directory(entry.name) for entry in islice(entries, _MAX_LOG_DIRECTORIES))
            names.update(each for each in found if each is not None)
    except OSError:
        pass
    return names
