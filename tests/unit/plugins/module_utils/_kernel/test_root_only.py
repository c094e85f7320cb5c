# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.root_only import real_folder, real_path
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
