# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes on this machine, each with processes, files and a network of its own, and the inventory that reaches them."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ssh

NODE = Path(__file__).with_name("node.py")
OWN = ("unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc")


class Node:
    """A node that is being started; wait() before the first use."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        base = folder / name
        base.mkdir()
        command = [*OWN, sys.executable, str(NODE), name, str(base)]
        self._holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait(self) -> Node:
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            raise SystemExit(f"{self.name} did not start: run as root, and see what is printed above.")
        holder = self._holder.pid
        children = Path(f"/proc/{holder}/task/{holder}/children").read_text(encoding="ascii")
        self._pid = int(children.split()[0])
        return self

    def enter(self) -> list[str]:
        """What a command has to begin with to run on the node."""
        return ["nsenter", f"--target={self._pid}", "--net", "--mount", "--pid", "--uts", "--ipc", "--"]

    def sysctl(self, key: str) -> str:
        """A live value of the node."""
        path = "/proc/sys/" + key.replace(".", "/")
        return subprocess.run([*self.enter(), "cat", path], check=True, capture_output=True, text=True).stdout.strip()

    def end(self) -> None:
        self._holder.kill()
        self._holder.wait()


@contextlib.contextmanager
def started(count: int, folder: Path) -> Iterator[list[Node]]:
    """So many new nodes, which end with the context."""
    folder.mkdir()
    nodes = []
    try:
        nodes += [Node(f"node{number:03}", folder) for number in range(1, count + 1)]
        yield [node.wait() for node in nodes]
    finally:
        for node in nodes:
            node.end()


def write_inventory(nodes: Sequence[Node], path: Path, sshd: ssh.Sshd | None) -> None:
    """Each node by a local connection whose shell runs on the node, or by the SSH server given."""
    hosts = {node.name: sshd.variables(node.enter()) if sshd else _local(node) for node in nodes}
    variables = {"ansible_python_interpreter": sys.executable, "ansible_remote_tmp": str(path.parent / "remote")}
    inventory = {"all": {"hosts": hosts, "vars": variables}}
    path.write_text(json.dumps(inventory), encoding="utf-8")


def _local(node: Node) -> dict[str, Any]:
    return {"ansible_connection": "local", "ansible_shell_executable": shlex.join([*node.enter(), "/bin/sh"])}


def environment(folder: Path, *, forks: int = 5, pipelining: bool = True) -> dict[str, str]:
    """An environment with nothing of the user's own settings of Ansible."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    collections = os.environ.get("ANSIBLE_COLLECTIONS_PATH")
    config = folder / "ansible.cfg"
    config.touch()
    return {
        **others,
        **({"ANSIBLE_COLLECTIONS_PATH": collections} if collections else {}),
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_FORKS": str(forks),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": str(int(pipelining)),
        "LC_ALL": "C.UTF-8",
    }
