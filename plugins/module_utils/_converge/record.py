# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of the originals and its folder: believed where root alone can have written it. Private to this collection.

A record says what a run as root writes where, so a forged one would have root write a file of somebody else's choice.
"""

import contextlib
import os
import stat
from typing import Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import (
    NEW,
    remove_file,
    remove_leftover,
    sync_directory,
    write_file,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.root_only import (
    real_folder,
    refuse_foreign_file,
    refuse_other_kind,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.ours import DIRECTORY, MAX_BYTES, PATH

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_record() -> Optional[bytes]:
    """The bytes of the record, None for no record. Raises NodeError for one that others than root may have written."""
    found = _found(PATH) if has_folder() else None
    if found is None:
        return None
    refuse_foreign_file(PATH, found)
    try:
        descriptor = os.open(PATH, _OPEN)
        with open(descriptor, "rb") as handle:
            refuse_foreign_file(PATH, os.fstat(descriptor))
            data = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise refused(f"{PATH}: not read", error) from error
    if len(data) > MAX_BYTES:
        raise NodeError(f"{PATH}: it has more than {MAX_BYTES} bytes, which no record has. Look at what fills it.")
    return data


def write_record(data: Optional[bytes]) -> None:
    """Have these bytes as the record, or (None) no record and no folder of its own. Raises NodeError, as write_file."""
    if data is not None:
        make_folder()
        write_file(PATH, data, NEW._replace(mode=0o600))
        return
    try:
        if read_record() is not None:
            remove_file(PATH)
    finally:
        remove_folder()


def has_folder() -> bool:
    """Whether the folder is there. Raises NodeError unless it is root's alone."""
    found = _found(DIRECTORY)
    if found is not None:
        refuse_other_kind(DIRECTORY, found, stat.S_ISDIR, "a directory")
    real_folder(DIRECTORY)
    return found is not None


def make_folder() -> None:
    """Make the folder where it is not there, for root alone. Raises NodeError."""
    if has_folder():
        return
    try:
        os.mkdir(DIRECTORY, 0o700)
        os.chmod(DIRECTORY, 0o700)  # whatever the umask
        sync_directory(os.path.dirname(DIRECTORY))
    except OSError as error:
        raise refused(f"{DIRECTORY}: not made", error) from error


def remove_folder() -> None:
    """Remove the folder if nothing is in it; one that stays does no harm."""
    with contextlib.suppress(OSError):
        os.rmdir(DIRECTORY)


def tidy_folder() -> None:
    """Remove what a run that was killed has left there: a record that is not whole, an empty folder."""
    if has_folder():
        remove_leftover(PATH)
        remove_folder()


def _found(path: str) -> Optional[os.stat_result]:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise refused(f"{path}: cannot be looked at", error) from error
