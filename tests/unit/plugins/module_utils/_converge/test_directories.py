# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
from typing import NamedTuple, Optional

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.directories import directories_for
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import parse
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import write_tree

NOTHING = parse(None)


class File(NamedTuple):
    """What the steps of files have that is looked at."""

    name: str
    after: Optional[bytes]


def shown(root, files, old=NOTHING):
    """What is made, what is removed, and what is ours by the end, by the paths below root."""
    made, removed, kept = directories_for([File(os.path.join(root, name), after) for name, after in files], old)
    below = len(root) + 1
    return (
        [step.name[below:] for step in made],
        [step.name[below:] for step in removed],
        [name[below:] for name in kept],
    )


def ours(root, *names):
    return NOTHING._replace(directories=tuple(os.path.join(root, name) for name in names))


MADE = [
    pytest.param([("there/a.conf", b"x")], [], id="it is there"),
    pytest.param([("new/a.conf", b"x"), ("new/b.conf", b"x")], ["new"], id="two files in one"),
    pytest.param([("new/deep/a.conf", b"x")], ["new", "new/deep"], id="one in another, the outer first"),
    pytest.param([("new/a.conf", None)], [], id="no file comes"),
]


@pytest.mark.parametrize(("files", "expected"), MADE)
def test_what_is_missing_is_made_and_ours(tmp_path, files, expected):
    root = str(write_tree(tmp_path, {"there/x": ""}))
    assert shown(root, files) == (expected, [], expected)


def test_one_that_cannot_be_looked_at_is_not_taken_for_missing(tmp_path):
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(NodeError) as error:
        shown(str(tmp_path), [("circle/a.conf", b"x")])
    assert str(error.value).startswith(f"{tmp_path}/circle: cannot be looked at: Too many levels of symbolic links (")


REMOVED = [
    pytest.param({"new/a.conf": ""}, [("new/a.conf", None)], (["new"], []), id="nothing else is in it"),
    pytest.param({"new/a.conf": "", "new/b": ""}, [("new/a.conf", None)], ([], []), id="something else is in it"),
    pytest.param({"new/a.conf": ""}, [("new/a.conf", b"x")], ([], ["new"]), id="the file stays"),
    pytest.param({"other": ""}, [("new/a.conf", None)], ([], []), id="somebody has removed it"),
]


@pytest.mark.parametrize(("there", "files", "expected"), REMOVED)
def test_what_an_earlier_run_has_made_goes_when_it_is_empty(tmp_path, there, files, expected):
    root = str(write_tree(tmp_path, there))
    assert shown(root, files, ours(root, "new")) == ([], *expected)


def test_one_in_another_goes_from_within(tmp_path):
    root = str(write_tree(tmp_path, {"new/deep/a.conf": ""}))
    assert shown(root, [("new/deep/a.conf", None)], ours(root, "new", "new/deep")) == ([], ["new/deep", "new"], [])
