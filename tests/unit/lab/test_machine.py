# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only a process that is the machine's own counts as the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ansible_collections.kubenode.connections.tests.lab.vm import Vm


def test_another_process_with_the_pid_of_the_file_is_not_the_machine(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    assert Vm("6.1", tmp_path).pid is None


def test_a_process_started_with_this_pid_file_is_the_machine(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print(flush=True); input()", str(tmp_path / "pid")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (tmp_path / "pid").write_text(f"{process.pid}\n")
        assert Vm("6.1", tmp_path).pid == process.pid
        process.kill()
    assert Vm("6.1", tmp_path).pid is None


def test_a_machine_that_never_ran_has_neither_process_nor_port(tmp_path: Path) -> None:
    assert (Vm("6.1", tmp_path).pid, Vm("6.1", tmp_path).port) == (None, 0)
