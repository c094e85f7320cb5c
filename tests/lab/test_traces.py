# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A restore leaves no trace of an apply that did all (docs/uninstall.md). Run: pytest tests/lab/test_traces.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab import pods
from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, changed
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm

SERIES = "6.1"
FILES = """
find / /run -xdev '(' -path /proc -o -path /sys -o -path /dev ')' -prune -o -printf '%p %y %m %u:%g %l\\n' | sort -u
find /etc /root /home /opt /srv /usr/local /var -xdev -type f -exec sha256sum {} +
sysctl --all 2>/dev/null
ipvsadm -l --timeout
bpftool cgroup tree | sed '/ sd_/d; s,^ *[0-9]*,,'
systemctl list-unit-files --no-legend
cat /sys/class/net/*/queues/rx-*/rps_*
"""
"""Every file of the machine by type, mode, owner and content, and all that the kernel has from us.

Programs named sd_ are those of systemd, which attaches them anew as it likes.
"""
OTHERS = (
    "/root/.ansible",
    "/run/log/journal/",
    "/run/systemd/",
    "/run/udev/",
    "/tmp/systemd-private-",
    "/var/lib/systemd/",
    "/var/log/",
)
"""What Ansible and systemd keep for themselves."""
MOVING = ("fs.dentry-state", "fs.file-nr", "fs.inode-nr", "fs.inode-state", "kernel.ns_last_pid", "kernel.random.")
MOVING += ("kernel.pty.nr", "net.netfilter.nf_conntrack_count", "kernel.perf_event_max_sample_rate")
"""Sysctls that the kernel counts in."""
EVERYTHING = {
    "keepalive_enforce": True,
    "keepalive_rps": "always",
    "keepalive_ipvs_timeouts": {"tcp": 8284, "tcpfin": 130, "udp": 310},
    "keepalive_sysctls": {"net.core.somaxconn": 4000},
}


@pytest.fixture(scope="module")
def vm() -> Iterator[Vm]:
    """A node with pods."""
    lab = Lab("traces")
    try:
        made = lab.up([SERIES])[0]
        pods.make_node(made, [pod for pod in pods.PODS if pod.program[:1] != ("programs.py",)])
        yield made
    finally:
        lab.down()


def everything(vm: Vm) -> set[str]:
    lines = vm.run(["sh", "-c", FILES], check=False).stdout.splitlines()
    return {line for line in lines if not line.startswith(MOVING) and not any(path in line for path in OTHERS)}


def test_a_restore_leaves_no_trace(vm: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(vm, tmp_path)
    playbooks.audit()
    before = everything(vm)
    playbooks.run("apply", **EVERYTHING)
    applied = everything(vm) - before
    for path in (
        "/etc/sysctl.d/k8s.conf",
        "/var/lib/kubenode.connections/originals.json",
        "enforce.service",
        "udev/rules.d/",
    ):
        assert any(path in line for line in applied), f"{path} is not among {sorted(applied)}"
    assert changed(playbooks.run("restore")) == 1
    after = everything(vm)
    assert (sorted(after - before), sorted(before - after)) == ([], [])
