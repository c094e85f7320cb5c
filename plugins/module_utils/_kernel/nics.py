# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NICs with their receive queues, and the CPUs that may work on them. Reading only. Private to this collection."""

import errno
import os
import re
import socket
from typing import Collection, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.cpu_sets import Cpus, format_list, parse_list
from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import remedy
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import Nic, Queue, normal_mask

from .procfs import Fault, read_text, whole_number

NETWORK = "/sys/class/net"
CPUS, FLOWS = "rps_cpus", "rps_flow_cnt"

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ENODEV)
_VIRTUAL = "/devices/virtual/"
_RX = r"rx-[0-9]{1,5}"

# Interrupts of a NIC that bring no packets, by the names that drivers give them: virtio's (drivers/net/virtio_net.c,
# drivers/virtio/virtio_pci_common.c) and those of queues that only send, such as eth0-tx-0.
_NOT_RECEIVING = r"(?i)(-config|-control|-output\.[0-9]+|-tx-[0-9]+)$"


class Rps(NamedTuple):
    """What decides over Receive Packet Steering on this node. CPUs are lists such as 0-3; errors says what is missing.

    cpus_isolated: on which the kernel puts no such work (isolcpus=, nohz_full=). numa_nodes: the CPUs of each.
    """

    cpus_online: Optional[str]
    cpus_isolated: str
    numa_nodes: Dict[str, str]
    sock_flow_entries: Optional[int]
    nics: Tuple[Nic, ...]
    errors: Tuple[Fault, ...]


def read(root: str = "/", names: Optional[Collection[str]] = None, virtual: bool = False) -> Rps:
    """Everything as it is now. root, names and virtual (NICs without a device, too) are for tests."""
    errors: List[Fault] = []
    cpus = os.path.join(root, "sys/devices/system/cpu")
    entries = _text(os.path.join(root, "proc/sys/net/core/rps_sock_flow_entries"), errors)
    isolated = _cpus(os.path.join(cpus, "isolated")) | _cpus(os.path.join(cpus, "nohz_full"))
    return Rps(
        format_list(_cpus(os.path.join(cpus, "online"))) or None,
        format_list(isolated),
        _numa_nodes(os.path.join(root, "sys/devices/system/node")),
        whole_number(entries),
        read_nics(root, names, virtual, errors),
        tuple(errors),
    )


def read_nics(
    root: str = "/",
    names: Optional[Collection[str]] = None,
    virtual: bool = False,
    errors: Optional[List[Fault]] = None,
) -> Tuple[Nic, ...]:
    """The NICs of this network namespace.

    /sys shows those of the namespace that it was mounted in, which may be another one: names that this one does not
    have are left out.
    """
    folder = os.path.join(root, NETWORK.lstrip("/"))
    own = {name for _index, name in socket.if_nameindex()} if names is None else set(names)
    nics, errors = [], [] if errors is None else errors
    for name in sorted(own & set(_entries(folder, errors))):
        path = "/" + os.path.relpath(os.path.realpath(os.path.join(folder, name)), os.path.realpath(root + "/sys"))
        if virtual or not path.startswith(_VIRTUAL):
            nics.append(_nic(root, name, path, errors))
    return tuple(nics)


def _nic(root: str, name: str, path: str, errors: List[Fault]) -> Nic:
    place = os.path.join(root, "sys", path.lstrip("/"))
    device = _above(place, "numa_node", root)
    numa = _text(os.path.join(device, "numa_node"), errors) if device else None
    return Nic(
        name,
        path,
        _text(os.path.join(place, "operstate"), errors) or "unknown",
        whole_number(numa),  # -1 where the device belongs to none
        tuple(_queue(os.path.join(place, "queues", queue), errors) for queue in _queues(place, errors)),
        _irq_cpus(root, _above(place, "irq", root)),
    )


def _queues(place: str, errors: List[Fault]) -> List[str]:
    found = [name for name in _entries(os.path.join(place, "queues"), errors) if re.fullmatch(_RX, name)]
    return sorted(found, key=lambda name: int(name[3:]))


def _queue(path: str, errors: List[Fault]) -> Queue:
    mask, flows = (_text(os.path.join(path, attribute), errors) for attribute in (CPUS, FLOWS))
    return Queue(os.path.basename(path), normal_mask(mask), whole_number(flows))


def _above(place: str, attribute: str, root: str) -> Optional[str]:
    """The folder of the nearest device above a NIC that has the attribute: a virtio NIC's own device has none."""
    top = os.path.join(root, "sys/devices")
    while place.startswith(top + "/"):
        place = os.path.dirname(place)
        if os.path.exists(os.path.join(place, attribute)):
            return place
    return None


def _irq_cpus(root: str, device: Optional[str]) -> Optional[str]:
    """The CPUs that the receive interrupts of a device go to, None where it has none that can be told."""
    if device is None:
        return None
    numbers = _entries(os.path.join(device, "msi_irqs"), []) or [_text(os.path.join(device, "irq"), []) or "0"]
    cpus: Cpus = frozenset()
    for number in numbers:
        actions = _text(os.path.join(root, "sys/kernel/irq", number, "actions"), [])
        if number != "0" and (actions is None or (actions and not re.search(_NOT_RECEIVING, actions))):
            folder = os.path.join(root, "proc/irq", number)
            cpus |= _cpus(os.path.join(folder, "effective_affinity_list")) or _cpus(
                os.path.join(folder, "smp_affinity_list")
            )
    return format_list(cpus) or None


def _numa_nodes(folder: str) -> Dict[str, str]:
    nodes = sorted(int(name[4:]) for name in _entries(folder, []) if re.fullmatch(r"node[0-9]{1,4}", name))
    return {str(node): format_list(_cpus(os.path.join(folder, f"node{node}", "cpulist"))) for node in nodes}


def _cpus(path: str) -> Cpus:
    """The CPUs of a list; none for a file that is not there or says ``(null)``, as nohz_full does where it is off."""
    try:
        return parse_list(_text(path, []) or "")
    except ValueError:
        return frozenset()


def _entries(folder: str, errors: List[Fault]) -> List[str]:
    """What is in a folder; nothing in one that is not there, or has gone."""
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        if error.errno not in _GONE:
            errors.append(Fault(f"{folder}: {error.strerror or error}", remedy(error)))
        return []


def _text(path: str, errors: List[Fault]) -> Optional[str]:
    reading = read_text(path)
    if reading.error:
        errors.append(Fault(reading.error, reading.do))
    return None if reading.value is None else reading.value.strip()
