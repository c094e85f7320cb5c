# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

from ansible_collections.kubenode.connections.plugins.module_utils import _conf_files


def make(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def test_files_are_sorted_by_the_bytes_of_their_names(tmp_path):
    make(tmp_path, "etc/x.d/10-a.conf", "etc/x.d/9-a.conf", "etc/x.d/B.conf", "etc/x.d/a.conf", "etc/x.d/é.conf")
    names = [os.path.basename(path) for path in _conf_files.conf_files("x.d", str(tmp_path))]
    assert names == ["10-a.conf", "9-a.conf", "B.conf", "a.conf", "é.conf"]


def test_of_files_with_one_name_that_of_the_first_directory_counts(tmp_path):
    make(
        tmp_path, "lib/x.d/a.conf", "usr/lib/x.d/a.conf", "usr/local/lib/x.d/a.conf", "run/x.d/a.conf", "etc/x.d/a.conf"
    )
    order = []
    for directory in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"):
        order += _conf_files.conf_files("x.d", str(tmp_path))
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
    assert _conf_files.conf_files("x.d", str(tmp_path)) == []


def test_a_file_longer_than_any_configuration_is_cut(tmp_path):
    path = tmp_path / "long"
    with open(str(path), "wb") as handle:
        handle.truncate(_conf_files.MAX_FILE_BYTES + 1)
    data, what = _conf_files.read_bounded(str(path))
    assert len(data) == _conf_files.MAX_FILE_BYTES
    assert what == "the file is longer than 16777216 bytes, the rest was not read"


def test_a_file_that_is_not_there_is_empty_and_no_problem(tmp_path):
    assert _conf_files.read_bounded(str(tmp_path / "none")) == (b"", "")
