# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections that are open and idle before an apply. Run: pytest tests/lab/test_open_connections.py."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.lab import pods
from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, changed
from ansible_collections.kubenode.connections.tests.lab.pods import NODE, QUIET, Pod, cgroupfs, log, systemd
from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS, Lab, Vm
from ansible_collections.kubenode.connections.tests.proof.play import guest, put_programs, start_server

IPVS_SECONDS, IDLE_SECONDS = 60, 130
"""An apply on one machine takes far less than the first; the second is more than twice as long."""
WAIT_SECONDS = 300
OWN = {"TCP_KEEPIDLE": 500, "TCP_KEEPINTVL": 5}
"""Too late, and set by the program itself."""
KEPT, LOST = "answered, same process, same socket", "lost"


def asks(name: str) -> tuple[str, ...]:
    """A real client that talks until the file is there, is silent, and talks again."""
    return "programs.py", name, str(IDLE_SECONDS), QUIET, ""


PODS = (
    Pod("search", cgroupfs(1, "besteffort"), log(1, "shop/search-0"), asks("grpc")),
    Pod("cart", systemd(2, "burstable", "cri-containerd"), log(2, "shop/cart-0"), asks("redis")),
    Pod("orders", cgroupfs(3, "burstable"), log(3, "shop/orders-0"), asks("psql")),
    Pod("bill", systemd(4, "besteffort", "crio"), log(4, "shop/bill-0"), asks("node")),
    Pod(
        "batch",
        cgroupfs(5, ""),
        log(5, "shop/batch-0"),
        pods.client("batch", 20005, options=OWN, chat_until=(QUIET, ""), idle=IDLE_SECONDS),
    ),
    Pod(NODE, cgroupfs(6, "burstable"), log(6, "shop/agent-0"), asks("redis-keepalive")),
    Pod("quiet", cgroupfs(7, ""), log(7, "shop/quiet-0"), ()),
)
ASKED = {"orders": KEPT, NODE: KEPT}
NEVER_ASKED = ("search", "cart", "bill")
OUTCOMES = {
    "never": dict.fromkeys(("search", "cart", "bill", "batch", "orders", NODE), LOST),
    "rearm": {**dict.fromkeys((*NEVER_ASKED, "batch"), LOST), **ASKED},
    "all": {**dict.fromkeys(NEVER_ASKED, KEPT), "batch": LOST, **ASKED},
}
STORY = "6.1"
CASES = [(series, mode) for series in KERNELS for mode in (OUTCOMES if series == STORY else ("all",))]


def make_node(vm: Vm) -> None:
    """A node whose IPVS forgets after IPVS_SECONDS, and PODS, which talk until QUIET is there."""
    vm.reset()
    put_programs(vm, *pods.PROGRAMS)
    guest(vm, "pods.py", "build", str(IPVS_SECONDS), data=json.dumps([asdict(pod) for pod in PODS]))
    for name in ("s1", "s2"):
        start_server(vm, name, name)
    guest(vm, "programs.py", "serve", namespace="s1")
    guest(vm, "pods.py", "clients")


@pytest.mark.parametrize(("series", "mode"), CASES)
def test_which_of_them_survive_an_apply(series: str, mode: str, tmp_path: Path) -> None:
    lab = Lab("open-connections")
    vm = lab.up([series])[0]
    try:
        make_node(vm)
        playbooks = Playbooks(vm, tmp_path)
        vm.run(["touch", QUIET])
        silent = time.monotonic()
        playbooks.run("apply", keepalive_open_connections=mode)
        took = time.monotonic() - silent
        assert took < IPVS_SECONDS, f"The apply took {took:.0f} s: all connections were forgotten before."
        assert told(playbooks) == {"never": None, "rearm": 2, "all": 5}[mode]
        assert outcomes(vm) == OUTCOMES[mode]
    finally:
        lab.down([series])


def test_check_mode_counts_them_and_touches_none(tmp_path: Path) -> None:
    lab = Lab("open-connections")
    vm = lab.up([STORY])[0]
    try:
        make_node(vm)
        playbooks = Playbooks(vm, tmp_path)
        before = timers(vm)
        for mode, number in (("rearm", 2), ("all", 5)):
            playbooks.run("apply", "--check", keepalive_open_connections=mode)
            assert (told(playbooks), timers(vm)) == (number, before)
        playbooks.run("apply", keepalive_open_connections="all")
        after = timers(vm)
        assert after != before
        assert changed(playbooks.run("apply", keepalive_open_connections="all")) == 0
        playbooks.run("restore")
        assert timers(vm).keys() == after.keys()
    finally:
        lab.down([STORY])


def told(playbooks: Playbooks) -> int | None:
    """How many the report says were re-armed, or would be."""
    found = playbooks.node()["applied"].get("open_connections")
    return None if found is None else int(found["rearmed"])


def timers(vm: Vm) -> dict[str, Any]:
    """Of each pod with a client: whether its sockets have a keepalive timer."""
    names = [pod.netns for pod in PODS if pod.program]
    enter = {name: [] if name == NODE else ["ip", "netns", "exec", name] for name in names}
    shown = {name: vm.run([*enter[name], "ss", "-tnoH", "dst", "10.96.0.10"]).stdout for name in names}
    return {name: [("timer:(keepalive" in line) for line in text.splitlines()] for name, text in shown.items()}


def outcomes(vm: Vm) -> dict[str, str]:
    """What came of the connection of each pod, once all have spoken again."""
    names = [pod.netns for pod in PODS if pod.program]
    deadline = time.monotonic() + WAIT_SECONDS
    found: dict[str, str] = {}
    while len(found) < len(names) and time.monotonic() < deadline:
        texts = {name: vm.run(["cat", f"/run/proof/{name}.program"]).stdout.strip() for name in names}
        found = {name: text for name, text in texts.items() if text}
        time.sleep(2)
    return {name: text if text == KEPT else LOST if is_lost(text) else text for name, text in found.items()}


def is_lost(text: str) -> bool:
    """Whether a client says that its connection is gone, in whatever words."""
    return any(word in text for word in ("ECONNRESET", "reset by peer", "closed the connection unexpectedly"))
