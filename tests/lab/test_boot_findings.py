# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a boot does not keep: the audit says so, the boot shows it, the remedy ends it. Run: pytest
tests/lab/test_boot_findings.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, observed, remedy
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm
from ansible_collections.kubenode.connections.tests.proof.model import KEYS

SERIES = "6.1"
EARLIER, LATER = "/etc/sysctl.d/50-site.conf", "/etc/sysctl.d/zz-site.conf"
"""Files of the node's owner, the one read before ours and the other after it."""
OURS, MODULES = "/etc/sysctl.d/k8s.conf", "/etc/modules-load.d/k8s.conf"
BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
KERNEL, SAFE = ("7200", "75", "9"), ("600", "30", "9")


@pytest.fixture(scope="module")
def machine() -> Iterator[Vm]:
    """A machine of a lab of its own."""
    lab = Lab("boot-findings")
    yield lab.up([SERIES])[0]
    lab.down()


@pytest.fixture
def vm(machine: Vm) -> Vm:
    """It begins with the state that was saved after the boot."""
    machine.reset()
    return machine


@pytest.fixture
def playbooks(vm: Vm, tmp_path: Path) -> Playbooks:
    return Playbooks(vm, tmp_path)


def values(vm: Vm, *keys: str) -> tuple[str, ...]:
    return tuple(vm.run(["sysctl", "-n", *keys]).stdout.split())


def begin(vm: Vm) -> None:
    """What kube-proxy does at its start: load ip_vs, with nf_conntrack, and make a service."""
    vm.run(["ipvsadm", "-A", "-t", "10.96.0.10:80", "-s", "rr"])


def reboot(vm: Vm) -> None:
    vm.reboot()
    begin(vm)


def set_by_hand(vm: Vm) -> None:
    """A keepalive that is safe, and lasts until the reboot."""
    vm.run(["sysctl", "-qw", *(f"{key}={value}" for key, value in zip(KEYS, SAFE, strict=True))])


def found(playbooks: Playbooks, *findings: str) -> dict[str, list[str]]:
    """What an audit says of these; without those of which it says nothing."""
    playbooks.run("audit")
    said = {finding: observed(finding, playbooks.document()) for finding in findings}
    return {finding: texts for finding, texts in said.items() if texts}


def test_a_module_that_comes_late_and_values_set_by_hand(vm: Vm, playbooks: Playbooks) -> None:
    names = ("boot-module-late", "boot-value-differs")
    vm.put(EARLIER, f"{BE_LIBERAL} = 1\n")
    begin(vm)
    set_by_hand(vm)
    nobody = ", ".join(f"no file sets {key}" for key in KEYS[:2])
    said = {
        "boot-module-late": [f"{BE_LIBERAL} = 1 ({EARLIER}:1): not applied at boot"],
        "boot-value-differs": [f"keepalive is 600/30/9 now and 7200/75/9 after a reboot: {nobody}"],
    }
    assert found(playbooks, *names) == said
    assert remedy("boot-module-late", playbooks.document()) == (
        f"Name nf_conntrack in {MODULES}, which is read earlier."
    )
    assert remedy("boot-value-differs", playbooks.document()) == (
        f"Run the playbook kubenode.connections.apply: it writes {OURS}."
    )

    reboot(vm)
    assert (values(vm, BE_LIBERAL), values(vm, *KEYS)) == (("0",), KERNEL)

    vm.put(MODULES, "nf_conntrack\n")
    set_by_hand(vm)
    playbooks.run("apply")
    assert found(playbooks, *names) == {}
    reboot(vm)
    assert (values(vm, BE_LIBERAL), values(vm, *KEYS)) == (("1",), SAFE)
    assert found(playbooks, *names) == {}
    playbooks.run("verify")


def test_a_file_that_is_read_after_ours(vm: Vm, playbooks: Playbooks) -> None:
    vm.put(LATER, f"# the owner's\n{KEYS[0]} = 7200\n")
    begin(vm)
    said = [f"{LATER}:2 sets {KEYS[0]} to 7200 instead of 600"]
    assert found(playbooks, "sysctl-owner-file") == {"sysctl-owner-file": said}
    assert remedy("sysctl-owner-file", playbooks.document()) == "Change or remove that line, then apply."

    with pytest.raises(AssertionError, match=re.escape(f"{LATER}:2 decides it now")):
        playbooks.run("apply")
    assert values(vm, *KEYS) == SAFE
    reboot(vm)
    assert values(vm, *KEYS) == ("7200", *SAFE[1:])
    assert found(playbooks, "sysctl-owner-file") == {"sysctl-owner-file": said}

    vm.run(["sed", "-i", "2d", LATER])
    playbooks.run("apply")
    assert found(playbooks, "sysctl-owner-file") == {}
    reboot(vm)
    assert values(vm, *KEYS) == SAFE
    playbooks.run("verify")
