# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import fnmatch
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils import _conf_files
from ansible_collections.kubenode.connections.plugins.module_utils._conf_files import Problem
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    ALL_RIGHTS,
    run_without_rights,
)


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def conf_files(root):
    problems = []
    found = _conf_files.conf_files("x.d", str(root), problems)
    assert problems == []
    return found


def read(root, path):
    problems = []
    return _conf_files.read_conf(path, str(root), problems), problems


def test_files_are_sorted_by_the_bytes_of_their_names(tmp_path):
    make(tmp_path, "etc/x.d/10-a.conf", "etc/x.d/9-a.conf", "etc/x.d/B.conf", "etc/x.d/a.conf", "etc/x.d/é.conf")
    names = [os.path.basename(path) for path in conf_files(tmp_path)]
    assert names == ["10-a.conf", "9-a.conf", "B.conf", "a.conf", "é.conf"]


def test_of_files_with_one_name_that_of_the_first_directory_counts(tmp_path):
    make(
        tmp_path, "lib/x.d/a.conf", "usr/lib/x.d/a.conf", "usr/local/lib/x.d/a.conf", "run/x.d/a.conf", "etc/x.d/a.conf"
    )
    order = []
    for directory in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"):
        order += conf_files(tmp_path)
        os.remove(_conf_files.below(str(tmp_path), directory + "/x.d/a.conf"))
    assert order == [
        "/etc/x.d/a.conf",
        "/run/x.d/a.conf",
        "/usr/local/lib/x.d/a.conf",
        "/usr/lib/x.d/a.conf",
        "/lib/x.d/a.conf",
    ]


def test_only_visible_files_that_end_in_conf_count(tmp_path):
    make(tmp_path, "etc/x.d/a.conf~", "etc/x.d/.a.conf", "etc/x.d/README", "etc/x.d/a.conf.dpkg-old", "etc/y.d/a.conf")
    assert conf_files(tmp_path) == []


def test_a_file_longer_than_any_configuration_is_cut(tmp_path):
    with open(str(tmp_path / "long"), "wb") as handle:
        handle.truncate(_conf_files.MAX_FILE_BYTES + 1)
    data, problems = read(tmp_path, "/long")
    assert len(data) == _conf_files.MAX_FILE_BYTES
    what = "the file is longer than 16777216 bytes, the rest was not read"
    assert problems == [Problem("/long", 0, what, "Look at what fills it, and shorten it.")]


def test_what_is_not_there_is_no_problem(tmp_path):
    make(tmp_path, "file")
    os.symlink("gone", str(tmp_path / "link"))
    problems = []
    for path in ("/none", "/none/below", "/file/below", "/link"):
        assert _conf_files.read_conf(path, str(tmp_path), problems) is None
        assert not _conf_files.is_there(path, str(tmp_path), problems)
        assert _conf_files.entries(path, str(tmp_path), problems) == []
    assert problems == []


def test_a_link_to_dev_null_is_an_empty_file(tmp_path):
    os.symlink("/dev/null", str(tmp_path / "masked"))
    assert read(tmp_path, "/masked") == (b"", [])


def test_what_is_no_file_is_said_and_never_waited_for(tmp_path):
    os.mkfifo(str(tmp_path / "pipe"))
    os.mkdir(str(tmp_path / "folder"))
    os.symlink("/dev/zero", str(tmp_path / "zero"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        kinds = {"pipe": "a FIFO", "folder": "a directory", "zero": "a character device", "socket": "a socket"}
        for name, kind in kinds.items():
            assert read(tmp_path, f"/{name}") == (None, [Problem(f"/{name}", 0, f"it is {kind}, not a plain file")])


def test_what_may_not_be_read_is_never_taken_for_nothing(tmp_path):
    make(tmp_path, "file", "folder/file")
    (tmp_path / "file").chmod(0)
    (tmp_path / "folder").chmod(0)
    code = (
        f"root, problems = {str(tmp_path)!r}, []\n"
        "print(_conf_files.read_conf('/file', root, problems), _conf_files.entries('/folder', root, problems))\n"
        "print(_conf_files.is_there('/file', root, problems), _conf_files.is_there('/folder/file', root, problems))\n"
        "print(*['|'.join(map(str, each)) for each in problems], sep='\\n')"
    )
    assert run_without_rights("_conf_files", code).split("\n") == [
        "None []",
        "True False",
        f"/file|0|the file cannot be read: Permission denied|{ALL_RIGHTS}",
        f"/folder|0|the folder cannot be read: Permission denied|{ALL_RIGHTS}",
        f"/folder/file|0|the file cannot be read: Permission denied|{ALL_RIGHTS}",
    ]


@pytest.mark.parametrize("path", ["/a\0b", "/" + "a" * 300, "/loop"])
def test_a_name_that_cannot_be_looked_up_is_a_problem(tmp_path, path):
    os.symlink("loop", str(tmp_path / "loop"))
    data, (problem,) = read(tmp_path, path)
    assert (data, problem.file, problem.line) == (None, path, 0)
    assert problem.what
    assert problem.do


NAMES = st.text("abcx.![]^", max_size=12)
PATTERNS = st.lists(
    st.sampled_from(["*", "?", "[ab]", "[!a]", "[a-c]", "[!a-bx]", "[]x]", "[!]", "[", "]", "!", "a", "b", "."]),
    max_size=8,
).map("".join)


@given(PATTERNS, NAMES)
def test_a_pattern_matches_what_fnmatch_says(pattern, name):
    assert _conf_files.matches(pattern, name) == fnmatch.fnmatchcase(name, pattern)


def test_a_range_that_ends_before_it_begins_matches_nothing():
    assert not _conf_files.matches("[b-a]", "a")
