# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which programs root runs, and how: real ones, of root and of another user, in folders of both."""

import os
import shutil
import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import programs
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.programs import (
    find_program,
    need_program,
    run_program,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import ALL_RIGHTS, run_python

NOBODY = 65534


def script(tmp_path, text, name="program"):
    path = tmp_path / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture(name="folder")
def fixture_folder(tmp_path, monkeypatch):
    """A folder on PATH."""
    monkeypatch.setenv("PATH", f"relative::{tmp_path}")
    return tmp_path


def test_the_systems_own_program_comes_before_one_on_path(folder):
    script(folder, "", "sh")
    assert find_program("sh") in ("/usr/bin/sh", "/bin/sh")


def test_one_that_is_only_on_path_is_found_there(folder):
    assert find_program("program") is None
    path = script(folder, "")
    assert (find_program("program"), need_program("program")) == (path, path)


def test_a_folder_of_path_without_a_beginning_does_not_count(folder, monkeypatch):
    (folder / "relative").mkdir()
    script(folder / "relative", "")
    monkeypatch.chdir(str(folder))
    assert find_program("program") is None


def test_a_program_that_is_needed_and_not_there(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NodeError) as error:
        need_program("program")
    assert str(error.value) == (
        "program: it is in none of /usr/sbin, /usr/bin, /sbin, /bin, and not on PATH. Install it."
    )


def nobodys(path):
    os.chown(str(path), NOBODY, 0)


DISTRUSTED = [
    pytest.param(
        lambda folder: nobodys(folder / "program"),
        "{0}/program belongs to user 65534 (mode 0755), root is",
        id="a user's program",
    ),
    pytest.param(nobodys, "{0} belongs to user 65534 (mode 0700), root is", id="a user's folder"),
    pytest.param(
        lambda folder: (folder / "program").chmod(0o775),
        "others can write {0}/program (mode 0775, user 0), root alone is",
        id="its group can write it",
    ),
    pytest.param(
        lambda folder: folder.chmod(0o707),
        "others can write {0} (mode 0707, user 0), root alone is",
        id="anybody can write the folder",
    ),
    pytest.param(
        lambda folder: folder.chmod(0o1777),
        "{0}/program lies in a folder that others can write, root alone is",
        id="a folder such as /tmp",
    ),
]


@pytest.mark.parametrize(("change", "why"), DISTRUSTED)
def test_what_others_can_change_is_not_run(folder, change, why):
    path, mark = script(folder, f"touch {folder}/mark"), folder / "mark"
    change(folder)
    said = (
        f"{{}}: not run, since {why.format(folder)} expected: what others can change must not run with the rights of "
        "root. Look at who changed it, then give it back to root (chown root:, chmod go-w)."
    )
    for name in ("program", path):
        with pytest.raises(NodeError) as error:
            run_program([name])
        assert str(error.value) == said.format(name)
    assert not mark.exists()


def test_one_that_others_can_change_is_passed_over_for_the_next(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        script(tmp_path / name, f"echo {name}")
    nobodys(tmp_path / "a")
    monkeypatch.setenv("PATH", f"{tmp_path}/a:{tmp_path}/b")
    assert run_program(["program"]) == (0, "b")


def test_a_link_is_as_good_as_where_it_leads_and_every_folder_on_the_way(folder):
    (folder / "far").mkdir()
    script(folder / "far", "echo far", "real")
    (folder / "near").symlink_to("far")
    (folder / "program").symlink_to(folder / "near" / "real")
    assert run_program(["program"]) == (0, "far")
    nobodys(folder / "far")
    with pytest.raises(NodeError, match="/far belongs to user 65534"):
        run_program(["program"])


def test_a_program_finds_nothing_of_our_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", "/none.so")
    path = script(tmp_path, "pwd; env")
    said = run_program([path], variables={"CNI_COMMAND": "ADD"})[1].split("\n")
    assert said[0] == "/"
    assert sorted(each for each in said[1:] if each[:4] not in ("PWD=", "OLDP", "SHLV", "_=/u")) == [
        "CNI_COMMAND=ADD",
        "LC_ALL=C",
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    ]


def test_a_program_reads_what_it_is_given(tmp_path):
    data = b"x" * 300000
    assert run_program([script(tmp_path, "wc -c")], data=data) == (0, "300000")


def test_what_a_program_has_started_ends_with_it(tmp_path):
    path = script(tmp_path, f"(sleep 0.6; touch {tmp_path}/mark) & sleep 60")
    with pytest.raises(NodeError, match=r"did not end within 0\.2 s"):
        run_program([path], 0.2)
    time.sleep(1)
    assert not (tmp_path / "mark").exists()


def test_status_and_both_streams_come_back_in_english(tmp_path):
    path = script(tmp_path, 'echo "$1 $LC_ALL"; printf "b\\377d\\n" >&2; exit 3')
    assert run_program([path, "$HOME; reboot"]) == (3, "$HOME; reboot C\nb\\xffd")


def test_a_program_gets_no_input(tmp_path):
    assert run_program([script(tmp_path, "cat")]) == (0, "")


def test_a_program_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(programs, "_LIMIT_SECONDS", 0.2)
    path = script(tmp_path, "exec sleep 60")
    with pytest.raises(NodeError) as error:
        run_program([path])
    assert str(error.value) == f"{path}: it did not end within 0.2 s. Run it by hand and see what it waits for."


def test_a_caller_may_want_to_wait_less(tmp_path):
    path = script(tmp_path, "exec sleep 60")
    with pytest.raises(NodeError) as error:
        run_program([path], 0.2)
    assert str(error.value) == f"{path}: it did not end within 0.2 s. Run it by hand and see what it waits for."


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
    with pytest.raises(NodeError, match=r"did not end within 0\.2 s"):
        run_program([script(tmp_path, "sleep 5 &\nexit 0")], 0.2)


RUN = """
import os, time
descriptor = os.open({path!r}, os.O_PATH)
begin = time.monotonic()
try:
    programs.run_descriptor(descriptor, ['sleep', '40'], 0.2)
except errors.NodeError as error:
    print(error)
assert time.monotonic() - begin < 30
"""


@pytest.mark.parametrize(
    ("capability", "expected"),
    [
        ("setuid", f"not started as user {NOBODY}, which this process cannot become. {ALL_RIGHTS}"),
        ("kill", "it did not end within 0.2 s. Run it by hand and see what it waits for."),
    ],
)
def test_a_root_with_fewer_rights_neither_waits_nor_speaks_of_a_missing_user(capability, expected):
    without = ("setpriv", f"--bounding-set=-{capability}", f"--inh-caps=-{capability}")
    code = RUN.format(path=shutil.which("sleep"))
    assert run_python("_kernel.programs, _common.errors", code, *without) == f"sleep 40: {expected}"
