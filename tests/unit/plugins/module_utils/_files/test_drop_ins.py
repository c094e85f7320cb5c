# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import fnmatch
import os

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._files import drop_ins
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import node_files
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import empty_files


def conf_files(root):
    problems = []
    found = drop_ins.conf_files("x.d", str(root), problems)
    assert problems == []
    return found


def test_files_are_sorted_by_the_bytes_of_their_names(tmp_path):
    empty_files(tmp_path, "etc/x.d/10-a.conf", "etc/x.d/9-a.conf", "etc/x.d/B.conf", "etc/x.d/a.conf", "etc/x.d/é.conf")
    names = [os.path.basename(path) for path in conf_files(tmp_path)]
    assert names == ["10-a.conf", "9-a.conf", "B.conf", "a.conf", "é.conf"]


def test_of_files_with_one_name_that_of_the_first_directory_counts(tmp_path):
    folders = ("lib", "usr/lib", "usr/local/lib", "run", "etc")
    empty_files(tmp_path, *(f"{folder}/x.d/a.conf" for folder in folders))
    order = []
    for directory in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"):
        order += conf_files(tmp_path)
        os.remove(node_files.below(str(tmp_path), directory + "/x.d/a.conf"))
    assert order == [
        "/etc/x.d/a.conf",
        "/run/x.d/a.conf",
        "/usr/local/lib/x.d/a.conf",
        "/usr/lib/x.d/a.conf",
        "/lib/x.d/a.conf",
    ]


def test_only_visible_files_that_end_in_conf_count(tmp_path):
    names = ("x.d/a.conf~", "x.d/.a.conf", "x.d/README", "x.d/a.conf.dpkg-old", "y.d/a.conf")
    empty_files(tmp_path, *(f"etc/{name}" for name in names))
    assert conf_files(tmp_path) == []


NAMES = st.text("abcx.![]^", max_size=12)
PATTERNS = st.lists(
    st.sampled_from(["*", "?", "[ab]", "[!a]", "[a-c]", "[!a-bx]", "[]x]", "[!]", "[", "]", "!", "a", "b", "."]),
    max_size=8,
).map("".join)


@given(PATTERNS, NAMES)
def test_a_pattern_matches_what_fnmatch_says(pattern, name):
    assert drop_ins.matches(pattern, name) == fnmatch.fnmatchcase(name, pattern)


def test_a_range_that_ends_before_it_begins_matches_nothing():
    assert not drop_ins.matches("[b-a]", "a")
