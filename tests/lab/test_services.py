# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to Services of IPVS by IPv6 and at a port of the node. Run: pytest tests/lab/test_services.py."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab import paths, pods
from ansible_collections.kubenode.connections.tests.lab.playbooks import (
    NODE_ITSELF,
    Playbooks,
    observed,
    risks,
    rows_of,
)
from ansible_collections.kubenode.connections.tests.lab.pods import Pod, cgroupfs, log, systemd
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm
from ansible_collections.kubenode.connections.tests.proof.play import guest, put_programs

SERIES = "6.1"
PROGRAM = Path(__file__).parent / "guest/services.py"
LIMIT_SECONDS, IDLE_SECONDS = 20, 30
SIX, AT_NODE = ("fd00:96::10", 80), ("10.2.0.1", 30080)
NAMES = {"shop/six-0": "[fd00:96::10]:80", "shop/port-0": "10.2.0.1:30080", NODE_ITSELF: "10.2.0.1:30080"}
"""Who is connected to which Service, as the audit calls them."""
ANSWERED, RESET = "answered", "ECONNRESET"


def program(netns: str, to: tuple[str, int]) -> tuple[str, ...]:
    """Two connections with SO_KEEPALIVE, one without."""
    case = {"to": to, "chats": True}
    return paths.program(netns, case, case, {**case, "keepalive": False})


PODS = (
    Pod("six", systemd(1, "burstable", "cri-containerd"), log(1, "shop/six-0"), program("six", SIX)),
    Pod("port", cgroupfs(2, "besteffort"), log(2, "shop/port-0"), program("port", AT_NODE)),
    Pod(pods.NODE, systemd(3, "", "crio"), log(3, pods.ON_HOST), program(pods.NODE, AT_NODE)),
)


@pytest.fixture
def vm() -> Iterator[Vm]:
    """A node with the pods, in a lab of its own."""
    lab = Lab("services")
    try:
        vm = lab.up([SERIES])[0]
        vm.reset()
        put_programs(vm, *pods.PROGRAMS, paths.PROGRAM, PROGRAM)
        guest(vm, "services.py", "build", str(LIMIT_SECONDS), data=json.dumps([asdict(pod) for pod in PODS]))
        yield vm
    finally:
        lab.down()


def used(vm: Vm) -> dict[str, list[str]]:
    """What the connections of each pod get that were silent for longer than the limit."""
    paths.be_quiet(vm)
    time.sleep(IDLE_SECONDS)
    return {pod: [each["got"] for each in found] for pod, found in paths.use(vm).items()}


def test_the_audit_names_them_and_the_cure_holds(vm: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(vm, tmp_path)
    guest(vm, "paths.py", "open")
    playbooks.audit()
    rows = rows_of(playbooks.node())
    assert {
        name: [(service["service"], service["connections"]) for service in rows[name]["services"]] for name in NAMES
    } == {name: [(service, 3)] for name, service in NAMES.items()}
    assert risks(playbooks.node()) == dict.fromkeys(NAMES, ("unsafe", 1, 2, 0))
    (without,) = observed("connections-without-keepalive", playbooks.document())
    assert re.match(r"3 connections without SO_KEEPALIVE: ", without)
    assert all(service in without for service in NAMES.values())
    assert used(vm) == {pod.netns: [RESET] * 3 for pod in PODS}

    playbooks.run("apply")
    guest(vm, "paths.py", "open")
    playbooks.audit()
    assert risks(playbooks.node()) == dict.fromkeys(NAMES, ("unsafe", 1, 0, 0))
    assert used(vm) == {pod.netns: [ANSWERED, ANSWERED, RESET] for pod in PODS}
