# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pods of a node in the lab: what a kubelet, their owners and their programs made of them, and a node with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.tests.lab.vm import Vm
from ansible_collections.kubenode.connections.tests.proof.model import (
    AFTER,
    ANSWERED,
    BEFORE,
    DERIVED,
    HEADS,
    IDLE,
    IPVS,
    KEYS,
    LIMIT,
    RESET,
    RESET_WORDS,
    Row,
    Scenario,
    Table,
    idle,
    program,
)
from ansible_collections.kubenode.connections.tests.proof.play import (
    COLLECTIONS,
    guest,
    put_programs,
    start_server,
)

PROGRAMS = (
    Path(__file__).parent / "guest/pods.py",
    COLLECTIONS / "ansible_collections/kubenode/connections/tests/unit/plugins/module_utils/_new_pods.py",
)
KERNEL = "7200/75/9"
PLANNED = "/".join(map(str, DERIVED))
ON_PURPOSE = "5/1/3"
"""Of the pod whose owner set safe values."""
FOREVER = 100_000
QUIET = "/run/proof/quiet"
"""The file that ends the chat of the connection that is there before and after."""
NODE = "node"
ON_HOST = "kube-system/agent-x2d"
"""The hostNetwork pod."""
ESTABLISHED = 86400
NETWORK = "/etc/cni/net.d/10-shop.conflist"
CONFLIST = {
    "cniVersion": "0.4.0",
    "name": "shop",
    "plugins": [
        {
            "type": "ptp",
            "ipam": {"type": "host-local", "subnet": "10.88.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]},
        }
    ],
}


@dataclass(frozen=True)
class Pod:
    """A pod as guest/pods.py makes it. The cgroup has a place for the name of a container."""

    netns: str
    cgroup: str
    log: str | None
    program: tuple[str, ...]
    sysctls: tuple[str, ...] = ()
    v1: bool = False


def uid(number: int) -> str:
    return f"2f6c1a4e-9d0b-4c35-8e77-{number:012d}"


def systemd(number: int, qos: str, runtime: str) -> str:
    """A container's cgroup by the systemd driver (ToSystemd in pkg/kubelet/cm/cgroup_manager_linux.go)."""
    slices = ["kubepods"] + ([f"kubepods-{qos}"] if qos else [])
    slices.append(f"{slices[-1]}-pod{uid(number).replace('-', '_')}")
    return "/".join(f"{name}.slice" for name in slices) + f"/{runtime}-{{container}}.scope"


def cgroupfs(number: int, qos: str) -> str:
    """A container's cgroup by the cgroupfs driver."""
    return f"kubepods/{qos}{'/' if qos else ''}pod{uid(number)}/{{container}}"


def log(number: int, name: str) -> str:
    return f"{name.replace('/', '_')}_{uid(number)}"


def client(netns: str, port: int, **more: Any) -> tuple[str, ...]:
    """A program with one connection to the Service, with SO_KEEPALIVE."""
    case = {"from": netns, "to": IPVS, "source_port": port, "idle": FOREVER, **more}
    return "pods.py", "client", json.dumps(case)


OWN_TIMER = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 1}

PODS = (
    Pod(
        "web",
        systemd(1, "burstable", "cri-containerd"),
        log(1, "shop/web-0"),
        client("web", 20001, chat_until=(QUIET, ""), idle=IDLE),
    ),
    Pod(
        "batch",
        systemd(2, "besteffort", "crio"),
        log(2, "shop/batch-28x7k"),
        client("batch", 20002, options=OWN_TIMER),
    ),
    Pod("search", cgroupfs(3, "besteffort"), log(3, "shop/search-1"), ("programs.py", "grpc", str(FOREVER))),
    Pod("cart", cgroupfs(4, "burstable"), None, ("programs.py", "redis", str(FOREVER))),
    Pod("orders", cgroupfs(5, "burstable"), log(5, "shop/orders-0"), ("programs.py", "psql", str(FOREVER)), v1=True),
    Pod(
        "tuned",
        systemd(6, "", "docker"),
        log(6, "shop/tuned-0"),
        client("tuned", 20006),
        sysctls=tuple(f"{key}={value}" for key, value in zip(KEYS, ON_PURPOSE.split("/"), strict=True)),
    ),
    Pod(NODE, systemd(7, "burstable", "cri-containerd"), log(7, ON_HOST), client(NODE, 20007)),
    Pod("quiet", cgroupfs(8, ""), log(8, "shop/quiet-0"), ()),
)
NAMES = tuple(pod.netns for pod in PODS)
CART = f"pod {uid(4)}"
"""How a pod is called whose log directory is gone."""

SURVIVES = 5 * LIMIT


def row(netns: str) -> Row:
    """Connections with SO_KEEPALIVE, opened before the role ran and after it."""
    return Row(netns, {BEFORE: idle(netns, IPVS, IDLE, RESET), AFTER: idle(netns, IPVS, SURVIVES, ANSWERED)})


ROWS = (
    row("web"),
    row(NODE),
    row("made-before"),
    Row("made-after", {AFTER: idle("made-after", IPVS, SURVIVES, ANSWERED)}),
    Row(
        "orders",
        {
            BEFORE: program("orders", "psql", IDLE, RESET_WORDS),
            AFTER: program("orders", "psql", SURVIVES, ANSWERED),
        },
    ),
)
SCENARIO = Scenario("pods", LIMIT, ESTABLISHED, {}, (Table("pods", "", HEADS, ROWS),))


def make_node(vm: Vm, pods: Sequence[Pod] = PODS, limit: int = LIMIT) -> None:
    """A node with these pods, real servers behind its Services, and so many seconds after which its IPVS forgets."""
    put_programs(vm, *PROGRAMS)
    guest(vm, "pods.py", "build", str(limit), data=json.dumps([asdict(pod) for pod in pods]))
    for name in ("s1", "s2"):
        start_server(vm, name, name)
    if any(pod.program[:1] == ("programs.py",) for pod in pods):
        guest(vm, "programs.py", "serve", namespace="s1")
    guest(vm, "pods.py", "clients")
