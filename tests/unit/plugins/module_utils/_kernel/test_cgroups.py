# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import cgroups
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._own_cgroup import opened, own_cgroup
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import write_tree

MNT_DETACH = 2


def unmount_all():
    """Have cgroup v2 mounted nowhere, as on a node with v1 only."""
    while cgroups.mounted_at():
        assert _libc().umount2(cgroups.mounted_at().encode(), MNT_DETACH) == 0


def _libc():
    import ctypes

    return ctypes.CDLL(None, use_errno=True)


@isolated
def test_the_root_is_found_where_it_is_mounted():
    unmount_all()
    os.mkdir("/run/somewhere else")
    mount("none", "/run/somewhere else", "cgroup2")
    assert cgroups.mounted_at() == "/run/somewhere else"
    mount("none", "/sys/fs/cgroup", "cgroup2")
    assert cgroups.mounted_at() == "/sys/fs/cgroup"
    with cgroups.root(mount=False) as root:
        assert root.path == "/sys/fs/cgroup"
        assert "cgroup.procs" in os.listdir(root.descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(root.descriptor)


@isolated
def test_a_mount_that_another_one_covers_or_that_shows_a_part_is_not_the_root():
    unmount_all()
    for name in ("/run/covered", "/run/part"):
        os.mkdir(name)
    with own_cgroup() as path:
        mount("none", "/run/covered", "cgroup2")
        mount(os.path.join("/run/covered", os.path.basename(path)), "/run/part", "none", 4096)
        mount("tmpfs", "/run/covered", "tmpfs")
        assert cgroups.mounted_at() is None
        with pytest.raises(OSError, match="cgroup v2 is mounted here without its root"), cgroups.root(mount=True):
            pass


@isolated
def test_the_last_of_several_mounts_at_a_place_decides():
    unmount_all()
    os.mkdir("/run/both")
    with own_cgroup() as path:
        mount("none", "/run/both", "cgroup2")
        mount("/run/both/" + os.path.basename(path), "/run/both", "none", 4096)
        assert cgroups.mounted_at() is None
        assert _libc().umount2(b"/run/both", MNT_DETACH) == 0
        assert cgroups.mounted_at() == "/run/both"


@isolated
def test_other_mounts_beside_the_root_do_not_matter():
    os.mkdir("/run/part")
    with own_cgroup() as path:
        mount(path, "/run/part", "none", 4096)
        with cgroups.root(mount=False) as root:
            assert root.path == cgroups.mounted_at()


@pytest.mark.parametrize("place", ["/", "/init.scope", "/init"])
def test_the_root_of_a_node_of_its_own(tmp_path, place):
    assert cgroups.obstacle(write_tree(tmp_path, {"self/mountinfo": "", "1/cgroup": f"1:cpu:/x\n0::{place}\n"})) is None


def test_a_container_with_the_processes_of_its_host_alone_reaches_no_root(tmp_path):
    tree = write_tree(tmp_path, {"self/mountinfo": "", "1/cgroup": "0::/../../init.scope\n"})
    assert cgroups.obstacle(tree).startswith("The first process here is in the cgroup /../../init.scope, so this is ")


def test_without_cgroup_v2_there_is_no_root_of_somebody_else(tmp_path):
    assert cgroups.obstacle(write_tree(tmp_path, {"self/mountinfo": "", "1/cgroup": "1:cpu:/docker/x\n"})) is None


@isolated
def test_a_container_with_the_cgroups_of_its_host_does_not_reach_the_root():
    """The process 1 of this node is in a cgroup other than the root, as that of a container is seen by its host."""
    assert cgroups.obstacle() is None
    cgroup = write("/run/cgroup", b"1:cpu:/docker/abc\n0::/docker/abc\n")
    mount(cgroup, "/proc/1/cgroup", "none", 4096)
    why = (
        "The first process here is in the cgroup /docker/abc, so this is a container that reaches the root of its host "
        "or a part of it alone: run on the host itself, or give the container cgroup and process namespaces of its own."
    )
    assert cgroups.obstacle() == why
    for mounting in (False, True):
        with pytest.raises(OSError, match=why), cgroups.root(mount=mounting):
            pass


@isolated
def test_where_it_is_mounted_nowhere_it_is_reached_all_the_same():
    unmount_all()
    with cgroups.root(mount=True) as root:
        assert root.path is None
        assert "cgroup.procs" in os.listdir(root.descriptor)
    assert cgroups.mounted_at() is None


@pytest.mark.parametrize(
    ("shown", "looked"),
    [
        pytest.param("1:name=systemd:/\n0::/\n", True, id="it has been mounted before"),
        pytest.param("9:name=systemd:/\n10::/\n1:cpu:/\n", False, id="never: there is nothing to see"),
    ],
)
def test_a_look_is_not_the_first_to_mount_it(tmp_path, shown, looked):
    files = {"self/mountinfo": "24 1 0:22 / /proc rw - proc proc rw\n", "self/cgroup": shown, "1/cgroup": shown}
    with cgroups.root(mount=False, proc=write_tree(tmp_path, files)) as root:
        assert (root is not None) == looked


def test_a_kernel_with_and_without_it(tmp_path):
    assert cgroups.known()
    assert not cgroups.known(write_tree(tmp_path, {"filesystems": "nodev\tcgroup\nnodev\tproc\n"}))


def test_a_cgroup_is_found_by_its_path():
    with own_cgroup("/a/b") as path, opened(path) as top:
        found = cgroups.below(top, "/a/b")
        assert os.fstat(found).st_ino == os.stat(path + "/a/b").st_ino
        os.close(found)
        assert [cgroups.below(top, missing) for missing in ("/a/c", "/c", "/a/b/cgroup.procs")] == [None] * 3


def test_a_name_in_any_language_is_found_whatever_the_locale(monkeypatch):
    for name, value in (("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")):
        monkeypatch.setenv(name, value)
    with own_cgroup("/caf\u00e9") as path:
        code = f"import os\nprint(cgroups.below(os.open({path!r}, os.O_RDONLY), '/caf\\u00e9') is not None)"
        assert run_python("_kernel.cgroups", code) == "True"


def test_no_link_is_followed_and_no_way_leads_up(tmp_path):
    (tmp_path / "inside").mkdir()
    (tmp_path / "link").symlink_to("inside")
    with opened(tmp_path) as top:
        assert cgroups.below(top, "/link") is None
        for path in ("/", "/..", "/inside/../..", "/inside/.", "/inside//x"):
            with pytest.raises(OSError, match="no name of a cgroup"):
                cgroups.below(top, path)


@isolated
def test_no_other_file_system_is_entered():
    os.makedirs("/run/top/inside/deeper")
    mount("tmpfs", "/run/top/inside", "tmpfs")
    with opened("/run/top") as top, pytest.raises(OSError, match="another file system is mounted there"):
        cgroups.below(top, "/inside")


def test_a_process_enters_one():
    with own_cgroup() as path:
        code = (
            f"import os\nprint(cgroups.enter(os.open({path!r}, os.O_RDONLY)))\nprint(open('/proc/self/cgroup').read())"
        )
        said = run_python("_kernel.cgroups", code)
        assert said.startswith("True\n")
        assert "0::" in said
        assert os.path.basename(path) in said


def test_what_is_no_cgroup_is_not_entered(tmp_path):
    with opened(tmp_path) as folder:
        assert not cgroups.enter(folder)
