# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IPVS in other network namespaces than the node's own. Run: pytest tests/lab/test_namespace_timeouts.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, changed
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm

SERIES = "6.1"
SWARM = "/run/docker/netns/ingress_sbox"
KERNELS_OWN = "900 120 300"
KEEPALIVE = "7200 75 9"


@pytest.fixture(scope="module")
def vm() -> Iterator[Vm]:
    """A machine of a lab of its own, with a balancer as Docker Swarm has it and a container of machined's name."""
    lab = Lab("namespace-timeouts")
    vm = lab.up([SERIES])[0]
    vm.reset()
    vm.run(["modprobe", "ip_vs"])
    vm.run(["mkdir", "-p", "/run/docker/netns"])
    vm.run(["sh", "-c", f"touch {SWARM}; unshare --net={SWARM} true"])
    vm.run(["nsenter", f"--net={SWARM}", "ipvsadm", "-A", "-f", "256", "-s", "rr"])
    vm.run(
        [
            "systemd-run",
            "--quiet",
            "--slice=machine.slice",
            "--unit=systemd-nspawn@web",
            "unshare",
            "-n",
            "sleep",
            "900",
        ]
    )
    vm.run(["sh", "-c", "until ip netns identify $(pgrep -x sleep) >/dev/null; do sleep 0.2; done"])
    yield vm
    lab.down([SERIES])


def inside(vm: Vm, way: list[str], *command: str) -> str:
    return str(vm.run(["nsenter", *way, *command]).stdout)


def timeouts(vm: Vm, *way: str) -> str:
    """Those in force: tcp, tcpfin, udp."""
    return inside(vm, list(way), "ipvsadm", "-l", "--timeout").partition(": ")[2].strip()


def in_force(vm: Vm) -> dict[str, str]:
    """IPVS timeouts of the node, the balancer and the container, and the container's keepalive."""
    pid = str(vm.run(["pgrep", "-x", "sleep"]).stdout).split()[0]
    box = ["--net", f"--target={pid}"]
    keys = [f"net.ipv4.tcp_keepalive_{name}" for name in ("time", "intvl", "probes")]
    return {
        "node": timeouts(vm, "--net", "--target=1"),
        "ingress_sbox": timeouts(vm, f"--net={SWARM}"),
        "web": timeouts(vm, *box),
        "keepalive of web": " ".join(inside(vm, box, "sysctl", "-n", *keys).split()),
    }


GIVEN = {"node": KERNELS_OWN, "ingress_sbox": KERNELS_OWN, "web": KERNELS_OWN, "keepalive of web": KEEPALIVE}


def play(folder: Path, module: str, **options: Any) -> str:
    """A play of that module."""
    task = {f"kubenode.connections.{module}": options}
    path = folder / f"{module}.yml"
    path.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
    return str(path)


def test_timeouts_in_a_namespace_are_set_and_given_back_by_the_kernel(vm: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(vm, tmp_path)
    assert in_force(vm) == GIVEN
    wish = {"ingress_sbox": {"tcp": 8284, "udp": 60}, "web": {"tcp": 400}}
    keepalive = {"time": 600, "intvl": 30, "probes": 9}
    settings = play(tmp_path, "node_settings", namespace_ipvs_timeouts=wish, containers=keepalive)

    assert (changed(playbooks.run(settings, "--check")), in_force(vm)) == (1, GIVEN)
    printed = playbooks.run(settings, "--diff")
    assert "IPVS tcp timeout in network namespace ingress_sbox = 8284" in printed
    assert in_force(vm) == {
        "node": KERNELS_OWN,
        "ingress_sbox": "8284 120 60",
        "web": "400 120 300",
        "keepalive of web": "600 30 9",
    }
    assert changed(playbooks.run(settings)) == 0

    playbooks.run(play(tmp_path, "ipvs_timeouts", namespace="web", tcpfin="60"))
    assert timeouts(vm, "--net", "--target=1") == KERNELS_OWN
    assert in_force(vm)["web"] == "400 60 300"
    playbooks.run(play(tmp_path, "node_settings", state="absent"))
    assert in_force(vm) == GIVEN


def test_a_namespace_that_is_gone_at_the_restore_fails_nothing(vm: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(vm, tmp_path)
    playbooks.run(play(tmp_path, "ipvs_timeouts", namespace="ingress_sbox", tcp="8284"))
    vm.run(["sh", "-c", f"umount {SWARM}; rm {SWARM}"])
    assert f"IPVS timeouts in {SWARM}: it is not there any more" in playbooks.run("restore", "-v")
    assert changed(playbooks.run(play(tmp_path, "node_settings", state="absent"))) == 0
