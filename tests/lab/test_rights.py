# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit and an apply need of root's rights, as docs/rights.md says. Run: pytest tests/lab/test_rights.py."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.lab import pods
from ansible_collections.kubenode.connections.tests.lab.playbooks import (
    NODE_ITSELF,
    Playbooks,
    changed,
    changes,
    rows_of,
)
from ansible_collections.kubenode.connections.tests.lab.vm import Lab, Vm
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import elf

PAGE = (Path(__file__).resolve().parents[2] / "docs/rights.md").read_text()
SERIES = "6.1"
PODS = [pod for pod in pods.PODS if pod.program[:1] != ("programs.py",)]
USER = """
useradd --create-home --password '*' --shell /bin/sh deploy
cp -r /root/.ssh /home/deploy
chown -R deploy: /home/deploy
"""
USERS_PROGRAM = "exec 3<>/dev/tcp/10.96.0.10/80; exec sleep 100000"
"""Of a user, in the node's own namespaces, with a connection without SO_KEEPALIVE."""
KUBELET = "/usr/local/bin/kubelet"
"""A program that tells its version only when it is asked."""
NEVER_FORGETS = 900
"""No connection grows that old while this runs."""
EVERYTHING = {
    "keepalive_enforce": True,
    "keepalive_rps": "always",
    "keepalive_ipvs_timeouts": {"tcp": 8284, "tcpfin": 130, "udp": 310},
    "keepalive_sysctls": {"net.bridge.bridge-nf-call-iptables": 1},
}


def of_page(verb: str) -> list[str]:
    """The capabilities that the table has for a playbook."""
    (found,) = re.findall(rf"^\|[^|]*`{verb}`[^|]*\| (.*?) \|$", PAGE, re.MULTILINE)
    return [name.lower() for name in re.findall(r"`CAP_(\w+)`", found)]


AUDIT = of_page("audit")
APPLY = AUDIT + of_page("apply")
SHELL, PYTHON_OF_ROOT = re.findall(r"^ *(deploy ALL=.*)$", PAGE, re.MULTILINE)
(PYTHON,) = re.findall(r"^ *```text\n( *#!/bin/sh\n.*?)^ *```$", PAGE, re.MULTILINE | re.DOTALL)
BECOME, INTERPRETER = re.findall(r"^ *(?:keepalive_become|ansible_python_interpreter): (.*)$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def vm() -> Iterator[Vm]:
    """A node with pods, a kubelet, a program of a user, and a user who may log in."""
    lab = Lab("rights")
    try:
        made = lab.up([SERIES])[0]
        pods.make_node(made, PODS, NEVER_FORGETS)
        made.run(["modprobe", "tcp_diag"])
        made.run(["modprobe", "--remove", "br_netfilter"])
        made.run(["systemd-run", "--quiet", "--uid=nobody", "bash", "-c", USERS_PROGRAM])
        made.run(["tee", KUBELET], data=elf(answer="Kubernetes v1.30.0\n"))
        made.run(["chmod", "755", KUBELET])
        made.run(["systemd-run", "--quiet", "--unit=kubelet", KUBELET, "--kubeconfig=/etc/kubernetes/kubelet.conf"])
        made.run(["sh", "-ec", USER])
        yield made
    finally:
        lab.down()


def by_deploy(vm: Vm, line: str) -> str:
    """The machine in an inventory, for that user, to whom sudo gives what the line says."""
    vm.put("/etc/sudoers.d/deploy", line + "\n")
    own = vm.inventory_line.replace("ansible_user=root", "ansible_user=deploy")
    return own.replace("ansible_ssh_args='", "ansible_ssh_args='-o ControlPath=~/.ansible/cp/lab-%r-%p ")


def with_capabilities(vm: Vm, name: str, capabilities: Sequence[str]) -> str:
    """The machine in an inventory, under this name and as the page says, with these capabilities."""
    script, found = re.subn(
        r"--bounding-set=\S+",
        "--bounding-set=" + ",".join(["-all", *(f"+{each}" for each in capabilities)]),
        textwrap.dedent(PYTHON),
    )
    assert found == 1
    program = f"{INTERPRETER}-{name}"
    vm.put(program, script)
    vm.run(["chmod", "755", program])
    line = by_deploy(vm, f"{PYTHON_OF_ROOT}-*").replace("/usr/bin/python3", program)
    return f"{name} ansible_host={line} keepalive_become={BECOME}"


def playbooks_on(vm: Vm, folder: Path, *lines: str) -> Playbooks:
    made = Playbooks(vm, folder)
    made.inventory.write_text("\n".join([*lines, ""]))
    return made


def view(document: dict[str, Any], name: str) -> dict[str, Any]:
    """What an audit sees of a node that stays while connections grow old."""
    (node,) = (each for each in document["nodes"] if each["name"] == name)
    rows = rows_of(node)
    services = rows[NODE_ITSELF]["services"] if NODE_ITSELF in rows else []
    own = [each for each in document["findings"] if each["scope"] == name]
    unread = [each for each in own if each["severity"] == "unknown" or each["id"] == "connections-unnamed"]
    return {
        "pods": {label: (row["to_services"], row["keepalive"]) for label, row in rows.items()},
        "user's": [each["name"] for row in services for each in row["processes"] if each["name"] == "sleep"],
        "limits": [each["seconds"] for each in node["limits"]],
        "not read": [each["observed"] for each in unread],
    }


def test_the_script_of_the_page_has_the_capabilities_of_the_table() -> None:
    assert sorted(re.findall(r"\+(\w+)", PYTHON)) == sorted(AUDIT)


def test_an_audit_sees_all_with_these_capabilities_and_says_what_it_misses_without_one(vm: Vm, tmp_path: Path) -> None:
    """The same machine several times in one audit, for its time."""
    less = {f"without_{name}": [each for each in AUDIT if each != name] for name in AUDIT}
    lines = [with_capabilities(vm, name, capabilities) for name, capabilities in {"given": AUDIT, **less}.items()]
    playbooks = playbooks_on(vm, tmp_path, f"root ansible_host={vm.inventory_line}", *lines)
    printed = playbooks.run("audit")
    document = playbooks.document()
    whole = view(document, "root")
    assert (whole["user's"], whole["not read"], len(whole["pods"])) == (["sleep"], [], len(PODS))
    assert view(document, "given") == whole
    told = {name: view(document, name)["not read"] for name in less}
    assert all(told.values()), told
    assert "Traceback" not in printed


def test_an_apply_does_all_with_these_capabilities_and_a_restore_by_a_shell_of_root(vm: Vm, tmp_path: Path) -> None:
    root = Playbooks(vm, tmp_path)
    root.run("apply", "--check", **EVERYTHING)
    foreseen = changes(root.node())
    playbooks = playbooks_on(vm, tmp_path, with_capabilities(vm, "applies", APPLY))
    assert changed(playbooks.run("apply", **EVERYTHING)) == 1
    assert changes(playbooks.node()) == foreseen
    assert changed(playbooks_on(vm, tmp_path, by_deploy(vm, SHELL)).run("restore")) == 1
    vm.run(["modprobe", "--remove", "br_netfilter"])
    root = Playbooks(vm, tmp_path)
    root.run("apply", "--check", **EVERYTHING)
    assert changes(root.node()) == foreseen


def test_an_apply_with_the_rights_of_an_audit_says_which_module_it_cannot_load(vm: Vm, tmp_path: Path) -> None:
    playbooks = playbooks_on(vm, tmp_path, with_capabilities(vm, "audits", AUDIT))
    with pytest.raises(AssertionError, match=r"br_netfilter[^\n]*not permitted"):
        playbooks.run("apply", **EVERYTHING)
    assert vm.run(["ls", "/var/lib/kubenode.connections"], check=False).returncode != 0


def test_a_user_who_may_start_one_program_is_refused_by_sudo_for_others(vm: Vm, tmp_path: Path) -> None:
    playbooks = playbooks_on(vm, tmp_path, by_deploy(vm, PYTHON_OF_ROOT))
    with pytest.raises(AssertionError, match=r"sudo: a password is required|Missing sudo password"):
        playbooks.run("apply")
