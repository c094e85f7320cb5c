# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every value that the collection may set is live as it was planned, else as the owner left it.

After restore nothing is planned. What is there now and was not there before came with a kernel module: it has the
kernel's default.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.cpu_sets import format_mask, parse_list
from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS, KERNEL_DEFAULTS
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import flow_count
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS

WORKED_OUT = {name for name, key in KEYS.items() if key.module and key.default is None}
"""By a module when it is loaded, out of the memory of then."""


def test_sysctls(values: dict[str, str], left: dict[str, str], planned: dict[str, Any]) -> None:
    defaults = {name: KEYS[name].default for name in KEYS.keys() & values if name not in WORKED_OUT}
    owners = {name: left.get(name, default) for name, default in defaults.items()}
    wanted = {**owners, **planned["sysctls"]}
    assert {name: values.get(name) for name in wanted} == wanted


def test_ipvs_timeouts(values: dict[str, str], planned: dict[str, Any]) -> None:
    """Nobody but us has set any. Without a wish IPVS may be gone after a reboot."""
    wanted = " ".join(str({**KERNEL_DEFAULTS._asdict(), **planned["ipvs_timeouts"]}[cell]) for cell in CELLS)
    assert values.get("IPVS", wanted if not planned["ipvs_timeouts"] else None) == wanted


def test_receive_queues_of_the_nic(values: dict[str, str], left: dict[str, str], planned: dict[str, Any]) -> None:
    queues = {name: value for name, value in left.items() if name.startswith("/sys/class/net/")}
    if planned["rps"]:
        (row,) = planned["rps"]["nics"]
        flows = flow_count(planned["rps"]["flow_entries"], len(queues) // 2)
        wanted = {"rps_cpus": format_mask(parse_list(row["cpus"])), "rps_flow_cnt": str(flows)}
        queues = {name: wanted[name.rpartition("/")[2]] for name in queues}
    assert queues
    assert {name: values.get(name) for name in queues} == queues


def test_modules_of_the_plan_are_loaded(values: dict[str, str], planned: dict[str, Any]) -> None:
    assert [name for name in planned["modules"] if f"module {name}" not in values] == []
