# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import re
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_pythons import OLDEST, too_old

ROOT = Path(__file__).resolve().parents[5]
MATRIX = re.findall(
    r'^    \("(\d+\.\d+)\.\d+", "(3\.\d+)", "(3\.\d+)", "(3\.\d+)"\),$',
    (ROOT / "noxfile.py").read_text(encoding="utf-8"),
    re.MULTILINE,
)
PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("core", "python"),
    [
        pytest.param("2.16.19", "3.6", id="the oldest of the oldest"),
        pytest.param("2.21.5", "3.9", id="the oldest of the newest"),
        pytest.param("2.21.5", "3.13", id="3.13 is newer than 3.9"),
        pytest.param("2.99.0", "3.9", id="a core that is not known is taken for the newest known"),
        pytest.param("2.22.0b1", "3.14", id="a version before its release"),
    ],
)
def test_a_python_that_fits_is_no_failure(core, python):
    assert too_old(core, python, "/usr/bin/python3") is None


@pytest.mark.parametrize(
    ("core", "python", "expected"),
    [
        pytest.param(
            "2.21.5",
            "3.6",
            "/usr/bin/python3 on the node is Python 3.6, ansible-core 2.21.5 needs 3.9 or newer there. "
            "Set ansible_python_interpreter to a newer Python of the node, or run ansible-core 2.16 on the controller.",
            id="an old node and a new controller",
        ),
        pytest.param(
            "2.20.1",
            "3.8",
            "/usr/bin/python3 on the node is Python 3.8, ansible-core 2.20.1 needs 3.9 or newer there. "
            "Set ansible_python_interpreter to a newer Python of the node, or run ansible-core 2.19 on the controller.",
            id="the newest ansible-core that fits is named",
        ),
        pytest.param(
            "2.16.19",
            "2.7",
            "/usr/bin/python3 on the node is Python 2.7, ansible-core 2.16.19 needs 3.6 or newer there. "
            "Set ansible_python_interpreter to a newer Python of the node.",
            id="no ansible-core fits",
        ),
        pytest.param(
            "2.99.0",
            "3.8",
            "/usr/bin/python3 on the node is Python 3.8, ansible-core 2.99.0 needs 3.9 or newer there. "
            "Set ansible_python_interpreter to a newer Python of the node, or run ansible-core 2.19 on the controller.",
            id="a core that is not known",
        ),
    ],
)
def test_a_python_that_is_too_old_is_named_with_what_fits(core, python, expected):
    assert too_old(core, python, "/usr/bin/python3") == expected


def test_the_tested_matrix_says_the_same():
    assert len(MATRIX) > 4
    assert {core: oldest for core, _controller, oldest, _newest in MATRIX}.items() <= OLDEST.items()


def test_the_page_has_the_table():
    rows = re.findall(r"^\| (2\.\d+) \| (3\.\d+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert {core: oldest for core, oldest, _tested in rows} == OLDEST
    tested = {}
    for core, controller, oldest, newest in MATRIX:
        pythons = {f"controller {controller}", f"nodes {oldest} to {newest}"}
        tested.setdefault(core, set()).update(pythons)
    for core, _oldest, words in rows:
        assert set(words.split(", ")) == tested.get(core, {"not"}), core
