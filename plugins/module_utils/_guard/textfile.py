# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file with the metrics, replaced as a whole. Private to this collection.

Its folder may be another user's, whom root must not be led astray by: nothing there is followed or opened but what is
made here.
"""

import contextlib
import os

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import refused

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(folder: str, name: str, text: str) -> None:
    """Replace the file in one rename, for everybody to read. Raises NodeError; then the old one stays."""
    temporary = f".{name}.{os.getpid()}.new"
    try:
        where = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise refused(f"{folder}: the folder for metrics cannot be opened", error) from error
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=where)
        with open(os.open(temporary, _NEW, 0o600, dir_fd=where), "wb") as handle:
            handle.write(text.encode("utf-8"))
            os.fchmod(handle.fileno(), 0o644)
        os.rename(temporary, name, src_dir_fd=where, dst_dir_fd=where)
    except OSError as error:
        raise refused(f"{folder}/{name}: not written", error) from error
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=where)
        os.close(where)
