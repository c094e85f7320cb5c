# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node whose pods have connections on several paths: to an address outside, through a proxy, to Services of IPVS."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.tests.lab import pods
from ansible_collections.kubenode.connections.tests.lab.pods import Pod, cgroupfs, log, systemd
from ansible_collections.kubenode.connections.tests.lab.vm import Vm
from ansible_collections.kubenode.connections.tests.proof.model import IPVS, KEYS
from ansible_collections.kubenode.connections.tests.proof.play import guest, put_programs

PROGRAM = Path(__file__).parent / "guest/paths.py"
IPVS_SECONDS, ESTABLISHED_SECONDS, RELAY_SECONDS = 10, 13, 20
IDLE_SECONDS = 30
POOLER = ("203.0.113.2", 6432)
"""An address outside, which the node masquerades for."""
RELAY = ("10.4.0.2", 7000)
"""A proxy that ends TCP. Beyond it is BEHIND."""
BEHIND = ("10.2.0.2", 80)
PROBING, SILENT = (IPVS[0], 8101), (IPVS[0], 8102)
"""Services of IPVS by whether their servers probe."""
IN_TIME = tuple(f"{key}={value}" for key, value in zip(KEYS, (4, 1, 3), strict=True))
"""A keepalive that is in time for all of the limits."""


def program(netns: str, *cases: dict[str, Any]) -> tuple[str, ...]:
    return "paths.py", "hold", netns, json.dumps(cases)


PODS = (
    Pod(
        "cart",
        systemd(1, "burstable", "cri-containerd"),
        log(1, "shop/cart-0"),
        program("cart", *[{"to": POOLER, "keepalive": False}] * 3, {"to": POOLER}),
        sysctls=IN_TIME,
    ),
    Pod(
        "mail",
        cgroupfs(2, "besteffort"),
        log(2, "shop/mail-0"),
        program("mail", {"to": BEHIND}, {"to": RELAY, "chats": True}),
        sysctls=IN_TIME,
    ),
    Pod(
        "queue",
        systemd(3, "besteffort", "crio"),
        log(3, "shop/queue-0"),
        program("queue", {"to": PROBING, "keepalive": False}, {"to": SILENT, "keepalive": False}),
        sysctls=IN_TIME,
    ),
    Pod(
        "stock",
        cgroupfs(4, "burstable"),
        log(4, "shop/stock-0"),
        program("stock", {"to": IPVS}, {"to": POOLER}, {"to": IPVS, "set": IN_TIME}, {"to": POOLER}),
    ),
)


def make_node(vm: Vm) -> None:
    """The node, its pods, and what is beyond; the connections are open."""
    put_programs(vm, *pods.PROGRAMS, PROGRAM)
    limits = map(str, (IPVS_SECONDS, ESTABLISHED_SECONDS, RELAY_SECONDS))
    guest(vm, "paths.py", "build", *limits, data=json.dumps([asdict(pod) for pod in PODS]))
    vm.run(["sysctl", "-q", "-w", *IN_TIME])
    guest(vm, "paths.py", "open")


def be_quiet(vm: Vm) -> None:
    """From now on nothing but keepalive is sent."""
    vm.run(["touch", pods.QUIET])


def use(vm: Vm) -> dict[str, list[dict[str, Any]]]:
    """What comes of the connections of each pod now."""
    return dict(json.loads(guest(vm, "paths.py", "use")))
