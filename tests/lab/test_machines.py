# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself, on every kernel: what the proofs rely on is really there. Run: pytest tests/lab/test_machines.py."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS, Lab, Vm, config

READ_TIMEOUTS = "import socket, struct; print(struct.unpack('iii', socket.socket().getsockopt(0, 1158, 12)))"
TIME, INTVL = "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl"
LOOSE = "/proc/sys/net/netfilter/nf_conntrack_tcp_loose"


@pytest.fixture(scope="module", params=list(KERNELS))
def vm(request: pytest.FixtureRequest) -> Iterator[Vm]:
    """A machine of a lab of its own."""
    lab = Lab("self-check")
    yield lab.up([request.param])[0]
    lab.down()


@pytest.fixture
def fresh(vm: Vm) -> Vm:
    """The machine as it was saved after the boot, for a test that changes it."""
    vm.reset()
    return vm


def test_the_kernel_is_of_the_series_asked_for(vm: Vm) -> None:
    assert vm.run(["uname", "-r"]).stdout.startswith(vm.series + ".")


def test_no_module_of_ours_is_loaded_after_a_plain_boot(vm: Vm) -> None:
    loaded = {line.split()[0] for line in vm.run(["cat", "/proc/modules"]).stdout.splitlines()}
    assert not loaded & {"ip_vs", "nf_conntrack", "br_netfilter"}


def test_servers_for_the_proofs_are_installed_and_not_running(vm: Vm) -> None:
    for program in ("psql", "redis-server", "conntrack", "nft", "tcpdump", "ipset", "keepalived", "tuned-adm"):
        assert vm.run(["sh", "-c", f"command -v {program}"]).stdout
    vm.run(["python3", "-c", "import grpc, redis"])
    assert vm.run(["pgrep", "--exact", "postgres|redis-server|keepalived|tuned"], check=False).returncode == 1


def test_a_reset_brings_back_the_disk_the_modules_and_the_clock(vm: Vm) -> None:
    vm.reset()
    saved = uptime_seconds(vm)
    assert vm.run(["ipvsadm", "-l", "--timeout"]).stdout == "Timeout (tcp tcpfin udp): 900 120 300\n"
    assert vm.run(["python3", "-c", READ_TIMEOUTS]).stdout == "(900, 120, 300)\n"
    vm.put("/root/left-over", "x")
    time.sleep(10)
    vm.reset()
    assert uptime_seconds(vm) < saved + 10
    assert vm.run(["test", "-e", "/root/left-over"], check=False).returncode == 1
    assert vm.run(["test", "-e", "/proc/net/ip_vs"], check=False).returncode == 1


def uptime_seconds(vm: Vm) -> float:
    return float(vm.run(["cat", "/proc/uptime"]).stdout.split()[0])


@pytest.mark.parametrize(
    ("early", "expected"),
    [
        pytest.param(
            True, "0\n", id="with modules-load.d the module is there in time and systemd-sysctl applies the key"
        ),
        pytest.param(False, "1\n", id="without it the key is absent, and a later modprobe brings the kernel's default"),
    ],
)
def test_a_reboot_keeps_files_loses_live_values_and_has_the_real_order(fresh: Vm, early: bool, expected: str) -> None:
    fresh.put("/etc/sysctl.d/90-test.conf", f"{TIME} = 600\nnet.netfilter.nf_conntrack_tcp_loose = 0\n")
    if early:
        fresh.put("/etc/modules-load.d/90-test.conf", "nf_conntrack\n")
    fresh.run(["sysctl", "-w", f"{INTVL}=11"])
    before = fresh.boot_id()
    fresh.reboot()
    assert fresh.boot_id() != before
    assert fresh.run(["sysctl", "-n", TIME, INTVL]).stdout == "600\n75\n"
    assert fresh.run(["test", "-e", LOOSE], check=False).returncode == (0 if early else 1)
    fresh.run(["modprobe", "nf_conntrack"])
    assert fresh.run(["cat", LOOSE]).stdout == expected


def test_a_machine_that_stands_still_while_it_boots_is_reset(fresh: Vm, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fresh.boot_id()
    monkeypatch.setattr(config, "HANG_SECONDS", 2)
    fresh.reboot()
    assert fresh.boot_id() not in ("", before)
