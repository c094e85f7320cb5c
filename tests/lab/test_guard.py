# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that watches itself: pods that come after the apply. Run: pytest tests/lab/test_guard.py."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm

SERIES = "6.1"
TEXTFILE = "/var/lib/prometheus/node-exporter"
INTERVAL = 60
A_RUN = 120
"""What its unit lets a run take; on an emulated machine it may take a while."""

PLAY = """
- name: Apply, then have every node watch itself
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: Apply
      ansible.builtin.include_role:
        name: kubenode.connections.keepalive
    - name: Watch
      ansible.builtin.include_role:
        name: kubenode.connections.guard
      vars:
        guard_interval: 60
        guard_cure: "{{ cure }}"
"""

POD = """
cgroup=/sys/fs/cgroup/kubepods/burstable/pod2f6c1a4e-9d0b-4c35-8e77-$(printf %012d $1)/container
mkdir -p $cgroup
in_it='echo $$ > '$cgroup'/cgroup.procs; echo $$ > /run/pod-'$1'; exec sleep 100000'
(setsid unshare -n sh -c "$in_it" >/dev/null 2>&1 &)
while ! [ -s /run/pod-$1 ]; do sleep 0.1; done
"""
"""A network namespace with a process of a pod, as a runtime makes it: with the kernel's own keepalive."""

LEFT = f"""
ls /etc/kubenode.connections /var/lib/kubenode.connections {TEXTFILE}/kubenode.prom /etc/systemd/system/kubenode-guard.*
systemctl list-units --all --no-legend 'kubenode-guard*'
"""


@pytest.fixture(scope="module")
def vm() -> Iterator[Vm]:
    """A node of IPVS, with a folder for metrics."""
    lab = Lab("guard")
    machine = lab.up([SERIES])[0]
    machine.run(["mkdir", "-p", TEXTFILE])
    machine.run(["ipvsadm", "-A", "-t", "10.96.0.10:80", "-s", "rr"])
    yield machine
    lab.down()


@pytest.fixture
def playbooks(vm: Vm, tmp_path: Path) -> Playbooks:
    return Playbooks(vm, tmp_path)


def put_guard(playbooks: Playbooks, **variables: Any) -> None:
    play = playbooks.folder / "play.yml"
    play.write_text(PLAY)
    playbooks.run(str(play), **variables)


def start_pods(vm: Vm, numbers: range) -> None:
    vm.run(["sh", "-c", f"for number in {' '.join(map(str, numbers))}; do set -- $number; {POD} done"])


def keepalive(vm: Vm, number: int) -> str:
    path = "/proc/sys/net/ipv4/tcp_keepalive_time"
    return vm.run(["sh", "-c", f"nsenter -t $(cat /run/pod-{number}) -n cat {path}"]).stdout.strip()


def metric(vm: Vm, name: str) -> int | None:
    text = vm.run(["cat", f"{TEXTFILE}/kubenode.prom"], check=False).stdout
    found = re.search(rf"(?m)^kubenode_connections_{name}{{[^}}]*}} (-?\d+)$", text)
    return int(found.group(1)) if found else None


def within_a_period(condition: Callable[[], bool]) -> bool:
    """Its interval, the tenth that is left to chance, and a run."""
    end = time.monotonic() + INTERVAL * 1.1 + A_RUN
    while not (met := condition()) and time.monotonic() < end:
        time.sleep(2)
    return met


def test_a_pod_that_comes_after_the_apply_is_seen_and_left_alone(vm: Vm, playbooks: Playbooks) -> None:
    start_pods(vm, range(1, 2))
    put_guard(playbooks, cure=False)
    assert keepalive(vm, 1) == "600"
    assert within_a_period(lambda: metric(vm, "pods_at_risk") == 0)
    assert (metric(vm, "changes"), metric(vm, "guard_problems")) == (0, 0)
    start_pods(vm, range(2, 3))
    assert within_a_period(lambda: metric(vm, "pods_at_risk") == 1)
    assert keepalive(vm, 2) == "7200"
    assert vm.run(["journalctl", "-u", "kubenode-guard.service", "-o", "cat", "-t", "python3"]).stdout.count("unsafe: ")


def test_a_value_that_somebody_changes_is_a_drift(vm: Vm) -> None:
    with_a_pod_at_risk = metric(vm, "changes")
    assert with_a_pod_at_risk == 1
    vm.run(["sysctl", "-w", "net.ipv4.tcp_keepalive_time=7200"])
    assert within_a_period(lambda: metric(vm, "changes") == with_a_pod_at_risk + 1)
    vm.run(["sysctl", "-w", "net.ipv4.tcp_keepalive_time=600"])
    assert within_a_period(lambda: metric(vm, "changes") == with_a_pod_at_risk)


def test_where_it_is_asked_for_a_pod_is_cured(vm: Vm, playbooks: Playbooks) -> None:
    put_guard(playbooks, cure=True)
    start_pods(vm, range(3, 4))
    assert within_a_period(lambda: keepalive(vm, 3) == "600")
    assert within_a_period(lambda: metric(vm, "pods_at_risk") == 0)
    assert metric(vm, "guard_problems") == 0


def test_what_a_run_on_250_pods_takes_stays_far_below_its_bounds(vm: Vm) -> None:
    start_pods(vm, range(4, 254))
    vm.run(["systemctl", "start", "kubenode-guard.service"])
    assert metric(vm, "pods") == 253
    vm.run(["systemctl", "set-property", "--runtime", "kubenode-guard.service", "CPUAccounting=yes"])
    vm.run(["systemctl", "start", "kubenode-guard.service"])
    shown = vm.run(["journalctl", "-u", "kubenode-guard.service", "-o", "cat", "-n", "6"]).stdout
    consumed = re.findall(r"Consumed ([^,\n]*?)s CPU time", shown)
    print(f"one run on 253 pods: {consumed[-1:]} s of CPU (emulated)")
    assert consumed


def test_a_restore_takes_it_away_wholly(vm: Vm, playbooks: Playbooks) -> None:
    playbooks.run("restore")
    assert keepalive(vm, 1) == "7200"
    assert vm.run(["sh", "-c", LEFT], check=False).stdout == ""
