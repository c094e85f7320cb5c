# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import socket

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import node_files
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    ALL_RIGHTS,
    run_without_rights,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import empty_files


def read(root, path):
    problems = []
    return node_files.read_conf(path, str(root), problems), problems


def test_a_file_longer_than_any_configuration_is_cut(tmp_path):
    with open(str(tmp_path / "long"), "wb") as handle:
        handle.truncate(node_files.MAX_FILE_BYTES + 1)
    data, problems = read(tmp_path, "/long")
    assert len(data) == node_files.MAX_FILE_BYTES
    what = "the file is longer than 16777216 bytes, the rest was not read"
    assert problems == [Problem("/long", 0, what, "Look at what fills it, and shorten it.")]


def test_what_is_not_there_is_no_problem(tmp_path):
    empty_files(tmp_path, "file")
    os.symlink("gone", str(tmp_path / "link"))
    problems = []
    for path in ("/none", "/none/below", "/file/below", "/link"):
        assert node_files.read_conf(path, str(tmp_path), problems) is None
        assert not node_files.is_there(path, str(tmp_path), problems)
        assert node_files.entries(path, str(tmp_path), problems) == []
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
    empty_files(tmp_path, "file", "folder/file")
    (tmp_path / "file").chmod(0)
    (tmp_path / "folder").chmod(0)
    code = (
        f"root, problems = {str(tmp_path)!r}, []\n"
        "print(node_files.read_conf('/file', root, problems), node_files.entries('/folder', root, problems))\n"
        "print(node_files.is_there('/file', root, problems), node_files.is_there('/folder/file', root, problems))\n"
        "print(*['|'.join(map(str, each)) for each in problems], sep='\\n')"
    )
    assert run_without_rights("_kernel.node_files", code).split("\n") == [
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
