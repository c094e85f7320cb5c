# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import stat

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._guard.textfile import write


def test_the_file_is_replaced_for_everybody_to_read(tmp_path):
    for text in ("a 1\n", "a 2\n"):
        write(str(tmp_path), "x.prom", text)
    assert [path.name for path in tmp_path.iterdir()] == ["x.prom"]
    assert (tmp_path / "x.prom").read_text() == "a 2\n"
    assert stat.S_IMODE((tmp_path / "x.prom").stat().st_mode) == 0o644


def test_a_link_that_waits_for_root_is_replaced_and_not_followed(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("x.prom", f".x.prom.{os.getpid()}.new"):
        os.symlink(str(tmp_path / "victim"), str(folder / name))
    write(str(folder), "x.prom", "a 1\n")
    assert [path.name for path in folder.iterdir()] == ["x.prom"]
    assert not (folder / "x.prom").is_symlink()
    assert not (tmp_path / "victim").exists()


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(NodeError, match="the folder for metrics cannot be opened: No such file or directory"):
        write(str(tmp_path / "none"), "x.prom", "")
