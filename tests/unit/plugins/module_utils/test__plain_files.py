# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plain files and nothing else, in the reader's own root and in another one. Everything is real; devices need root."""

import errno
import os
import socket

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils import _plain_files, _rooted_files
from ansible_collections.kubenode.connections.plugins.module_utils._plain_files import NotPlainError, read_plain


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    """A root with a file of each kind, beside a secret that is outside of it."""
    root = tmp_path / "root"
    for folder in ("etc/conf/..2024", "etc/folder"):
        (root / folder).mkdir(parents=True)
    (root / "etc/plain").write_bytes(b"0123456789")
    (root / "etc/empty").write_bytes(b"")
    (root / "etc/conf/..2024/config.conf").write_bytes(b"a ConfigMap")
    (tmp_path / "secret").write_bytes(b"secret")
    os.mkfifo(str(root / "etc/fifo"))
    os.mknod(str(root / "etc/zero"), 0o20666, os.makedev(1, 5))
    os.mknod(str(root / "etc/loop0"), 0o60600, os.makedev(7, 0))
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(str(root / "etc"))
    listener.bind("socket")
    os.chdir(here)
    for name, target in (
        ("etc/conf/..data", "..2024"),
        ("etc/conf/config.conf", "..data/config.conf"),
        ("etc/absolute", "/etc/plain"),
        ("etc/relative", "../etc/./plain"),
        ("etc/folders", "/etc"),
        ("etc/beyond", "../../../../../secret"),
        ("etc/outside", str(tmp_path / "secret")),
        ("etc/to-fifo", "fifo"),
        ("etc/loop", "loop"),
        ("etc/missing-link", "missing"),
    ):
        (root / name).symlink_to(target)
    yield root
    listener.close()


def in_root(root, path, limit=100):
    place = os.open(str(root), os.O_PATH | os.O_DIRECTORY)
    try:
        return _rooted_files.read_in_root(place, path, limit)
    finally:
        os.close(place)


@pytest.fixture(name="way", params=["openat2", "walk", "walk without ctypes"])
def fixture_way(request, monkeypatch):
    """Both ways to look a path up. An old kernel and a seccomp filter refuse openat2; its number is taken away here."""
    if request.param == "walk":
        monkeypatch.setattr(_rooted_files, "_OPENAT2", 100000)
    if request.param == "walk without ctypes":
        monkeypatch.setitem(__import__("sys").modules, "ctypes", None)


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


KINDS = [
    ("etc/folder", "a directory"),
    ("etc/fifo", "a FIFO"),
    ("etc/to-fifo", "a FIFO"),
    ("etc/zero", "a character device"),
    ("etc/loop0", "a block device"),
    ("etc/socket", "a socket"),
]


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("path", "kind"), KINDS)
def test_what_is_no_plain_file_is_told_and_never_opened(root, path, kind):
    with pytest.raises(NotPlainError) as caught:
        in_root(root, path)
    assert str(caught.value) == f"is {kind}, not a plain file"


@pytest.mark.parametrize(("path", "kind"), KINDS)
def test_in_the_own_root_too(root, path, kind):
    before = os.listdir("/proc/self/fd")
    with pytest.raises(NotPlainError) as caught:
        read_plain(str(root / path), 100)
    assert caught.value.kind == kind
    assert os.listdir("/proc/self/fd") == before


def test_a_link_at_the_end_is_followed_unless_it_is_refused(root):
    path = str(root / "etc/relative")
    assert read_plain(path, 100) == (b"0123456789", False)
    with pytest.raises(NotPlainError, match="is a symbolic link, not a plain file"):
        read_plain(path, 100, follow=False)


@pytest.mark.parametrize(("limit", "expected"), [(9, (b"012345678", True)), (10, (b"0123456789", False))])
def test_no_more_than_the_limit_is_read(root, limit, expected):
    assert read_plain(str(root / "etc/plain"), limit) == expected
    assert in_root(root, "/etc/plain", limit) == expected


def test_below_an_open_folder(root):
    place = os.open(str(root / "etc"), os.O_PATH)
    try:
        assert read_plain("plain", 100, dir_fd=place) == (b"0123456789", False)
    finally:
        os.close(place)


def test_what_is_put_in_the_place_of_a_checked_file_is_not_opened(root, monkeypatch):
    path = str(root / "etc/plain")
    real = _plain_files.reopen_plain

    def swap(place, name):
        os.unlink(path)
        os.mkfifo(path)
        return real(place, name)

    monkeypatch.setattr(_plain_files, "reopen_plain", swap)
    assert read_plain(path, 100) == (b"0123456789", False)


def test_a_file_that_is_not_there(root):
    with pytest.raises(FileNotFoundError) as caught:
        read_plain(str(root / "missing"), 100)
    assert caught.value.filename == str(root / "missing")
