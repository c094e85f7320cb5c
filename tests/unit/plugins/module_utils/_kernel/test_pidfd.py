# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import errno
import os
import subprocess
import sys

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import pidfd


@pytest.fixture
def other():
    """A process that has a pipe open, and the two numbers of it in this process and in that one."""
    reading, writing = os.pipe()
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], pass_fds=[writing])
    yield process, reading, writing
    process.kill()
    process.wait()
    for descriptor in (reading, writing):
        os.close(descriptor)


@pytest.fixture
def opened(other):
    descriptor = pidfd.open_process(other[0].pid)
    yield descriptor
    os.close(descriptor)


def number_of(call, *arguments):
    with pytest.raises(OSError, match="Errno") as caught:
        call(*arguments)
    assert caught.value.strerror == os.strerror(caught.value.errno)
    return caught.value.errno


def test_a_duplicate_is_the_same_open_file_and_not_inherited(other, opened):
    _process, reading, writing = other
    copy = pidfd.duplicate(opened, writing)
    assert os.get_inheritable(copy) is False
    os.write(copy, b"through the duplicate")
    os.close(copy)
    assert os.read(reading, 99) == b"through the duplicate"


def test_a_number_that_is_not_open_there(opened):
    assert number_of(pidfd.duplicate, opened, 999999) == errno.EBADF


def test_a_process_that_has_ended(other, opened):
    other[0].kill()
    other[0].wait()
    assert number_of(pidfd.duplicate, opened, other[2]) == errno.ESRCH
    assert number_of(pidfd.open_process, other[0].pid) == errno.ESRCH


def test_an_unknown_system_call_is_not_there():
    assert number_of(pidfd.call, 1 << 20) == errno.ENOSYS


def test_pythons_own_number_of_a_process_is_the_same(other):
    if not hasattr(os, "pidfd_open"):
        pytest.skip("Python has it since 3.9")
    ours, pythons = pidfd.open_process(other[0].pid), os.pidfd_open(other[0].pid)
    links = {os.readlink(f"/proc/self/fd/{descriptor}") for descriptor in (ours, pythons)}
    os.close(ours)
    os.close(pythons)
    assert len(links) == 1


@pytest.mark.parametrize(
    ("scope", "expected"), [pytest.param(None, False, id="no Yama"), ("0", False), ("2", False), ("3", True)]
)
def test_yama_keeps_everybody_out_at_three(monkeypatch, scope, expected):
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import Reading

    asked = []

    def read(name):
        asked.append(name)
        return Reading("present" if scope else "absent", scope, None)

    monkeypatch.setattr(pidfd, "read_sysctl", read)
    assert (pidfd.nobody_may(), asked) == (expected, ["kernel.yama.ptrace_scope"])


V1 = "5:net_cls,net_prio:{}\n3:memory:/any\n0::/system.slice/x.service\n"
SAME = {"/net_cls.classid": "0", "/net_prio.ifpriomap": "lo 0", "/pod/net_cls.classid": "0"}
SAME["/pod/net_prio.ifpriomap"] = "lo 0"


@pytest.mark.parametrize(
    ("ours", "theirs", "files", "expected"),
    [
        pytest.param("0::/a\n", "0::/b\n", {}, True, id="only version 2"),
        pytest.param("3:memory:/a\n", "3:memory:/b\n", {}, True, id="others of version 1"),
        pytest.param(V1.format("/a:b"), V1.format("/a:b"), {}, True, id="the same group"),
        pytest.param(V1.format("/"), V1.format("/pod"), SAME, True, id="groups that stand for nothing"),
        pytest.param(
            V1.format("/"), V1.format("/pod"), {**SAME, "/pod/net_cls.classid": "7"}, False, id="a class of its own"
        ),
        pytest.param(
            V1.format("/"), V1.format("/pod"), {**SAME, "/pod/net_prio.ifpriomap": "lo 5"}, False, id="a priority"
        ),
        pytest.param(V1.format("/pod"), V1.format("/"), SAME, False, id="a group of ours"),
        pytest.param(V1.format("/"), V1.format("/pod"), {}, False, id="nothing can be read"),
        pytest.param(V1.format("/"), V1.format("/../pod"), SAME, False, id="a group that is not seen from here"),
        pytest.param("0::/a\n", V1.format("/pod"), SAME, False, id="we have none"),
    ],
)
def test_whether_sockets_keep_their_tags(tmp_path, ours, theirs, files, expected):
    """As files, for this kernel may have been built without these controllers."""
    place = tmp_path / "net_cls,net_prio"
    (place / "pod").mkdir(parents=True)
    for name, text in files.items():
        (place / name[1:]).write_text(text + "\n")
    mounts = f"30 29 0:28 / {tmp_path} rw - cgroup2 cgroup2 rw\n"
    mounts += f"31 30 0:30 / {place} rw,relatime shared:9 - cgroup cgroup rw,net_cls,net_prio\n"
    for name, groups in (("self", ours), ("7", theirs)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup").write_text(groups)
    (tmp_path / "self/mountinfo").write_text(mounts)
    assert pidfd.keeps_tags(7, str(tmp_path)) is expected
    assert pidfd.keeps_tags(8, str(tmp_path)) is True


def test_a_child_of_this_process_is_tagged_alike(other):
    assert pidfd.keeps_tags(other[0].pid) is True
