# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder is rebuilt when anything of its recipe changed, and only then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.lab.vm.recipe import building, digest, recorded


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recipe folder with two files."""
    (tmp_path / "guest/etc").mkdir(parents=True)
    (tmp_path / "guest/etc/one").write_text("1")
    (tmp_path / "guest/two").write_text("2")
    return tmp_path / "guest"


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda folder: (folder / "two").write_text("3"), id="a file's text"),
        pytest.param(lambda folder: (folder / "two").rename(folder / "three"), id="a file's name"),
        pytest.param(lambda folder: (folder / "new").write_text(""), id="a new empty file"),
        pytest.param(lambda folder: (folder / "etc/one").unlink(), id="a file gone"),
    ],
)
def test_the_hash_changes_with(folder: Path, change: Callable[[Path], object]) -> None:
    before = digest(["bookworm", folder])
    assert digest(["bookworm", folder]) == before
    change(folder)
    assert digest(["bookworm", folder]) != before


def test_texts_do_not_run_together() -> None:
    assert digest(["ab", "c"]) != digest(["a", "bc"])


def test_what_is_built_has_its_record_and_replaces_the_old(tmp_path: Path) -> None:
    target = tmp_path / "root"
    for text in ("old", "new"):
        with building(target, [text, "second line"]) as fresh:
            (fresh / text).touch()
    assert recorded(target) == ["new", "second line"]
    assert sorted(path.name for path in target.iterdir()) == ["new", "recipe"]


def test_a_failed_build_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "root"
    with building(target, ["old"]):
        pass
    with pytest.raises(ZeroDivisionError), building(target, ["new"]):
        raise ZeroDivisionError
    assert recorded(target) == ["old"]


def test_what_was_never_built_has_no_record(tmp_path: Path) -> None:
    assert recorded(tmp_path / "nothing") == []
