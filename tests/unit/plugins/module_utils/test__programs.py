# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils import _programs
from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._programs import find_program, run_program


def script(tmp_path, text):
    path = tmp_path / "program"
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


def test_a_program_is_found_on_path_first(tmp_path, monkeypatch):
    path = script(tmp_path, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_program("program") == path


def test_roots_programs_are_found_with_an_ordinary_path(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert find_program("sh") in ("/usr/bin/sh", "/bin/sh")
    assert find_program("no-such-program") is None


def test_status_and_both_streams_come_back_in_english(tmp_path):
    path = script(tmp_path, 'echo "$1 $LC_ALL"; printf "b\\377d\\n" >&2; exit 3')
    assert run_program([path, "$HOME; reboot"]) == (3, "$HOME; reboot C\nb\\xffd")


def test_a_program_gets_no_input(tmp_path):
    assert run_program([script(tmp_path, "cat")]) == (0, "")


def test_a_program_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(_programs, "_LIMIT_SECONDS", 0.2)
    path = script(tmp_path, "exec sleep 60")
    with pytest.raises(NodeError) as error:
        run_program([path])
    assert str(error.value) == f"{path}: no end after 0.2 s. Run it by hand and see what it waits for."


def test_a_caller_may_want_to_wait_less(tmp_path):
    path = script(tmp_path, "exec sleep 60")
    with pytest.raises(NodeError) as error:
        run_program([path], 0.2)
    assert str(error.value) == f"{path}: no end after 0.2 s. Run it by hand and see what it waits for."


def test_a_program_that_is_not_there():
    with pytest.raises(NodeError) as error:
        run_program(["rmmod-of-no-one", "x"])
    assert str(error.value) == (
        "rmmod-of-no-one x: not started: No such file or directory (ENOENT). Mend that and run again."
    )


def test_a_program_that_prints_for_ever_is_ended(tmp_path):
    status, output = run_program([script(tmp_path, "exec yes")])
    assert (status, output[:4]) == (-9, "y\ny\n")
    assert 65536 - 1 <= len(output) < 2 * 65536


def test_a_program_whose_child_keeps_the_output_open_is_ended(tmp_path):
    with pytest.raises(NodeError, match=r"no end after 0\.2 s"):
        run_program([script(tmp_path, "sleep 5 &\nexit 0")], 0.2)
