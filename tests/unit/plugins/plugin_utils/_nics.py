# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""NICs of nodes, for tests of what reads them."""

from __future__ import annotations

from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import Row, RpsSettings, rule_text


def nic(
    name: str = "eth0",
    queues: int = 1,
    *,
    numa_node: int | None = None,
    irq_cpus: str | None = "0",
    mask: str = "0",
    flows: int = 0,
    operstate: str = "up",
) -> dict[str, Any]:
    """A NIC with the same on each of its receive queues."""
    each = [{"name": f"rx-{number}", "rps_cpus": mask, "rps_flow_cnt": flows} for number in range(queues)]
    return {
        "name": name,
        "path": f"/devices/pci0000:00/{name}/net/{name}",
        "operstate": operstate,
        "numa_node": numa_node,
        "queues": each,
        "irq_cpus": irq_cpus,
    }


def with_nics(node: dict[str, Any], *nics: dict[str, Any], **rps: Any) -> dict[str, Any]:
    """The node with these NICs, and what else is to differ; four CPUs by default."""
    return {**node, "rps": {**node["rps"], "nics": list(nics), **rps}}


def with_numa(node: dict[str, Any], *nics: dict[str, Any], **rps: Any) -> dict[str, Any]:
    """The node with eight CPUs in two NUMA nodes."""
    return with_nics(node, *nics, **{"cpus_online": "0-7", "numa_nodes": {"0": "0-3", "1": "4-7"}, **rps})


def rule(*rows: dict[str, Any], entries: int = 32768) -> str:
    """The text of the udev rules for these rows on a node with eth0."""
    text = rule_text(RpsSettings(tuple(Row(**row) for row in rows), entries), {"eth0": nic()["path"]})
    assert text is not None
    return text.decode()
