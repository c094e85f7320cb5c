# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose process is it? Pods and containers by the names that kubelets and container engines give to cgroups, pods by
those of log directories too. Private to this collection."""

import os
import re
from itertools import islice
from typing import Dict, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import whole_number

LOG_DIRECTORY = "/var/log/pods"
"""Where kubelet makes NAMESPACE_NAME_UID for each pod (pkg/kubelet/kuberuntime/helpers.go, BuildPodLogsDirectory)."""

_MAX_LOG_DIRECTORIES = 50000


class PodName(NamedTuple):
    namespace: str
    name: str


class Container(NamedTuple):
    """A container outside of Kubernetes by the engine that named its cgroup, and the ID or name that it wrote there.

    ``rootless``: the cgroup is a user's, so its name is the user's word only.
    """

    engine: str
    id: str
    rootless: bool

    @property
    def key(self) -> str:
        return f"{self.engine}-{self.id}"


class Owner(NamedTuple):
    """The UID of the pod that a process belongs to, and the container outside of any pod that it, or its pod, is in."""

    uid: Optional[str]
    container: Optional[Container]


NOBODY = Owner(None, None)


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

# What engines name a container's cgroup by: Docker ENGINE-ID.scope (systemd) or docker/ID (cgroupfs); podman libpod-ID,
# in a unit of its own (--cgroups=split) libpod-payload-ID; nerdctl as Docker, with the namespace default as parent;
# machined machine-NAME.scope and its template unit, escaped as systemd does; LXC and Incus lxc.payload.NAME, before
# 4.0 with / or only lxc/NAME.
_ENGINES = {"libpod": "podman", "libpod-payload": "podman", "default": "containerd"}
_SCOPE = r"(docker|libpod|libpod-payload|nerdctl)-([0-9a-f]{64})(?:\.scope)?"
_PARENT = r"(docker|default)/([0-9a-f]{64})"
_ESCAPED = r"((?:[A-Za-z0-9._-]|\\x[0-9a-f]{2}){1,253})"
_MACHINE = rf"(machine-){_ESCAPED}\.scope|(systemd-nspawn@){_ESCAPED}\.service"
_LXC = r"(lxc)(?:\.payload[./]|/)([A-Za-z0-9][A-Za-z0-9._-]{0,252})"
_CONTAINER = re.compile(r"(?:^|/)(?:" + "|".join((_SCOPE, _PARENT, _MACHINE, _LXC)) + r")(?=/|$)")
_MACHINE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}\Z")
_VIRTUAL_MACHINE = "qemu-"

# Below it any user makes cgroups of any name (systemd's Delegate=).
_OF_USERS = "/user.slice/"

# No namespace or name of the API has a _ or a / (RFC 1123), so that the two _ are the separators.
_LOG_NAME = re.compile(r"([a-z0-9-]{1,63})_([a-z0-9.-]{1,253})_([0-9A-Za-z-]{1,64})\Z")


def owner_of(text: str) -> Owner:
    """Whose a process is by the text of /proc/PID/cgroup, cgroup v1 (a line a hierarchy) or v2. Never raises.

    Of pods within pods (a cluster in a pod) it is the outermost, which is the one that runs on this node, whatever
    names a container gives to cgroups below its own; so for containers. Paths that lead out of a cgroup namespace
    (/../..) are as good as others.
    """
    box = None
    for line in text.splitlines():
        path = line.split(":", 2)[-1]
        found = _POD.search(path) or _KUBEPODS_POD.search(path)
        if found is not None and _OF_USERS not in path[: found.start() + 1]:
            return Owner(found.group(1).replace("_", "-"), _container(path[: found.start() + 1]))
        box = box or _container(path)
    return Owner(None, box)


def _container(path: str) -> Optional[Container]:
    """The outermost container in the path of a cgroup."""
    found = _CONTAINER.search(path)
    if found is None:
        return None
    word, name = (each for each in found.groups() if each is not None)
    rootless = _OF_USERS in path[: found.start() + 1]
    if word in ("machine-", "systemd-nspawn@"):
        return _machine(re.sub(r"\\x([0-9a-f]{2})", lambda escape: chr(int(escape.group(1), 16)), name), rootless)
    return Container(_ENGINES.get(word, word), name, rootless)


def _machine(name: str, rootless: bool) -> Optional[Container]:
    """A machine of machined: nspawn's, or a container of libvirt (lxc-PID-NAME); no virtual one."""
    if _MACHINE_NAME.match(name) is None or name.startswith(_VIRTUAL_MACHINE):
        return None
    return Container("libvirt" if name.startswith("lxc-") else "nspawn", name, rootless)


def parse_stat(text: str) -> Optional[Process]:
    """The process by the text of /proc/PID/stat, None where it makes no sense. Its name may hold anything, ) too."""
    before, _parenthesis, rest = text.rpartition(")")
    pid, _blank, name = before.partition(" (")
    fields = rest.split()
    if len(fields) < 20:
        return None
    number, started = whole_number(pid), whole_number(fields[19])
    return None if number is None or started is None else Process(started, number, name)


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
