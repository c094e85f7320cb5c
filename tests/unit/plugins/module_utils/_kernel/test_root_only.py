# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.root_only import (
    doubt,
    real_folder,
    real_path,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, write

FILE = "/etc/sysctl.d/k8s.conf"


@isolated
def test_links_of_roots_lead_where_the_kernel_follows_them():
    write("/var/lib/dotfiles/deep/k8s", b"there")
    os.symlink("../../var/lib/dotfiles/./deep//k8s", FILE)
    os.symlink("sysctl.d", "/etc/relative")
    os.symlink("/etc/relative/", "/etc/absolute")
    for path in (FILE, "/etc/absolute/k8s.conf", "/etc/absolute/../relative/k8s.conf", "//etc/./sysctl.d/k8s.conf"):
        assert real_path(path) == os.path.realpath(path) == "/var/lib/dotfiles/deep/k8s"
    assert real_folder("/etc/absolute") == "/etc/sysctl.d"


@isolated
def test_what_is_not_there_yet_is_made_by_us():
    assert real_path("/etc/none/deep/file.conf") == "/etc/none/deep/file.conf"
    os.symlink("/etc/none", "/etc/ahead")
    assert real_path("/etc/ahead/file.conf") == "/etc/none/file.conf"


@isolated
def test_links_in_a_circle_end():
    os.symlink(FILE, FILE)
    with pytest.raises(NodeError, match=r"Too many levels of symbolic links"):
        real_path(FILE)


def _of_a_user(folder):
    os.chown(folder, 1000, 1000)


def _for_a_group(folder):
    os.chmod(folder, 0o775)


def _for_all(folder):
    os.chmod(folder, 0o777)


def _sticky(folder):
    os.chmod(folder, 0o1777)


FOREIGN = [
    pytest.param(_of_a_user, "user 1000 and has mode 0755", id="a folder of a user"),
    pytest.param(_for_a_group, "user 0 and has mode 0775", id="a folder for a group"),
    pytest.param(_for_all, "user 0 and has mode 0777", id="a folder for all"),
    pytest.param(_sticky, "user 0 and has mode 1777", id="a folder for all that is sticky"),
]


@pytest.mark.parametrize(("make", "whose"), FOREIGN)
@isolated
def test_a_folder_in_which_others_may_write_is_named(make, whose):
    os.makedirs("/run/shared/deep")
    make("/run/shared")
    os.symlink("/run/shared/deep", "/etc/link")
    for path in ("/run/shared/file", "/run/shared/deep/file", "/run/shared/none/file", "/etc/link/file"):
        with pytest.raises(NodeError) as error:
            real_path(path)
        assert str(error.value) == (
            f"{path}: the folder /run/shared belongs to {whose}. Expected is a folder of user 0 (root) in which nobody "
            "else may write, for whoever can write there decides what root reads and writes. Run chown root "
            "/run/shared and chmod go-w /run/shared, or choose another place."
        )
    with pytest.raises(NodeError, match="the folder /run/shared belongs to"):
        real_folder("/run/shared")
    assert real_path("/run/shared") == "/run/shared"


@isolated
def test_a_link_that_a_user_made_is_never_followed():
    """Where it leads is root's alone, but that it leads there is the user's choice."""
    os.mkdir("/run/home")
    os.chown("/run/home", 1000, 1000)
    child = os.fork()
    if child == 0:
        os.setuid(1000)
        os.symlink("/etc/sysctl.d/k8s.conf", "/run/home/link")
        os._exit(0)
    os.waitpid(child, 0)
    with pytest.raises(NodeError, match="the folder /run/home belongs to user 1000"):
        real_path("/run/home/link")


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
