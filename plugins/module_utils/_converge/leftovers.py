# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What of ours is still on a node whose record of the originals was lost, and what to do by hand. Private to this
collection.
"""

import os
from typing import List, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common import rps_rules
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._files import ipvs_unit
from ansible_collections.kubenode.connections.plugins.module_utils._files.sysctl_editor import SYSCTLS, values

from .options import SYSCTL_FILE, Settings
from .originals import NOTHING, PATH, Originals
from .restorable import is_ours
from .steps.files import read_config

_UNIT_TODO = (
    "It sets the IPVS timeouts at every boot. To take it back by hand, run systemctl disable --now {name}, remove the "
    "file, and set the timeouts that you want (ipvsadm --set 900 120 300 is what the kernel starts with)."
)
_RULE_TODO = (
    "It sets Receive Packet Steering at every boot. To take it back by hand, remove the file, run udevadm control "
    "--reload, and write 0 to rps_cpus and rps_flow_cnt of the receive queues below /sys/class/net."
)
_DROP_IN_TODO = "New pods get its sysctls. To take it back by hand, remove the file and restart {service}."

_DROP_IN = "99-kubenode-connections.conf"
_DROP_INS = (
    ("/etc/crio/crio.conf.d", "crio"),
    ("/etc/kubernetes/kubelet.conf.d", "kubelet"),
    ("/var/lib/rancher/k3s/agent/etc/kubelet.conf.d", "k3s"),
    ("/var/lib/rancher/rke2/agent/etc/kubelet.conf.d", "rke2"),
)
"""Where our drop-in lies on nodes as their makers install them, and the service that reads it."""


def node_notes(settings: Settings, old: Originals) -> List[str]:
    """What to say of each part that this collection has set and for which there is no record."""
    found: List[Optional[str]] = []
    if settings.ipvs_timeouts is not None and not settings.ipvs_timeouts and not settings.merge:
        found.append(_whole(ipvs_unit.PATH, old, _UNIT_TODO.format(name=ipvs_unit.NAME)))
    if settings.rps is not None and not settings.rps.rows:
        found.append(_whole(rps_rules.PATH, old, _RULE_TODO))
    if settings.sysctls is not None and not settings.sysctls and old == NOTHING:
        found.append(_lines(SYSCTL_FILE))
    return [note for note in found if note]


def pod_notes(old: Originals) -> List[str]:
    """The same about the drop-ins that give new pods their sysctls."""
    notes = [
        _whole(os.path.join(folder, _DROP_IN), old, _DROP_IN_TODO.format(service=service))
        for folder, service in _DROP_INS
    ]
    return [note for note in notes if note]


def _whole(path: str, old: Originals, todo: str) -> Optional[str]:
    if path in old.files or not is_ours(read_config(path)):
        return None
    return f"{path} was written by this collection and stays: no record of it is in {PATH} any more. {todo}"


def _lines(path: str) -> Optional[str]:
    """Lines have no mark. Told are those as we write them that change the kernel's default of a key that we set."""
    data = read_config(path) or b""
    found = [
        SYSCTLS.line(key, value)
        for key, value in values(data, SYSCTLS).items()
        if key in KEYS
        and KEYS[key].default not in (None, value)
        and SYSCTLS.line(key, value).encode() in data.split(b"\n")
    ]
    if not found:
        return None
    return (
        f"{path} has {', '.join(found)}. Whether this collection wrote that, nobody can tell: there is no record "
        f"({PATH}), so it stays. If nobody wants it, take it out and set the live values that you want (sysctl -w)."
    )
