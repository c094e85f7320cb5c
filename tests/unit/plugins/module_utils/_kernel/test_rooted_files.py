# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that a process names, in a root with files of every kind. Everything is real; devices need root."""

import errno
import os
import sys

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import rooted_files
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import NotPlainError
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._odd_files import (
    KINDS,
    root_with_odd_files,
)


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    with root_with_odd_files(tmp_path) as root:
        yield root


def in_root(root, path, limit=100):
    place = os.open(str(root), os.O_PATH | os.O_DIRECTORY)
    try:
        return rooted_files.read_in_root(place, path, limit)
    finally:
        os.close(place)


@pytest.fixture(name="way", params=["openat2", "walk", "walk without ctypes"])
def fixture_way(request, monkeypatch):
    """Both ways to look a path up. An old kernel and a seccomp filter refuse openat2; its number is taken away here."""
    if request.param == "walk":
        monkeypatch.setattr(rooted_files, "_OPENAT2", 100000)
    if request.param == "walk without ctypes":
        monkeypatch.setitem(sys.modules, "ctypes", None)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/plain", b"0123456789"),
        ("etc/plain", b"0123456789"),
        ("//etc/./folder/../plain", b"0123456789"),
        ("/../../etc/plain", b"0123456789"),
        ("/etc/empty", b""),
        ("/etc/conf/config.conf", b"a ConfigMap"),
        ("/etc/absolute", b"0123456789"),
        ("/etc/relative", b"0123456789"),
        ("/etc/folders/folders/absolute", b"0123456789"),
    ],
)
def test_what_a_process_finds_in_its_root(root, path, expected):
    assert in_root(root, path) == (expected, False)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/etc/beyond", errno.ENOENT),
        ("/etc/outside", errno.ENOENT),
        ("/../secret", errno.ENOENT),
        ("/etc/missing", errno.ENOENT),
        ("/etc/missing-link", errno.ENOENT),
        ("/etc/plain/below", errno.ENOTDIR),
        ("/etc/loop", errno.ELOOP),
        ("/etc/" + "n" * 256, errno.ENAMETOOLONG),
        ("/etc" + "/." * 2100, errno.ENAMETOOLONG),
        ("", errno.ENOENT),
        ("/etc/pl\0ain", errno.EINVAL),
    ],
)
def test_what_a_process_does_not_find(root, path, number):
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OSError, match="Errno") as caught:
        in_root(root, path)
    assert (caught.value.errno, caught.value.filename) == (number, path)
    assert os.listdir("/proc/self/fd") == before


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    "path", ["/proc/self/root/etc/passwd", f"/proc/{os.getpid()}/root/etc/passwd", "/proc/self/exe"]
)
def test_no_link_that_the_kernel_makes_up_is_followed(path):
    with pytest.raises(OSError, match=os.strerror(errno.ELOOP)):
        in_root("/", path)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("path", "kind"), KINDS)
def test_what_is_no_plain_file_is_told_and_never_opened(root, path, kind):
    with pytest.raises(NotPlainError) as caught:
        in_root(root, path)
    assert str(caught.value) == f"is {kind}, not a plain file"


@pytest.mark.parametrize(("limit", "expected"), [(9, (b"012345678", True)), (10, (b"0123456789", False))])
def test_no_more_than_the_limit_is_read(root, limit, expected):
    assert in_root(root, "/etc/plain", limit) == expected
