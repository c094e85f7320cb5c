# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import stat

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files import atomic_write
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import (
    MAX_BYTES,
    Attributes,
    attributes,
    read_file,
    refuse_unwritable,
    remove_file,
    temporary_of,
    write_file,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    mount,
    read,
    read_only,
    write,
)

LABEL = b"system_u:object_r:etc_t:s0\0"
PATH = "/etc/sysctl.d/k8s.conf"


@isolated
def test_a_new_file_is_readable_for_all_whatever_the_umask():
    os.umask(0o077)
    write_file(PATH, b"new\n")
    found = os.stat(PATH)
    assert (read(PATH), stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid) == (b"new\n", 0o644, 0, 0)


@isolated
def test_an_existing_file_keeps_mode_owner_and_labels():
    write(PATH, b"old\n")
    os.setxattr(PATH, "security.selinux", LABEL)
    os.setxattr(PATH, "trusted.note", b"mine")
    os.chown(PATH, 7, 8)
    os.chmod(PATH, 0o640)
    before = attributes(PATH)
    write_file(PATH, b"new\n", before)
    assert before == Attributes(0o640, 7, 8, {"security.selinux": LABEL, "trusted.note": b"mine"})
    assert (read(PATH), attributes(PATH)) == (b"new\n", before)


@isolated
def test_hashes_of_the_old_contents_are_not_kept():
    write(PATH, b"old\n")
    os.setxattr(PATH, "security.ima", b"\x01hash")
    assert "security.ima" not in attributes(PATH).xattrs


@isolated
def test_a_link_stays_and_its_target_is_replaced():
    target = write("/var/lib/dotfiles/k8s.conf", b"old\n")
    os.symlink("../../var/lib/dotfiles/k8s.conf", PATH)
    write_file(PATH, b"new\n")
    assert (os.readlink(PATH), read(target)) == ("../../var/lib/dotfiles/k8s.conf", b"new\n")
    remove_file(PATH)
    assert (os.readlink(PATH), read(target)) == ("../../var/lib/dotfiles/k8s.conf", None)


@isolated
def test_no_temporary_file_is_left():
    write_file(PATH, b"new\n")
    os.mkdir("/etc/sysctl.d/folder.conf")
    with pytest.raises(NodeError):
        write_file("/etc/sysctl.d/folder.conf", b"x")
    assert sorted(os.listdir("/etc/sysctl.d")) == ["folder.conf", "k8s.conf"]


@isolated
def test_what_a_killed_run_has_left_is_removed_by_the_next():
    write(temporary_of(PATH), b"ne")
    write_file(PATH, b"new\n")
    assert os.listdir("/etc/sysctl.d") == ["k8s.conf"]


@isolated
def test_what_cannot_be_removed_there_is_named():
    os.mkdir(temporary_of(PATH))
    with pytest.raises(NodeError) as error:
        write_file(PATH, b"new\n")
    assert str(error.value) == (
        PATH + ": not written (/etc/sysctl.d/.k8s.conf.kubenode.new is in the way): File exists (EEXIST). "
        "Mend that and run again."
    )


def test_in_a_folder_that_is_read_as_a_whole_nothing_lies_that_is_not_whole():
    assert temporary_of("/etc/crio/crio.conf.d/99-a.conf") == "/etc/crio/.99-a.conf.kubenode.new"


@isolated
def test_a_last_look_that_refuses_leaves_the_old_file():
    def refuse():
        raise NodeError("no")

    write(PATH, b"old\n")
    for change in (lambda: write_file(PATH, b"new\n", last_look=refuse), lambda: remove_file(PATH, refuse)):
        with pytest.raises(NodeError, match=r"\Ano\Z"):
            change()
        assert (read(PATH), os.listdir("/etc/sysctl.d")) == (b"old\n", ["k8s.conf"])


@isolated
def test_another_name_of_the_old_file_keeps_it():
    """Such as a backup by hard links, which must not change with the file."""
    write(PATH, b"old\n")
    os.link(PATH, "/etc/sysctl.d/backup")
    write_file(PATH, b"new\n")
    assert (read(PATH), read("/etc/sysctl.d/backup"), os.stat(PATH).st_nlink) == (b"new\n", b"old\n", 1)


@isolated
def test_a_reader_sees_the_old_or_the_new_file_and_never_half_of_one():
    write(PATH, b"old\n" * 50000)
    opened = open(PATH, "rb")  # noqa: SIM115
    write_file(PATH, b"new\n" * 50000)
    assert (set(opened.read().split()), set(read(PATH).split())) == ({b"old"}, {b"new"})
    opened.close()


@isolated
def test_the_file_and_its_directory_are_synced(monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(
        atomic_write.os, "fsync", lambda fd: (synced.append(os.readlink(f"/proc/self/fd/{fd}")), real(fd))
    )
    write_file(PATH, b"new\n")
    assert [os.path.dirname(synced[0]), synced[1]] == ["/etc/sysctl.d", "/etc/sysctl.d"]


def _masked():
    os.symlink("/dev/null", PATH)


def _pipe():
    os.mkfifo(PATH)


def _folder():
    os.mkdir(PATH)


def _circle():
    os.symlink(PATH, PATH)


def _huge():
    write(PATH)
    os.truncate(PATH, MAX_BYTES + 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            _masked,
            PATH + ": is a link to /dev/null, which switches that name off at boot (sysctl.d(5), systemd.unit(5)). "
            "Remove the link, or name another file.",
            id="a masked name",
        ),
        pytest.param(_pipe, PATH + ": is a FIFO, not a plain file. Move it away, or name another file.", id="a pipe"),
        pytest.param(
            _folder, PATH + ": is a directory, not a plain file. Move it away, or name another file.", id="a folder"
        ),
        pytest.param(
            _circle,
            PATH + ": not read: Too many levels of symbolic links (ELOOP). "
            "It is a symbolic link where none may be, or its links lead in a circle: mend it.",
            id="links in a circle",
        ),
        pytest.param(
            _huge,
            PATH + ": it has more than 16777216 bytes, which no configuration file has. Look at what fills it.",
            id="more than any configuration file has",
        ),
    ],
)
@isolated
def test_what_is_no_plain_file_is_refused(make, message):
    make()
    with pytest.raises(NodeError) as error:
        read_file(PATH)
    assert str(error.value) == message


@isolated
def test_a_file_that_is_not_there_is_none():
    assert (read_file(PATH), attributes(PATH)) == (None, None)
    assert read_file("/etc/sysctl.d/no/such/folder.conf") is None


READ_ONLY = (
    "It is mounted read-only here (an unprivileged container, or a read-only image): run this on the host, or "
    "remount it "
    "writable."
)


@isolated
def test_a_read_only_directory_is_foreseen():
    read_only("/etc")
    for path in (PATH, "/etc/new/deep/file.conf"):
        with pytest.raises(NodeError) as error:
            refuse_unwritable(path)
        assert str(error.value) == path + ": cannot be written: Read-only file system (EROFS). " + READ_ONLY


@isolated
def test_a_file_where_a_directory_should_be_is_foreseen():
    write("/etc/folder", b"")
    with pytest.raises(NodeError) as error:
        refuse_unwritable("/etc/folder/deep/file.conf")
    assert str(error.value) == (
        "/etc/folder/deep/file.conf: /etc/folder is not a directory. Move it away, or name another file."
    )


@isolated
def test_a_full_file_system_leaves_the_old_file():
    mount("tmpfs", "/etc/sysctl.d", "tmpfs", data="mode=755,size=64k")
    write(PATH, b"old\n")
    with pytest.raises(NodeError) as error:
        write_file(PATH, b"new\n" * 50000)
    assert (
        str(error.value)
        == PATH + ": not written: No space left on device (ENOSPC). Free some space on that file system."
    )
    assert (read(PATH), os.listdir("/etc/sysctl.d")) == (b"old\n", ["k8s.conf"])
