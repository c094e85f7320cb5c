# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods with real programs in them: who is at risk, and the cures. Run: pytest tests/lab/test_pods.py."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab import pods
from ansible_collections.kubenode.connections.tests.lab.playbooks import (
    NODE_ITSELF,
    Playbooks,
    changed,
    changes,
    holders,
    observed,
    risks,
    seen,
)
from ansible_collections.kubenode.connections.tests.lab.pods import (
    CART,
    CONFLIST,
    KERNEL,
    NAMES,
    NETWORK,
    ON_PURPOSE,
    PLANNED,
    QUIET,
    SCENARIO,
)
from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS, Lab, Vm
from ansible_collections.kubenode.connections.tests.proof.model import AFTER, BEFORE
from ansible_collections.kubenode.connections.tests.proof.play import IN_GUEST, guest, run_cases

STORY = "6.1"
"""The kernel that everything is shown on. It comes last, so that its node is there already."""
WAIT_SECONDS = 120
SERIES = [*(series for series in KERNELS if series != STORY), STORY]


class Nodes:
    """One machine at a time, as pods.make_node makes it."""

    def __init__(self) -> None:
        self._lab = Lab("pods")
        self._vm: Vm | None = None

    def of(self, series: str) -> Vm:
        """The node of a kernel, as the test before left it."""
        if self._vm is None or self._vm.series != series:
            self.down()
            self._vm = self._lab.up([series])[0]
            pods.make_node(self._vm)
        return self._vm

    def down(self) -> None:
        self._lab.down()
        self._vm = None


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """The nodes of a lab of their own."""
    made = Nodes()
    yield made
    made.down()


def modules(vm: Vm) -> set[str]:
    return {line.split()[0] for line in vm.run(["cat", "/proc/modules"]).stdout.splitlines()}


AT_RISK = {
    NODE_ITSELF: ("unsafe", 0, 1, 0),
    "shop/web-0": ("unsafe", 0, 1, 0),
    "shop/batch-28x7k": ("unsafe", 0, 0, 1),
    "shop/search-1": ("unsafe", 1, 0, 0),
    CART: ("unsafe", 1, 0, 0),
    "shop/orders-0": ("unsafe", 0, 1, 0),
    "shop/quiet-0": ("unsafe", 0, 0, 0),
}
"""All but the pod whose owner set safe values."""
NOT_KNOWN = {"shop/tuned-0": ("unknown", 0, 0, 1)}
"""That pod while /proc/net/tcp tells only what is left of its timer: it may be an old one."""
AT_RISK_PODS = [label for label in AT_RISK if label != NODE_ITSELF]
STILL_AT_RISK = {label: risk for label, risk in AT_RISK.items() if risk[1] or risk[2]}
"""Once the values are right: connections without SO_KEEPALIVE, and those that were armed before."""
HOLDERS = {
    NODE_ITSELF: ("10.96.0.10:80", "python3", None),
    "shop/web-0": ("10.96.0.10:80", "python3", None),
    "shop/search-1": ("10.96.0.10:50051", "python3", "grpcio"),
    CART: ("10.96.0.10:6379", "python3", "python"),
    "shop/orders-0": ("10.96.0.10:5432", "psql", None),
}


POD_DEFAULTS = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: kubenode.connections.keepalive, tasks_from: audit}
    - ansible.builtin.include_role: {name: kubenode.connections.pod_defaults}
"""
CURED = [*(name for name in NAMES if name != "tuned"), "made-before"]
ORDINARY_USER = """
useradd --create-home --password '*' somebody
cp -r /root/.ssh /home/somebody
chown -R somebody: /home/somebody
rm /usr/bin/sudo
"""
CONVERGE = f"""
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {{name: kubenode.connections.keepalive, tasks_from: audit}}
    - ansible.builtin.command: python3 {IN_GUEST}/pods.py end quiet
    - ansible.builtin.include_role: {{name: kubenode.connections.keepalive, tasks_from: converge}}
    - ansible.builtin.copy:
        content: "{{{{ __keepalive_converged.after.pods | to_json }}}}"
        dest: "{{{{ playbook_dir }}}}/pods.json"
      delegate_to: localhost
"""


@pytest.mark.parametrize("series", SERIES)
def test_the_audit_names_exactly_those_at_risk_and_loads_no_module(series: str, nodes: Nodes, tmp_path: Path) -> None:
    vm = nodes.of(series)
    playbooks = Playbooks(vm, tmp_path)
    before = modules(vm)
    assert not before & {"inet_diag", "tcp_diag"}
    printed = playbooks.audit()
    node, document = playbooks.node(), playbooks.document()
    assert modules(vm) == before
    assert node["pods"]["sockets_from"] == "/proc/net/tcp"
    assert (risks(node), holders(node)) == (AT_RISK | NOT_KNOWN, HOLDERS)
    assert node["pods"]["count"] == 7
    words = " ".join(printed.split())
    assert all(label in words for label in AT_RISK)
    assert "python3 (grpcio) to 10.96.0.10:50051" in words
    assert "psql to 10.96.0.10:5432" in words
    assert f"python3 of {pods.ON_HOST} to 10.96.0.10:80" in words
    (without,) = observed("connections-without-keepalive", document)
    assert without.startswith("2 connections without SO_KEEPALIVE: ")
    assert observed("connections-armed-late", document) == []
    (unseen,) = observed("connections-idle-unseen", document)
    assert unseen == "1 open connection to services cannot be judged: shop/tuned-0 (1)"

    vm.run(["modprobe", "tcp_diag"])
    assert "tuned-0" not in playbooks.audit()
    assert observed("connections-idle-unseen", playbooks.document()) == []
    assert playbooks.node()["pods"]["sockets_from"] == "sock_diag"
    assert (risks(playbooks.node()), holders(playbooks.node())) == (AT_RISK, HOLDERS)
    assert seen(playbooks.node()) == seen(node)


def test_without_root_nobody_can_tell_and_the_audit_says_what_is_missing(nodes: Nodes, tmp_path: Path) -> None:
    vm = nodes.of(STORY)
    vm.run(["sh", "-ec", ORDINARY_USER])
    playbooks = Playbooks(vm, tmp_path)
    line = vm.inventory_line.replace("ansible_user=root", "ansible_user=somebody")
    # Not over the kept connection, which is root's.
    playbooks.inventory.write_text(line.replace("='-F ", "='-o ControlPath=none -F ") + "\n")
    printed = playbooks.run("audit", keepalive_become=False)
    node, document = playbooks.node(), playbooks.document()
    assert (node["root"], node["verdict"], node["pods"]["verdict"]) == (False, "unknown", "unknown")
    (limit,) = observed("limit-unknown", document)
    assert limit.startswith(
        "IPVS tcp: IPVS timeouts: not read, the socket option answers Operation not permitted. Run as root"
    )
    (spaces,) = observed("namespaces-not-read", document)
    assert spaces.endswith("could not be read: /proc/1/ns/net: Permission denied")
    words = " ".join(printed.split())
    assert "UNKNOWN" in words
    assert "NOT read as root, so a part is missing" in words
    assert "Traceback" not in words


def test_apply_cures_running_pods_and_pod_defaults_those_to_come(nodes: Nodes, tmp_path: Path) -> None:
    vm = nodes.of(STORY)
    playbooks = Playbooks(vm, tmp_path)
    vm.put(NETWORK, json.dumps(CONFLIST))
    assert make_pod(vm, "made-before", 10) == KERNEL
    before = dict.fromkeys(CURED, KERNEL) | {"tuned": ON_PURPOSE}
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(measure, vm, BEFORE)
        playbooks.run("apply", "--check", "--diff")
        lost.result()
    foreseen = changes(playbooks.node())
    assert keepalives(vm, *before) == before

    playbooks.run("apply")
    assert changes(playbooks.node()) == foreseen
    assert {what: values for (kind, what), values in foreseen.items() if kind == "pod"} == dict.fromkeys(
        [*AT_RISK_PODS, f"pod {pods.uid(10)}"], (KERNEL, PLANNED)
    )
    after = dict.fromkeys(CURED, PLANNED) | {"tuned": ON_PURPOSE}
    assert keepalives(vm, *after) == after

    assert make_pod(vm, "made-between", 11) == KERNEL
    guest(vm, "pods.py", "end", "made-between")
    (tmp_path / "pod_defaults.yml").write_text(POD_DEFAULTS)
    assert changed(playbooks.run(f"{tmp_path}/pod_defaults.yml")) == 1
    assert make_pod(vm, "made-after", 12) == PLANNED
    vm.run(["modprobe", "tcp_diag"])
    with ThreadPoolExecutor(1) as pool:
        kept = pool.submit(measure, vm, AFTER)
        playbooks.audit()
        assert risks(playbooks.node()) == STILL_AT_RISK
        (armed,) = observed("connections-armed-late", playbooks.document())
        assert re.sub(r"\([0-9]+\) of", "(PID) of", armed) == (
            f"3 open connections to services in the node itself (1): python3 (PID) of {pods.ON_HOST}, "
            "shop/orders-0 (1), shop/web-0 (1)"
        )
        vm.run(["touch", QUIET])
        assert changed(playbooks.run("apply")) == 0
        assert changed(playbooks.run(f"{tmp_path}/pod_defaults.yml")) == 0
        assert outcome(vm, "web") == "ECONNRESET"
        kept.result()

    assert changed(playbooks.run("restore")) == 1
    assert keepalives(vm, *before) == before
    assert keepalives(vm, "made-after") == {"made-after": PLANNED}


def test_pods_that_end_meanwhile_are_no_error(nodes: Nodes, tmp_path: Path) -> None:
    """One ends between observing and converging, others live for a blink all the time."""
    vm = nodes.of(STORY)
    playbooks = Playbooks(vm, tmp_path)
    converge = tmp_path / "converge.yml"
    converge.write_text(CONVERGE)
    vm.run(["systemd-run", "--quiet", "--unit=churn", "python3", f"{IN_GUEST}/pods.py", "churn", "3600"])
    playbooks.run(str(converge))
    node = playbooks.node()
    assert (node["pods"]["error"], node["namespaces"]["unreadable"]) == (None, 0)
    lasting = [name for name in NAMES if name not in ("tuned", "quiet")]
    assert keepalives(vm, *lasting) == dict.fromkeys(lasting, PLANNED)
    after = json.loads((tmp_path / "pods.json").read_text())
    assert "shop/web-0" in after
    assert "shop/quiet-0" not in after
    vm.run(["systemctl", "stop", "churn"])
    playbooks.run("restore")
    assert keepalives(vm, *lasting) == dict.fromkeys(lasting, KERNEL)


def keepalives(vm: Vm, *names: str) -> dict[str, str]:
    """time/intvl/probes in force in each namespace."""
    return dict(json.loads(guest(vm, "pods.py", "keepalive", *names)))


def make_pod(vm: Vm, name: str, number: int) -> str:
    """A pod as the runtime makes it, with the plugins of the node's network; its keepalive."""
    cgroup = pods.cgroupfs(number, "burstable").format(container=f"{number:064x}")
    return str(json.loads(guest(vm, "pods.py", "cni", name, cgroup)))


def measure(vm: Vm, stage: str) -> None:
    """Connections of that stage, and what must come of them."""
    for (_table, what, _stage), results in run_cases(vm, SCENARIO, stage, print).items():
        row = next(row for row in pods.ROWS if row.what == what)
        assert row.runs[stage].expect.holds(results), f"{what}, {stage}: {row.runs[stage].expect.words}, got {results}"


def outcome(vm: Vm, netns: str) -> str:
    """How the connection that a pod had from the beginning went on."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        output = vm.run(["cat", f"/run/proof/{netns}.program"]).stdout
        if output:
            return str(json.loads(output)["got"])
        time.sleep(1)
    raise AssertionError(f"{vm.name}: {netns}: no outcome after {WAIT_SECONDS} s.")
