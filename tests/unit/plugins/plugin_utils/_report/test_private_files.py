# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may read a file, with real users: these tests need root."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.private_files import (
    opened_folder,
    parse_mode,
    write_file,
)

ALICE, BOB, CREW = 40001, 40002, 40003


@pytest.fixture
def folder():
    """A folder that every user can get to."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@contextlib.contextmanager
def user(uid):
    """Do it as another user."""
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def write(path, mode=None):
    with opened_folder(path.parent, mode) as folder:
        write_file(folder, path.name, b"new", mode)


def give(path, mode, uid=0, gid=0):
    os.chown(path, uid, gid)
    path.chmod(mode)
    return path


def seen(path):
    found = path.lstat()
    return stat.filemode(found.st_mode), found.st_uid, found.st_gid


@pytest.mark.parametrize(
    ("given", "mode"),
    [
        (None, None),
        ("0644", 0o644),
        ("640", 0o640),
        (420, 0o644),
        ("0400", 0o400),
        ("0777", 0o777),
    ],
)
def test_a_mode(given, mode):
    assert parse_mode("mode", given) == mode


@pytest.mark.parametrize("given", ["", "0", "0o644", "u=rw", "0044", "1777", "0888", 644, True, 6.44, [420], "0644\n"])
def test_what_is_no_mode(given):
    with pytest.raises(PlanError) as error:
        parse_mode("mode", given)
    assert str(error.value) == (
        f"mode: {given!r} is not the mode of a file that its owner may read. Write three octal digits after a 0, in "
        'quotes, for example "0644".'
    )


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o664])
def test_a_file_of_before_keeps_its_mode_and_its_owner(folder, mode):
    path = folder / "file"
    path.write_text("old")
    give(path, mode, ALICE, CREW)
    write(path)
    assert (path.read_text(), seen(path)) == ("new", (stat.filemode(stat.S_IFREG | mode), ALICE, CREW))


def test_a_mode_that_is_given_counts(folder):
    path = folder / "file"
    path.write_text("old")
    for mode in (0o644, 0o600):
        write(path, mode)
        assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_folder_that_is_there_keeps_its_mode(folder):
    write(give(folder, 0o711) / "file", 0o644)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711


def test_where_the_owner_cannot_be_kept_nobody_else_reads(folder):
    path = give(folder, 0o755, ALICE, ALICE) / "file"
    path.write_text("old")
    give(path, 0o644)
    with user(ALICE):
        write(path)
    assert seen(path) == ("-rw-------", ALICE, ALICE)


@pytest.mark.parametrize(
    ("mode", "owner"),
    [
        pytest.param(0o777, 0, id="a folder for all"),
        pytest.param(0o1777, 0, id="a folder like /tmp"),
        pytest.param(0o770, 0, id="a group's folder"),
        pytest.param(0o755, BOB, id="another user's folder"),
    ],
)
def test_what_somebody_else_may_have_put_there_says_nothing_of_the_mode(folder, mode, owner):
    path = give(folder, mode, owner, CREW) / "file"
    path.write_text("old")
    give(path, 0o666, BOB, BOB)
    write(path)
    assert (path.read_text(), seen(path)) == ("new", ("-rw-------", 0, 0))


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_a_link_in_its_place_is_replaced_and_not_followed(folder, mode):
    target = folder / "target"
    target.write_text("precious")
    give(folder, mode)
    (folder / "file").symlink_to(target)
    write(folder / "file")
    assert (target.read_text(), seen(folder / "file")) == ("precious", ("-rw-------", 0, 0))


def test_a_folder_may_be_a_link_of_the_user(folder):
    (folder / "real").mkdir()
    (folder / "link").symlink_to("real")
    write(folder / "link" / "file")
    assert (folder / "real" / "file").read_text() == "new"


def test_while_it_is_written_nobody_else_can_open_it(folder, monkeypatch):
    modes = []
    real = os.fdopen
    monkeypatch.setattr(os, "fdopen", lambda handle, how: modes.append(os.fstat(handle).st_mode) or real(handle, how))
    before = os.umask(0)
    try:
        write(folder / "file", 0o666)
    finally:
        os.umask(before)
    assert [stat.filemode(mode) for mode in modes] == ["-rw-------"]
    assert seen(folder / "file")[0] == "-rw-rw-rw-"


def test_what_cannot_be_written_leaves_nothing_behind(folder):
    (folder / "file").mkdir()
    with pytest.raises(IsADirectoryError):
        write(folder / "file")
    assert os.listdir(folder) == ["file"]
