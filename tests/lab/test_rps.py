# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive Packet Steering with a real NIC, udev and reboots, by the playbooks. Run: pytest tests/lab/test_rps.py."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import ansible_collections.kubenode.connections as collection
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm

COLLECTIONS = Path(next(iter(collection.__path__))).parents[2]
QUEUE = "/sys/class/net/eth0/queues/rx-0"
RULES = "/etc/udev/rules.d/60-kubenode-connections-rps.rules"
ENTRIES = "/proc/sys/net/core/rps_sock_flow_entries"
OFF = {"rps_cpus": "0", "rps_flow_cnt": "0", "entries": "0", "rules": False, "originals": False}
ON = {"rps_cpus": "3", "rps_flow_cnt": "32768", "entries": "32768", "rules": True, "originals": True}
WAIT_SECONDS = 60

# The driver lets go of the NIC, which takes its queues and their settings with it, and finds it again. SSH comes back
# with the addresses.
NIC_APPEARS_LATER = """
device=$(basename $(readlink /sys/class/net/eth0/device))
echo $device > /sys/bus/virtio/drivers/virtio_net/unbind
test ! -e /sys/class/net/eth0 || exit 1
echo $device > /sys/bus/virtio/drivers/virtio_net/bind
udevadm settle
cat /sys/class/net/eth0/queues/rx-0/rps_cpus > /run/appeared.new
ip link set eth0 name wan0
udevadm settle
echo 0 > /sys/class/net/wan0/queues/rx-0/rps_cpus
ip link set wan0 name eth0
udevadm settle
cat /sys/class/net/eth0/queues/rx-0/rps_cpus >> /run/appeared.new
systemctl restart lab-network
mv /run/appeared.new /run/appeared
"""


@pytest.fixture(scope="module", params=["6.1"])
def vm(request: pytest.FixtureRequest) -> Iterator[Vm]:
    """A machine of a lab of its own: two CPUs, one NIC (virtio) with one queue."""
    lab = Lab("rps")
    yield lab.up([request.param])[0]
    lab.down()


@pytest.fixture(autouse=True)
def as_saved(vm: Vm) -> None:
    """Each test begins with the state that was saved after the boot."""
    vm.reset()


def play(vm: Vm, folder: Path, playbook: str, *options: str, **variables: Any) -> str:
    """What a playbook of the collection prints; it must not fail."""
    inventory = folder / "inventory"
    inventory.write_text(vm.inventory_line + "\n")
    program = str(Path(sys.executable).parent / "ansible-playbook")
    given = json.dumps({f"keepalive_{name}": value for name, value in variables.items()})
    command = [program, f"kubenode.connections.{playbook}", "-i", str(inventory), "-e", given, *options]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def changed(output: str) -> int:
    found = re.search(r"changed=([0-9]+)", output)
    assert found, output
    return int(found[1])


def state(vm: Vm) -> dict[str, Any]:
    """What a run may change."""
    values = vm.run(["cat", f"{QUEUE}/rps_cpus", f"{QUEUE}/rps_flow_cnt", ENTRIES]).stdout.split()
    there = [
        vm.run(["test", "-e", path], check=False).returncode == 0 for path in (RULES, "/var/lib/kubenode.connections")
    ]
    return dict(zip(("rps_cpus", "rps_flow_cnt", "entries", "rules", "originals"), [*values, *there], strict=True))


def received_rps(vm: Vm) -> dict[int, int]:
    """How often each CPU was given packets by another one (softnet_seq_show in net/core/net-procfs.c)."""
    rows = [line.split() for line in vm.run(["cat", "/proc/net/softnet_stat"]).stdout.splitlines()]
    return {int(row[12], 16): int(row[9], 16) for row in rows}


def test_apply_reboot_a_nic_that_appears_later_and_restore(vm: Vm, tmp_path: Path) -> None:
    assert state(vm) == OFF
    foreseen = play(vm, tmp_path, "apply", "--check", "--diff", rps="auto")
    assert state(vm) == OFF
    assert f"+{QUEUE}/rps_cpus = 3" in foreseen
    assert changed(play(vm, tmp_path, "apply", rps="auto")) == 1
    assert state(vm) == ON
    assert changed(play(vm, tmp_path, "apply", rps="auto")) == 0

    vm.reboot()
    assert state(vm) == ON
    play(vm, tmp_path, "verify", rps="auto")

    vm.put("/run/appears.sh", NIC_APPEARS_LATER)
    vm.run(["systemd-run", "--quiet", "--collect", "sh", "/run/appears.sh"])
    assert appeared(vm) == ["3", "3"]
    assert state(vm) == ON

    assert changed(play(vm, tmp_path, "restore")) == 1
    assert state(vm) == OFF
    vm.reboot()
    assert state(vm) == OFF


def appeared(vm: Vm) -> list[str]:
    """The CPUs of the NIC's queue after it appeared, and after it was renamed with them set to none."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        time.sleep(1)
        done = vm.run(["cat", "/run/appeared"], check=False)
        if done.returncode == 0:
            return str(done.stdout).split()
    raise AssertionError(f"{vm.name}: the NIC did not come back within {WAIT_SECONDS} s.")


def test_without_rps_any_more_the_node_gets_its_own_back(vm: Vm, tmp_path: Path) -> None:
    play(vm, tmp_path, "apply", rps="auto")
    play(vm, tmp_path, "apply")
    after = state(vm)
    assert {name: after[name] for name in ("rps_cpus", "rps_flow_cnt", "rules")} == {
        "rps_cpus": "0",
        "rps_flow_cnt": "0",
        "rules": False,
    }


def test_the_cpu_that_has_no_interrupts_does_the_work(vm: Vm, tmp_path: Path) -> None:
    """Without flow entries, which would send packets to the CPU on which the program reads."""
    play(vm, tmp_path, "apply", rps="auto", rps_exclude_irq_cpus=True, rps_sock_flow_entries=0)
    mask = int(state(vm)["rps_cpus"], 16)
    assert mask in (1, 2)
    before = received_rps(vm)
    for _turn in range(20):
        vm.run(["true"])
    after = received_rps(vm)
    assert {cpu for cpu in after if after[cpu] > before[cpu]} == {mask - 1}
