# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small files read and replaced whole, so that a crash leaves the old or the new one. Private to this collection."""

import contextlib
import errno
import os
import stat
from typing import Callable, Dict, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import NotPlainError, read_plain
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.root_only import real_folder, real_path

MAX_BYTES = 16 << 20
"""No configuration file is longer."""

_READ_WHOLE = ("/etc/crio/crio.conf.d",)
"""Folders of which a program reads every file, whatever its name (CRI-O, pkg/config/config.go)."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_HASHES = ("security.ima", "security.evm")  # of the contents or of the inode: the kernel makes new ones


class Attributes(NamedTuple):
    """What a file has beside its bytes; xattrs include the SELinux label and the access control list."""

    mode: int
    uid: int
    gid: int
    xattrs: Dict[str, bytes]


class NotSyncedError(NodeError):
    """The change has been made, but it may not be on disk yet."""


NEW = Attributes(0o644, 0, 0, {})
"""What a file of ours gets where there was none."""


def read_file(path: str) -> Optional[bytes]:
    """The bytes of a file, None where there is none. Follows links. Raises NodeError for anything but a plain file."""
    try:
        data, more = read_plain(path, MAX_BYTES)
    except NotPlainError as error:
        raise _not_plain(path, error.kind) from error
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise refused(f"{path}: not read", error) from error
    if more:
        raise NodeError(
            f"{path}: it has more than {MAX_BYTES} bytes, which no configuration file has. Look at what fills it."
        )
    return data


def attributes(path: str) -> Optional[Attributes]:
    """What the file that path leads to has beside its bytes, or None where there is none. Raises NodeError."""
    try:
        found = os.stat(path)
        return Attributes(stat.S_IMODE(found.st_mode), found.st_uid, found.st_gid, _xattrs(path))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        raise refused(f"{path}: not read", error) from error


def write_file(path: str, data: bytes, like: Attributes = NEW, last_look: Callable[[], None] = lambda: None) -> None:
    """Replace the file that path leads to (a link stays a link) in one rename, then on disk. Raises NodeError.

    last_look is called right before that, and may raise one, too. NotSyncedError says that the file was replaced; after
    any other error it is the old one.
    """
    target = real_path(path)
    temporary = temporary_of(target)
    try:
        remove_leftover(target)
        descriptor = os.open(temporary, _NEW, 0o600)
        with open(descriptor, "wb") as handle:
            handle.write(data)
            handle.flush()
            _dress(descriptor, like)
            os.fsync(descriptor)
        last_look()
        os.replace(temporary, target)
    except OSError as error:
        where = f" ({temporary} is in the way)" if error.errno == errno.EEXIST else ""
        raise refused(f"{path}: not written{where}", error) from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
    _sync(f"{path}: it was written", os.path.dirname(target))


def remove_file(path: str, last_look: Callable[[], None] = lambda: None) -> None:
    """Remove the file that path leads to (a link stays a link), also on disk. Raises NodeError, as write_file."""
    target = real_path(path)
    last_look()
    try:
        os.unlink(target)
    except OSError as error:
        raise refused(f"{path}: not removed", error) from error
    _sync(f"{path}: it was removed", os.path.dirname(target))


def temporary_of(target: str) -> str:
    """Where the new bytes of a file lie until they are whole: beside it, or above a folder that is read as a whole.

    It is always the same place, so that what a run that was killed has left there is found by the next one.
    """
    directory, name = os.path.split(target)
    folder = os.path.dirname(directory) if directory in _READ_WHOLE else directory
    return os.path.join(folder, f".{name}.kubenode.new")


def remove_leftover(target: str) -> None:
    """Remove what a run that was killed has left there; where that cannot be done, the next writing says so."""
    with contextlib.suppress(OSError):
        os.unlink(temporary_of(target))


def _sync(done: str, directory: str) -> None:
    try:
        sync_directory(directory)
    except OSError as error:
        raise NotSyncedError(str(refused(f"{done}, but {directory} could not be synced to disk", error))) from error


def sync_directory(path: str) -> None:
    """Have the entries of a directory on disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_directory(path: str) -> bool:
    """Whether a directory is there. Raises NodeError where nobody can tell: that is not taken for none."""
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise refused(f"{path}: cannot be looked at", error) from error


def refuse_unwritable(path: str) -> None:
    """Raise NodeError when it can be foreseen that no file can be written at path. Writes nothing."""
    refuse_unwritable_directory(os.path.dirname(real_path(path)), path)


def refuse_unwritable_directory(directory: str, path: str) -> None:
    """Raise NodeError when it can be foreseen that path cannot be made in directory, or directory not be made first."""
    directory = real_folder(directory)
    try:
        found = _status(directory)
        while found is None:
            directory = os.path.dirname(directory)
            found = _status(directory)
    except OSError as error:
        raise refused(f"{path}: {directory} cannot be looked at", error) from error
    if not stat.S_ISDIR(found.st_mode):
        raise NodeError(f"{path}: {directory} is not a directory. Move it away, or name another file.")
    if os.statvfs(directory).f_flag & os.ST_RDONLY:
        raise refused(f"{path}: cannot be written", OSError(errno.EROFS, os.strerror(errno.EROFS)))
    if not os.access(directory, os.W_OK):
        raise refused(f"{path}: cannot be written", OSError(errno.EACCES, os.strerror(errno.EACCES)))


def _status(path: str) -> Optional[os.stat_result]:
    """What lies there, None for nothing. Raises OSError."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _xattrs(path: str) -> Dict[str, bytes]:
    try:
        return {name: os.getxattr(path, name) for name in os.listxattr(path) if name not in _HASHES}
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return {}
        raise


def _dress(descriptor: int, like: Attributes) -> None:
    os.fchown(descriptor, like.uid, like.gid)
    os.fchmod(descriptor, like.mode)
    for name, value in like.xattrs.items():
        os.setxattr(descriptor, name, value)


def _not_plain(path: str, kind: str) -> NodeError:
    target = os.path.realpath(path)
    if target == "/dev/null":
        return NodeError(
            f"{path}: is a link to /dev/null, which switches that name off at boot (sysctl.d(5), systemd.unit(5)). "
            "Remove the link, or name another file."
        )
    leads = "" if target == path else f" (it leads to {target})"
    return NodeError(f"{path}: is {kind}, not a plain file{leads}. Move it away, or name another file.")
