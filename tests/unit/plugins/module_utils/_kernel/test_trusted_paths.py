# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Places that only root can change, in real folders of root and of another user. Needs root."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.trusted_paths import doubt
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated

NOBODY = 65534


@pytest.fixture(name="place")
def fixture_place(tmp_path):
    """A folder with a file, a folder within it, and links to both, relative and absolute."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("")
    (tmp_path / "relative").symlink_to("folder/file")
    (tmp_path / "absolute").symlink_to(tmp_path / "folder")
    return tmp_path


GOOD = ["folder", "folder/file", "relative", "absolute/file", "folder/../absolute/./file", "absolute//file"]


@pytest.mark.parametrize("path", GOOD)
def test_what_is_roots_alone(place, path):
    assert doubt(f"{place}/{path}") is None


def test_the_system():
    assert (doubt("/"), doubt("/usr/bin/env"), doubt("/bin/sh"), doubt("/tmp")) == (None,) * 4


@pytest.mark.parametrize("path", GOOD)
def test_a_folder_on_the_way_that_is_a_users(place, path):
    os.chown(f"{place}/folder", NOBODY, 0)
    assert doubt(f"{place}/{path}") == f"{place}/folder belongs to user 65534 (mode 0755), root is expected"


def test_the_link_itself(place):
    os.chown(f"{place}/relative", NOBODY, 0, follow_symlinks=False)
    assert doubt(f"{place}/relative").startswith(f"{place}/relative belongs to user 65534 (mode 0777)")


@pytest.mark.parametrize(("mode", "said"), [(0o775, "0775"), (0o757, "0757"), (0o2775, "2775")])
def test_a_folder_that_others_can_write(place, mode, said):
    (place / "folder").chmod(mode)
    assert (
        doubt(f"{place}/relative") == f"others can write {place}/folder (mode {said}, user 0), root alone is expected"
    )


def test_below_a_shared_folder_only_a_folder_of_roots_is_safe(place):
    """There its owner alone can replace it (sticky), but a file of root's can be given a second name by anybody."""
    place.chmod(0o1777)
    assert doubt(f"{place}/folder/file") is None
    assert (
        doubt(f"{place}/relative") == f"{place}/relative lies in a folder that others can write, root alone is expected"
    )
    os.link(f"{place}/folder/file", f"{place}/second")
    assert doubt(f"{place}/second") == f"{place}/second lies in a folder that others can write, root alone is expected"


def test_where_nothing_is(place):
    with pytest.raises(FileNotFoundError):
        doubt(f"{place}/none/file")


def test_a_circle_of_links(place):
    (place / "circle").symlink_to("circle")
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        doubt(f"{place}/circle")


@isolated
def test_without_root_what_is_ours_is_as_good_as_roots():
    os.makedirs("/run/folder")
    os.chown("/run/folder", NOBODY, 0)
    assert doubt("/run/folder") == "/run/folder belongs to user 65534 (mode 0755), root is expected"
    os.seteuid(NOBODY)
    assert (doubt("/run/folder"), doubt("/usr/bin/env")) == (None, None)
