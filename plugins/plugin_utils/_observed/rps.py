# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NICs, receive queues and CPUs as node_info saw them, as typed values. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.kubenode.connections.plugins.module_utils._common.cpu_sets import Cpus, parse_list
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import Nic, Queue, normal_mask
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import whole_number


@dataclass(frozen=True)
class Rps:
    """What decides over Receive Packet Steering. ``rule``: the text of our udev rules' file, None for no file."""

    online: Cpus
    isolated: Cpus
    numa_nodes: Mapping[int, Cpus]
    nics: tuple[Nic, ...]
    rule: str | None

    @property
    def paths(self) -> dict[str, str]:
        """Where each NIC is below /sys."""
        return {nic.name: nic.path for nic in self.nics}

    def usable(self, numa_node: int | None) -> Cpus:
        """The CPUs that may work on a NIC's packets: those of its NUMA node, all where that is not known.

        Never isolated ones (isolcpus=, nohz_full=): rps_cpumask_housekeeping in net/core/net-sysfs.c takes them out.
        """
        everywhere = (self.online - self.isolated) or self.online
        here = self.numa_nodes.get(numa_node, frozenset()) if numa_node is not None else frozenset()
        return (everywhere & here) or everywhere


def parse_rps(rps: object) -> Rps | None:
    """The ``rps`` of node_info, plain data of any shape; None where NICs and CPUs were not seen."""
    if not isinstance(rps, dict) or not isinstance(rps.get("nics"), list):
        return None
    online = _cpus(rps.get("cpus_online"))
    if not online:
        return None
    numa = rps["numa_nodes"].items() if isinstance(rps.get("numa_nodes"), dict) else ()
    numbered = {whole_number(number): _cpus(cpus) for number, cpus in numa}
    rule = rps.get("rule")
    return Rps(
        online=online,
        isolated=_cpus(rps.get("cpus_isolated")),
        numa_nodes={number: cpus for number, cpus in numbered.items() if number is not None and cpus},
        nics=tuple(nic for nic in map(_nic, rps["nics"]) if nic is not None),
        rule=rule if isinstance(rule, str) else None,
    )


def _nic(nic: object) -> Nic | None:
    if not isinstance(nic, dict) or not all(isinstance(nic.get(name), str) for name in ("name", "path")):
        return None
    queues = nic["queues"] if isinstance(nic.get("queues"), list) else []
    irq_cpus, operstate = nic.get("irq_cpus"), nic.get("operstate")
    return Nic(
        name=nic["name"],
        path=nic["path"],
        operstate=operstate if isinstance(operstate, str) else "unknown",
        numa_node=whole_number(nic.get("numa_node")),
        queues=tuple(_queue(queue) for queue in queues if isinstance(queue, dict)),
        irq_cpus=irq_cpus if isinstance(irq_cpus, str) else None,
    )


def _queue(queue: dict[str, object]) -> Queue:
    name, mask = queue.get("name"), queue.get("rps_cpus")
    return Queue(
        name if isinstance(name, str) else "?",
        normal_mask(mask if isinstance(mask, str) else None),
        whole_number(queue.get("rps_flow_cnt")),
    )


def _cpus(text: object) -> Cpus:
    try:
        return parse_list(text) if isinstance(text, str) else frozenset()
    except ValueError:
        return frozenset()
