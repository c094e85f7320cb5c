# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who undoes a setting: keepalived, TuneD, a reboot, each for real. Run: pytest tests/lab/test_owners.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, observed, remedy
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm

SERIES = "6.1"
KEEPALIVED = "/etc/keepalived/keepalived.conf"
KEEPALIVED_TEXT = """\
! a director
global_defs {
   router_id lab
   lvs_timeouts tcp 3600 tcpfin 90 udp 45
}
virtual_server 10.96.0.10 80 {
   lb_algo rr
   lb_kind NAT
   protocol TCP
   real_server 10.2.0.2 80 {
      weight 1
   }
}
"""
PROFILE = "/etc/tuned/ours/tuned.conf"
PROFILE_TEXT = """\
[main]
summary=A profile with the kernel's own keepalive time

[sysctl]
net.ipv4.tcp_keepalive_time=7200
"""
TUNED_MAIN = "/etc/tuned/tuned-main.conf"
SYSCTL_CONF = "/etc/sysctl.conf"
SYSCTL_D_LINK = "/etc/sysctl.d/99-sysctl.conf"
UNIT = "kubenode-ipvs-timeouts.service"
TIME = "net.ipv4.tcp_keepalive_time"
RETRIES2 = "net.ipv4.tcp_retries2"
BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"

TUNED_LOG = "/var/log/tuned/tuned.log"
WAIT_SECONDS = 120

VS = ("expire_nodest_conn", "expire_quiescent_template", "sloppy_tcp")
ASKED_FOR = {
    "keepalive_ipvs_timeouts": {"tcpfin": 30, "udp": 30},
    "keepalive_be_liberal": True,
    **{f"keepalive_{name}": True for name in VS},
}
GIVEN = {"timeouts": "900 120 300", BE_LIBERAL: "0", RETRIES2: "15", **{f"net.ipv4.vs.{name}": "0" for name in VS}}
WANTED = {"timeouts": "900 30 30", BE_LIBERAL: "1", RETRIES2: "15", **{f"net.ipv4.vs.{name}": "1" for name in VS}}


@pytest.fixture(scope="module")
def machine() -> Iterator[Vm]:
    """A machine of a lab of its own."""
    lab = Lab("owners")
    yield lab.up([SERIES])[0]
    lab.down([SERIES])


@pytest.fixture
def vm(machine: Vm) -> Vm:
    """It begins with the state that was saved after the boot."""
    machine.reset()
    return machine


@pytest.fixture
def playbooks(vm: Vm, tmp_path: Path) -> Playbooks:
    return Playbooks(vm, tmp_path)


def value(vm: Vm, key: str) -> str:
    return str(vm.run(["sysctl", "-n", key]).stdout.strip())


def timeouts(vm: Vm) -> str:
    """IPVS timeouts in force: tcp, tcpfin, udp."""
    return str(vm.run(["ipvsadm", "-l", "--timeout"]).stdout.partition(": ")[2].strip())


def in_force(vm: Vm) -> dict[str, str]:
    """The values of GIVEN now."""
    return {key: timeouts(vm) if key == "timeouts" else value(vm, key) for key in GIVEN}


def wait_for(vm: Vm, condition: str) -> None:
    """Wait until a shell command succeeds."""
    vm.run(["timeout", str(WAIT_SECONDS), "sh", "-c", f"until {condition}; do sleep 0.2; done"])


def restart_keepalived(vm: Vm) -> None:
    """Until its virtual service is there, which comes after the timeouts."""
    vm.run(["systemctl", "restart", "keepalived"])
    wait_for(vm, "grep -q ^TCP /proc/net/ip_vs")


def start_tuned(vm: Vm) -> None:
    """From stopped, until the profile is applied: some time after the service counts as started."""
    vm.run(["systemctl", "stop", "tuned"])
    vm.run(["rm", "-f", TUNED_LOG])
    vm.run(["systemctl", "start", "tuned"])
    wait_for(vm, f"grep -q 'static tuning from profile .* applied' {TUNED_LOG}")


def make_service(vm: Vm) -> None:
    """A virtual service, so that IPVS is on the path."""
    vm.run(["ipvsadm", "-A", "-t", "10.96.0.10:80", "-s", "rr"])


def test_keepalived_undoes_a_timeout_until_its_own_configuration_names_it(vm: Vm, playbooks: Playbooks) -> None:
    wish = {"keepalive_ipvs_timeouts": {"udp": 30}}
    vm.put(KEEPALIVED, KEEPALIVED_TEXT)
    restart_keepalived(vm)
    assert timeouts(vm) == "3600 90 45"

    playbooks.run("apply", **wish)
    assert timeouts(vm) == "3600 90 30"
    assert playbooks.node()["owners"]["IPVS udp"] == f"keepalived at its next start or reload ({KEEPALIVED}:4, udp 45)"
    seen = f"IPVS udp 30 s against 45 s by keepalived ({KEEPALIVED}:4)"
    assert observed("ipvs-owner-keepalived", playbooks.document()) == [seen]
    do = f"Set udp 30 in lvs_timeouts ({KEEPALIVED}:4), then systemctl reload keepalived. Or leave it out there."
    assert remedy("ipvs-owner-keepalived", playbooks.document()) == do
    restart_keepalived(vm)
    assert timeouts(vm) == "3600 90 45"

    vm.run(["sed", "-i", "4s/udp 45/udp 30/", KEEPALIVED])
    vm.run(["systemctl", "reload", "keepalived"])
    wait_for(vm, "ipvsadm -l --timeout | grep -q '3600 90 30$'")
    restart_keepalived(vm)
    assert timeouts(vm) == "3600 90 30"
    playbooks.run("audit", **wish)
    assert observed("ipvs-owner-keepalived", playbooks.document()) == []
    assert playbooks.node()["changes"] == []


def test_tuned_undoes_keepalive_unless_it_applies_sysctl_d_again(vm: Vm, playbooks: Playbooks) -> None:
    make_service(vm)
    vm.put(PROFILE, PROFILE_TEXT)
    vm.run(["sed", "-i", "s/^reapply_sysctl.*/reapply_sysctl = 0/", TUNED_MAIN])
    vm.run(["tuned-adm", "profile", "ours"])
    with pytest.raises(AssertionError, match=re.escape(f"TuneD {PROFILE}:5 decides it now")):
        playbooks.run("apply")
    assert value(vm, TIME) == "600"

    start_tuned(vm)
    assert value(vm, TIME) == "7200"
    playbooks.run("audit")
    assert playbooks.node()["verdict"] == "unsafe"
    seen = f"TuneD, profile ours: {PROFILE}:5 sets {TIME} to 7200 instead of 600"
    assert observed("sysctl-owner-tuned", playbooks.document()) == [seen]
    do = f"Change {PROFILE}:5. Or let sysctl.d win: reapply_sysctl = 1 in {TUNED_MAIN}, then restart TuneD."
    assert remedy("sysctl-owner-tuned", playbooks.document()) == do

    vm.run(["sed", "-i", "s/^reapply_sysctl.*/reapply_sysctl = 1/", TUNED_MAIN])
    start_tuned(vm)
    assert value(vm, TIME) == "600"
    playbooks.run("verify")
    vm.put(SYSCTL_CONF, f"{TIME} = 1800\n")
    start_tuned(vm)
    assert value(vm, TIME) == "1800"
    playbooks.run("audit")
    assert [each.split(" instead")[0] for each in observed("sysctl-owner-tuned", playbooks.document())] == [
        f"TuneD, profile ours: {SYSCTL_CONF}:1 sets {TIME} to 1800"
    ]


def test_what_a_reboot_keeps_and_what_it_loses(vm: Vm, playbooks: Playbooks) -> None:
    """On a distribution that does not read /etc/sysctl.conf at boot; somebody has tried the file with sysctl -p."""
    vm.run(["rm", SYSCTL_D_LINK])
    vm.run(["modprobe", "nf_conntrack"])
    make_service(vm)
    vm.put(SYSCTL_CONF, f"{RETRIES2} = 8\n{BE_LIBERAL} = 1\n")
    vm.run(["sysctl", "-p"])
    playbooks.run("audit")
    assert observed("sysctl-conf-not-read", playbooks.document()) == [
        f"{SYSCTL_CONF}:1 sets {RETRIES2} to 8, a boot to 15; {SYSCTL_CONF}:2 sets {BE_LIBERAL} to 1, a boot to 0"
    ]

    playbooks.run("apply", **ASKED_FOR)
    assert in_force(vm) == {**WANTED, RETRIES2: "8"}
    vm.reboot()
    assert in_force(vm) == {**WANTED, RETRIES2: "15"}
    make_service(vm)
    playbooks.run("verify", **ASKED_FOR)

    playbooks.run("restore")
    assert in_force(vm) == {**GIVEN, BE_LIBERAL: "1"}  # by sysctl -p, before the first run
    left = ["systemctl", "list-unit-files", "--no-legend", UNIT]
    assert vm.run(left, check=False).stdout == ""
