# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs of the control plane: left running, and ended by whoever finds them, but nothing else is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real import control_plane
from ansible_collections.kubenode.connections.tests.cluster.real.control_plane import Program


@pytest.fixture(name="folder")
def fixture_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose program sleeps."""
    program = tmp_path / "etcd"
    program.write_text("#!/bin/sh\nwhile :; do sleep 0.1; done\n")
    program.chmod(0o755)
    monkeypatch.setattr(control_plane, "binaries", lambda: tmp_path)
    return tmp_path


def test_a_program_is_found_and_ended_by_its_folder(folder: Path) -> None:
    started = Program(folder, "etcd")
    assert started.pid is None
    started.start(f"--data-dir={folder}")
    found = Program(folder, "etcd")
    assert found.pid
    found.stop()
    assert (started.pid, found.pid) == (None, None)


def test_another_process_with_that_number_is_not_taken_for_it(folder: Path) -> None:
    (folder / "etcd.pid").write_text(str(os.getpid()))
    program = Program(folder, "etcd")
    assert program.pid is None
    program.stop()
