# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keepalive that the kernel gives to every new connection, on each kernel. Run: pytest tests/lab/test_enforce.py."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, changed, observed
from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS, Lab, Vm
from ansible_collections.kubenode.connections.tests.proof.play import IN_GUEST, UNIT, guest, put_programs

PROGRAM = Path(__file__).parent / "guest/enforce.py"
SCRIPT = "/etc/kubenode.connections/enforce.py"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
ROOT = "/sys/fs/cgroup"
LEFT_ALONE, EXCLUDED_PORT = "/left-alone", 8022
POD, NODE = "10.9.1.2", "10.9.1.1"
KERNEL, PLANNED = [0, 7200, 75, 9], [1, 600, 30, 9]
NODES = [0, *PLANNED[1:]]
"""Of a socket in the node's namespace that is left alone, once the role has set the node's sysctls."""
NAME = "ka_0258_001e_09"
PRIORITY = 5
"""Of each connection while somebody's program is there (guest/somebody.py)."""
NO_KERNEL_TELLS = ("5.10",)
"""Where a program of BPF cannot read what a socket has (before 6.1)."""

ON = [socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1]
SOONER = [ON, [socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 100], [socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10]]
LATER = [ON, [socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 5000]]

WISHES: dict[str, Any] = {
    "keepalive_middleboxes": [{"name": "firewall of the lab", "seconds": 900}],
    "keepalive_enforce": True,
    "keepalive_enforce_exclude_ports": [EXCLUDED_PORT],
    "keepalive_enforce_exclude_cgroups": [LEFT_ALONE, "/not-there.slice"],
}
KUBELET = f"""[Service]
Type=oneshot
ExecStart=python3 {IN_GUEST}/enforce.py first /root/first.json
[Install]
WantedBy=multi-user.target
"""
"""It stands for a kubelet: what matters is when it makes its first pod."""
ALONE = "import somebody; somebody.ALLOW_MULTI = 0; somebody.attach()"


@pytest.fixture(scope="module", params=list(KERNELS))
def node(request: pytest.FixtureRequest) -> Iterator[Vm]:
    """A node with two pods, and a kubelet that makes another one at boot."""
    lab = Lab("enforce")
    vm = lab.up([request.param])[0]
    vm.reset()
    put_programs(vm, PROGRAM)
    vm.put("/etc/systemd/system/kubelet.service", KUBELET)
    vm.run(["systemctl", "enable", "--quiet", "kubelet.service"])
    vm.run(["mkdir", ROOT + LEFT_ALONE])
    guest(vm, "enforce.py", "pod", "before", "1")
    yield vm
    lab.down([request.param])


def ends(vm: Vm, **case: Any) -> list[list[int]]:
    """What both ends of a new connection have, that of the pod before first: SO_KEEPALIVE, time, intvl, probes."""
    return [end[:4] for end in both(vm, **case)]


def both(vm: Vm, cgroup: str = "", **case: Any) -> list[list[int]]:
    """The same with SO_PRIORITY; cgroup: of the process that has both."""
    case = {"from": "before", "to": "node", "address": NODE, **case}
    enter = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', ROOT + cgroup] if cgroup else []
    command = [*enter, "python3", f"{IN_GUEST}/enforce.py", "connect", json.dumps(case)]
    answer = json.loads(vm.run(command).stdout)
    return [answer["client"], answer["server"]]


def programs(vm: Vm, cgroup: str = "") -> list[str]:
    """The names of the programs that run for new connections."""
    return list(json.loads(guest(vm, "somebody.py", "list", ROOT + cgroup)))


def refused(playbooks: Playbooks, playbook: str, **variables: Any) -> str:
    """What a playbook prints that is to fail."""
    with pytest.raises(AssertionError) as failed:
        playbooks.run(playbook, **variables)
    return " ".join(str(failed.value).split())


def test_every_new_connection_has_it_but_what_is_left_alone(node: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(node, tmp_path)
    guest(node, "somebody.py", "attach")
    assert both(node) == [[*KERNEL, PRIORITY]] * 2
    playbooks.run("apply", "--check", "--diff", **WISHES)
    assert (programs(node), ends(node)) == (["somebody"], [KERNEL] * 2)

    playbooks.run("apply", **WISHES)
    assert (programs(node), programs(node, LEFT_ALONE)) == ([NAME, "somebody"], ["ka_exclude"])
    assert both(node) == [[*PLANNED, PRIORITY]] * 2
    assert ends(node, **{"from": "node", "to": "before", "address": POD}) == [PLANNED] * 2
    assert ends(node, address="fd09:1::1") == [PLANNED] * 2
    guest(node, "enforce.py", "pod", "after", "2")
    assert ends(node, **{"from": "after", "address": "10.9.2.1"}) == [PLANNED] * 2

    assert ends(node, **{"from": "before", "to": "before", "address": "127.0.0.1"}) == [KERNEL] * 2
    assert ends(node, **{"from": "before", "to": "before", "address": "::1"}) == [KERNEL] * 2
    assert ends(node, port=EXCLUDED_PORT) == [KERNEL, NODES]
    assert both(node, LEFT_ALONE) == [[*KERNEL, PRIORITY], [*NODES, PRIORITY]]


def test_what_a_program_has_set_itself(node: Vm) -> None:
    tells = node.series not in NO_KERNEL_TELLS
    kept, later = ends(node, before=SOONER)[0], ends(node, before=LATER)[0]
    print(f"\nlinux {node.series}: 1/100/10/9 set before it connects becomes {'/'.join(map(str, kept))}")
    assert kept == ([1, 100, 10, 9] if tells else PLANNED)
    assert later == PLANNED
    assert ends(node, after=LATER)[0] == [1, 5000, 30, 9]
    assert ends(node, after=[[socket.SOL_SOCKET, socket.SO_KEEPALIVE, 0]])[0][0] == 0


def test_a_second_apply_changes_nothing_and_other_values_take_its_place(node: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(node, tmp_path)
    assert changed(playbooks.run("apply", **WISHES)) == 0
    playbooks.run("verify", **WISHES)
    lower = [{"name": "firewall of the lab", "seconds": 350}]
    playbooks.run("apply", **{**WISHES, "keepalive_middleboxes": lower})
    assert (programs(node), ends(node)) == (["ka_00e9_000b_09", "somebody"], [[1, 233, 11, 9]] * 2)
    playbooks.run("restore")
    playbooks.run("apply", **WISHES)
    assert (programs(node), ends(node)) == ([NAME, "somebody"], [PLANNED] * 2)


def test_a_reboot_brings_it_back_before_the_first_pod(node: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(node, tmp_path)
    reboot(node)
    assert first_pod(node) == [PLANNED] * 2
    guest(node, "somebody.py", "attach")
    assert programs(node) == [NAME, "somebody"]
    assert both(node, **{"from": "first", "address": "10.9.77.1"}) == [[*PLANNED, PRIORITY]] * 2
    playbooks.run("verify", **WISHES)

    node.run(["systemctl", "disable", "--quiet", UNIT])
    assert "after a reboot" in refused(playbooks, "verify", **WISHES)
    reboot(node)
    assert (first_pod(node), programs(node)) == ([KERNEL, NODES], [])
    refused(playbooks, "verify", **WISHES)
    playbooks.run("apply", **WISHES)
    assert programs(node) == [NAME]
    reboot(node)
    assert first_pod(node) == [PLANNED] * 2


def reboot(vm: Vm) -> None:
    """Until all of its services have started."""
    vm.reboot()
    vm.wait()


def first_pod(vm: Vm) -> list[list[int]]:
    """What the first connection of the first pod of this boot had; the file goes, so that the next boot writes it."""
    answer = json.loads(vm.run(["sh", "-ec", "cat /root/first.json; rm /root/first.json"]).stdout)
    return [answer["client"][:4], answer["server"][:4]]


def test_taken_back_by_restore_by_the_variable_and_by_hand(node: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(node, tmp_path)
    connection = {"from": "first", "address": "10.9.77.1"}
    guest(node, "somebody.py", "attach")
    playbooks.run("restore")
    assert (programs(node), ends(node, **connection)) == (["somebody"], [KERNEL] * 2)
    assert node.run(["ls", SCRIPT, UNIT_FILE], check=False).stdout == ""

    playbooks.run("apply", **WISHES)
    assert ends(node, **connection) == [PLANNED] * 2
    playbooks.run("apply", **{**WISHES, "keepalive_enforce": False})
    assert (programs(node), ends(node, **connection)) == (["somebody"], [KERNEL, NODES])

    playbooks.run("apply", **WISHES)
    number = node.run(["sh", "-c", f"bpftool prog list | sed -n 's/: sock_ops .*name {NAME} .*//p'"]).stdout.strip()
    node.run(["systemctl", "disable", "--quiet", "--now", UNIT])
    node.run(["rm", SCRIPT, UNIT_FILE])
    node.run(["systemctl", "daemon-reload"])
    node.run(["bpftool", "cgroup", "detach", ROOT, "sock_ops", "id", number])
    assert (programs(node), ends(node, **connection)) == (["somebody"], [KERNEL, NODES])
    playbooks.run("restore")


def test_where_somebody_lets_no_other_program_beside_his(node: Vm, tmp_path: Path) -> None:
    playbooks = Playbooks(node, tmp_path)
    guest(node, "somebody.py", "detach")
    node.run(["sh", "-c", f"cd {IN_GUEST} && python3 -c '{ALONE}'"])
    playbooks.run("apply", **WISHES)
    (why,) = observed("enforce-impossible", playbooks.document())
    print(f"\nlinux {node.series}: {why}")
    assert (programs(node), node.run(["ls", SCRIPT, UNIT_FILE], check=False).stdout) == (["somebody"], "")
