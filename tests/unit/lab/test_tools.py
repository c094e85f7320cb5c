# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab says while somebody else has it, and where something is missing."""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab.vm import LabError
from ansible_collections.kubenode.connections.tests.lab.vm.tools import locked, require_pip

TESTS = "ansible_collections.kubenode.connections.tests"
HOLD = """
import sys
from ansible_collections.kubenode.connections.tests.lab.vm.tools import locked
with locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_command_that_waits_for_another_one_says_for_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAB_CACHE", str(tmp_path))
    command = [sys.executable, "-c", HOLD, "up", "6.1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        threading.Timer(0.5, other.stdin.close).start()
        with locked():
            pass
    assert capsys.readouterr().err == f"lab: waiting for process {other.pid}, -c up 6.1\n"


def test_a_lock_that_is_free_is_taken_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAB_CACHE", str(tmp_path))
    with locked(), locked("another"):
        pass
    assert capsys.readouterr().err == ""


def test_a_python_without_pip_is_told_before_anything_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    require_pip()
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(
        LabError, match=r"has no pip, which brings gRPC\. Run make lab, whose Python has it, or install"
    ):
        require_pip()


BUILDS = """
from ansible_collections.kubenode.connections.tests.lab.vm.tools import step

def test_something():
    with step("building"):
        print("captured")
"""


@pytest.mark.parametrize("shown", [True, False])
def test_a_build_shows_its_progress_under_pytest(tmp_path: Path, shown: bool) -> None:
    (tmp_path / "test_builds.py").write_text(BUILDS)
    if shown:
        conftest = Path(importlib.import_module(f"{TESTS}.lab.conftest").__file__ or "")
        (tmp_path / "conftest.py").write_bytes(conftest.read_bytes())
    command = [sys.executable, "-m", "pytest", "--quiet", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "captured" in done.stdout + done.stderr) == (0, False), done.stdout
    assert done.stderr.startswith("lab: building ... ") is shown
