# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A first apply on a node that was never at risk changes nothing. Run: pytest tests/lab/test_first_apply.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, changed
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm

SERIES = "6.1"
SITE = "/etc/sysctl.d/90-site.conf"
IN_TIME = "net.ipv4.tcp_keepalive_time = 300\nnet.ipv4.tcp_keepalive_intvl = 20\n"
"""Below the 900 s of IPVS."""
STATE = """
sysctl --all 2>/dev/null | grep -E '^net[.](ipv4[.](tcp_|vs[.])|netfilter[.]nf_conntrack_(tcp|max)|bridge[.])'
find /etc -xdev -type f -exec sha256sum {} + | sort
cut -d ' ' -f 1 /proc/modules | sort
systemctl list-unit-files --no-legend
ls -d /var/lib/kubenode.connections
"""
"""All that an apply might change."""


@pytest.fixture(scope="module")
def machine() -> Iterator[Vm]:
    """A machine of a lab of its own."""
    lab = Lab("first-apply")
    yield lab.up([SERIES])[0]
    lab.down()


@pytest.fixture
def vm(machine: Vm) -> Vm:
    """It begins with the state that was saved after the boot."""
    machine.reset()
    return machine


def state(vm: Vm) -> list[str]:
    return vm.run(["sh", "-c", STATE], check=False).stdout.splitlines()


@pytest.mark.parametrize("service", [False, True])
def test_a_first_apply_changes_nothing(vm: Vm, tmp_path: Path, service: bool) -> None:
    """Without IPVS, and with it where the node's owner has set a keepalive that is in time."""
    if service:
        vm.put(SITE, IN_TIME)
        vm.run(["/lib/systemd/systemd-sysctl"])
        vm.run(["ipvsadm", "-A", "-t", "10.96.0.10:80", "-s", "rr"])
    before = state(vm)
    playbooks = Playbooks(vm, tmp_path)
    assert changed(playbooks.run("apply")) == 0
    assert playbooks.node()["verdict"] == "safe"
    assert [each["seconds"] for each in playbooks.node()["limits"]][:1] == ([900] if service else [])
    assert state(vm) == before
