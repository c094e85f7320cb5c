# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several hosts on one machine: each has network and mount namespaces of its own, and its own configuration files."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment

BEATEN = (
    "somebody else changes this node, too",
    "A later plan or a restore has changed this node since this run looked at it",
)
"""What an apply says of a node that another one has changed, after it or before."""

_OWN = ("/etc/sysctl.d", "/etc/modules-load.d", "/var/lib")
_MOUNTS = "; ".join(f"mount -t tmpfs -o mode=755 tmpfs {folder} || exit" for folder in _OWN)
_HOLD = f"{_MOUNTS}; echo ready; exec sleep infinity"
_CONTEXT = ("--net", "--mount", "--pid")


class Fleet:
    """Hosts by name, and how to run one of the collection's playbooks on them."""

    def __init__(self, folder: Path, pids: dict[str, int]) -> None:
        self.folder = folder
        self.hosts: dict[str, dict[str, object]] = {}
        self.groups: dict[str, dict[str, object]] = {}
        self.variables: dict[str, object] = {"keepalive_become": False, "keepalive_pods": False}
        self.pids = pids
        for name in pids:
            self.give_python(name, sys.executable)

    def give_python(self, name: str, program: str) -> None:
        """Modules run by this program on the host."""
        python = self.folder / f"python-{name}"
        python.write_text(f'#!/bin/sh\nexec nsenter --target {self.pids[name]} {" ".join(_CONTEXT)} {program} "$@"\n')
        python.chmod(0o755)
        self.hosts[name] = {"ansible_connection": "local", "ansible_python_interpreter": str(python)}

    def lose(self, name: str) -> None:
        """Nobody can reach this host any more."""
        self.hosts[name] = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}

    def freeze(self, name: str, folder: str, access: str = "ro") -> None:
        """Nobody can write below this folder of the host any more; rw: everybody again."""
        command = ["nsenter", "--target", str(self.pids[name]), "--mount", "mount", "-o", f"remount,{access}", folder]
        subprocess.run(command, check=True)

    def start(self, name: str, program: str) -> None:
        """A process on this host that calls itself so, until the host is gone."""
        path = self.folder / name / program
        path.parent.mkdir(exist_ok=True)
        shutil.copy(shutil.which("sleep") or "/bin/sleep", path)
        subprocess.Popen(["nsenter", "--target", str(self.pids[name]), *_CONTEXT, str(path), "infinity"])

    def sysctl(self, name: str, key: str) -> str:
        command = ["nsenter", "--target", str(self.pids[name]), "--net", "cat", "/proc/sys/" + key.replace(".", "/")]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def file(self, name: str, path: str) -> str | None:
        found = Path(f"/proc/{self.pids[name]}/root{path}")
        return found.read_text() if found.exists() else None

    def run(
        self, playbook: str, *options: str, into: str = "cat", **variables: object
    ) -> subprocess.CompletedProcess[str]:
        """A playbook of the collection, or one at a path; ``into`` reads its output."""
        return self._shell(f'"$@" | {into}', *self._command(playbook, options, variables))

    def another_controller(self) -> Fleet:
        """The same hosts and variables, from somewhere else."""
        folder = self.folder / "another"
        folder.mkdir()
        other = Fleet(folder, self.pids)
        other.variables = dict(self.variables)
        return other

    def run_until(self, reached: Callable[[], bool], playbook: str) -> None:
        """A playbook whose controller is killed, with all that it has started here, once that holds."""
        with self.stopped(reached, playbook) as controller:
            os.killpg(controller.pid, signal.SIGKILL)

    @contextlib.contextmanager
    def stopped(
        self, reached: Callable[[], bool], playbook: str, **variables: object
    ) -> Iterator[subprocess.Popen[str]]:
        """A playbook whose controller stands still, with all that it has started here, once that holds."""
        home = environment(self.folder / "home")
        command = self._command(playbook, (), variables)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=home, start_new_session=True
        ) as controller:
            while not reached():
                assert controller.poll() is None, "it has ended before"
                time.sleep(0.05)
            os.killpg(controller.pid, signal.SIGSTOP)
            yield controller

    def _command(self, playbook: str, options: Sequence[str], variables: Mapping[str, object]) -> list[str]:
        inventory = self.folder / "inventory.json"
        everything = {"all": {"hosts": self.hosts, "children": self.groups, "vars": self.variables}}
        inventory.write_text(json.dumps(everything))
        name = playbook if "/" in playbook else f"kubenode.connections.{playbook}"
        extra = ["-e", json.dumps(variables)] if variables else []
        return [sys.executable, "-m", "ansible.cli.playbook", name, "-i", str(inventory), *extra, *options]

    def paste(self, command: str) -> subprocess.CompletedProcess[str]:
        """A command line as a person pastes it."""
        ours = shlex.join([sys.executable, "-m", "ansible.cli.playbook"])
        return self._shell(f'ansible-playbook() {{ {ours} "$@"; }}\n{command}')

    def _shell(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        shell = ["bash", "-o", "pipefail", "-c", script, "bash", *arguments]
        home = environment(self.folder / "home")
        return subprocess.run(shell, check=False, capture_output=True, text=True, env=home, timeout=300)


@contextlib.contextmanager
def fleet(folder: Path, *names: str) -> Iterator[Fleet]:
    """Hosts of these names, for as long as the context is open."""
    command = ["unshare", *_CONTEXT, "--fork", "--kill-child", "--mount-proc", "sh", "-c", _HOLD]
    with contextlib.ExitStack() as stack:
        holders = {}
        for name in names:
            holder = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            stack.callback(holder.kill)
            holders[name] = holder
        for holder in holders.values():
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
        yield Fleet(folder, {name: _child(holder.pid) for name, holder in holders.items()})


def _child(pid: int) -> int:
    """The first process of the namespaces; unshare itself stays outside of those of processes."""
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())
