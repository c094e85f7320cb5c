# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._observe.other_writers import keepalived_program
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import write_tree

ARGUMENTS = [
    pytest.param([], None, id="nothing"),
    pytest.param(["-f", "/a"], "/a", id="a word of its own"),
    pytest.param(["-f/a"], "/a", id="in one word"),
    pytest.param(["-Dnlf/a"], "/a", id="behind other letters"),
    pytest.param(["-nf", "/a"], "/a", id="behind other letters, and a word of its own"),
    pytest.param(["-f", "/a", "--use-file=/b"], "/b", id="the last one counts"),
    pytest.param(["--use-file", "/a", "-P"], "/a", id="the long one"),
    pytest.param(["-p", "-f", "x"], None, id="the value of another option"),
    pytest.param(["-g/f", "-Mf"], None, id="part of another value"),
    pytest.param(["-f"], "", id="no value"),
    pytest.param(["--use-file"], "", id="the long one without a value"),
]


@pytest.mark.parametrize(("arguments", "value"), ARGUMENTS)
def test_the_value_of_an_option(arguments, value):
    assert keepalived_program.option(["keepalived", *arguments], "f", "use-file") == value


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\x7fELF\0Keepalived v2.2.7 (01/16,2022)\0", (2, 2, 7), id="as the program has it"),
        pytest.param(b"Keepalived v1.2.24 (", (1, 2, 24), id="two digits"),
        pytest.param(b"Keepalived vX", None, id="no number"),
        pytest.param(b"", None, id="an empty file"),
    ],
)
def test_the_version_stands_in_the_program(tmp_path, data, expected):
    problems = []
    root = write_tree(tmp_path, {"usr/sbin/keepalived": data})
    assert keepalived_program.version("/usr/sbin/keepalived", root, problems) == expected
    assert problems == []
