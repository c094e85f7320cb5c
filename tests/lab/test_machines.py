# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab itself, on every kernel: what the proofs rely on is really there. Run: pytest tests/lab/test_machines.py."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS, Lab, Vm

READ_TIMEOUTS = "import socket, struct; print(struct.unpack('iii', socket.socket().getsockopt(0, 1158, 12)))"
LOOSE = "/proc/sys/net/netfilter/nf_conntrack_tcp_loose"


@pytest.fixture(scope="module", params=list(KERNELS))
def vm(request: pytest.FixtureRequest) -> Iterator[Vm]:
    """A machine of a lab of its own."""
    lab = Lab("self-check")
    yield lab.up([request.param])[0]
    lab.down()


@pytest.fixture(autouse=True)
def as_saved(vm: Vm) -> None:
    """Each test begins with the state that was saved after the boot."""
    vm.reset()


def test_the_kernel_is_of_the_series_asked_for(vm: Vm) -> None:
    assert vm.run(["uname", "-r"]).stdout.startswith(vm.series + ".")


def test_no_module_of_ours_is_loaded_after_a_plain_boot(vm: Vm) -> None:
    loaded = {line.split()[0] for line in vm.run(["cat", "/proc/modules"]).stdout.splitlines()}
    assert not loaded & {"ip_vs", "nf_conntrack", "br_netfilter"}


def test_ipvsadm_and_the_socket_option_tell_the_same_timeouts(vm: Vm) -> None:
    assert vm.run(["ipvsadm", "-l", "--timeout"]).stdout == "Timeout (tcp tcpfin udp): 900 120 300\n"
    assert vm.run(["python3", "-c", READ_TIMEOUTS]).stdout == "(900, 120, 300)\n"


def test_a_reboot_keeps_files_and_loses_live_values(vm: Vm) -> None:
    vm.put("/etc/sysctl.d/90-test.conf", "net.ipv4.tcp_keepalive_time = 600\n")
    vm.run(["sysctl", "-w", "net.ipv4.tcp_keepalive_intvl=11"])
    before = vm.boot_id()
    vm.reboot()
    assert vm.boot_id() != before
    assert vm.run(["sysctl", "-n", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl"]).stdout == "600\n75\n"


def test_a_reset_turns_the_guest_s_clock_back(vm: Vm) -> None:
    saved = uptime_seconds(vm)
    time.sleep(10)
    vm.reset()
    assert uptime_seconds(vm) < saved + 10


def uptime_seconds(vm: Vm) -> float:
    return float(vm.run(["cat", "/proc/uptime"]).stdout.split()[0])


def test_a_reset_brings_back_the_disk_too(vm: Vm) -> None:
    vm.put("/root/left-over", "x")
    vm.reset()
    assert vm.run(["test", "-e", "/root/left-over"], check=False).returncode == 1


@pytest.mark.parametrize(
    ("early", "expected"),
    [
        pytest.param(
            True, "0\n", id="with modules-load.d the module is there in time and systemd-sysctl applies the key"
        ),
        pytest.param(False, "1\n", id="without it the key is absent, and a later modprobe brings the kernel's default"),
    ],
)
def test_boot_order_is_the_real_one(vm: Vm, early: bool, expected: str) -> None:
    vm.put("/etc/sysctl.d/90-test.conf", "net.netfilter.nf_conntrack_tcp_loose = 0\n")
    if early:
        vm.put("/etc/modules-load.d/90-test.conf", "nf_conntrack\n")
    vm.reboot()
    assert vm.run(["test", "-e", LOOSE], check=False).returncode == (0 if early else 1)
    vm.run(["modprobe", "nf_conntrack"])
    assert vm.run(["cat", LOOSE]).stdout == expected


def test_servers_for_the_proofs_are_installed_and_not_running(vm: Vm) -> None:
    for program in ("psql", "redis-server", "conntrack", "nft", "tcpdump", "ipset", "keepalived", "tuned-adm"):
        assert vm.run(["sh", "-c", f"command -v {program}"]).stdout
    vm.run(["python3", "-c", "import grpc, redis"])
    assert vm.run(["pgrep", "--exact", "postgres|redis-server|keepalived|tuned"], check=False).returncode == 1
