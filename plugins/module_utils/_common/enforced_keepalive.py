# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What enforcement that is in force means for a network namespace, for nodes and the controller. Pure. Private to this
collection.

The program decides over a connection when it opens. So it says something of what a namespace opens from now on, and
nothing of what is open already.
"""

import re
from typing import Iterable, Optional

from .keepalive import Keepalive, is_usable

# What systemd names the groups of services. No runtime puts a pod there but below its own or kubelet's, where the one
# uses the systemd driver and the other cgroupfs.
_SERVICE = re.compile(
    r"/system\.slice/(?!(?:containerd|crio|docker|kubelet|k0s|k3s|rke2|snap\.microk8s)[^/]*$)[^/]+\.service"
)

# kubelet has the pod's UID in the name of its group, with the systemd driver with _ for - (pkg/kubelet/cm).
_POD_GROUP = re.compile(r"[/-]pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12})(?=[/.]|$)")


def of_new_connections(own: Keepalive, enforced: Keepalive, replaces: bool) -> Optional[Keepalive]:
    """The keepalive of what a namespace with its ``own`` opens from now on, None where enforcement does not decide.

    Never later than its own, where the kernel lets the program read that. It does not decide over values below 1.
    ``replaces``: the kernel does not let the program read what a socket has.
    """
    if not is_usable(own):
        return None
    if replaces:
        return enforced
    if own.time <= enforced.time and own.intvl <= enforced.intvl:
        return own
    return Keepalive(min(own.time, enforced.time), min(own.intvl, enforced.intvl), enforced.probes)


def may_leave_out(cgroups: Iterable[str], pod_uid: Optional[str], is_pod: bool) -> bool:
    """Whether one of the excluded control groups may hold processes of a namespace.

    Of a pod's another pod's cannot, nor a service's.
    """
    return any(_may_hold(cgroup, pod_uid, is_pod) for cgroup in cgroups)


def _may_hold(cgroup: str, pod_uid: Optional[str], is_pod: bool) -> bool:
    if not is_pod:
        return True
    pod = _POD_GROUP.search(cgroup)
    if pod is not None and pod_uid:
        return pod.group(1).replace("_", "-") == pod_uid.lower().replace("_", "-")
    return not _SERVICE.fullmatch(cgroup)
