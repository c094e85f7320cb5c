# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A root with files of every kind, and links that lead everywhere. Devices need root."""

import contextlib
import os
import socket

KINDS = [
    ("etc/folder", "a directory"),
    ("etc/fifo", "a FIFO"),
    ("etc/to-fifo", "a FIFO"),
    ("etc/zero", "a character device"),
    ("etc/loop0", "a block device"),
    ("etc/socket", "a socket"),
]
"""What is no plain file there."""


@contextlib.contextmanager
def root_with_odd_files(folder):
    """A root with a file of each kind, beside a secret that is outside of it."""
    root = folder / "root"
    for name in ("etc/conf/..2024", "etc/folder"):
        (root / name).mkdir(parents=True)
    (root / "etc/plain").write_bytes(b"0123456789")
    (root / "etc/empty").write_bytes(b"")
    (root / "etc/conf/..2024/config.conf").write_bytes(b"a ConfigMap")
    (folder / "secret").write_bytes(b"secret")
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
        ("etc/outside", str(folder / "secret")),
        ("etc/to-fifo", "fifo"),
        ("etc/loop", "loop"),
        ("etc/missing-link", "missing"),
    ):
        (root / name).symlink_to(target)
    try:
        yield root
    finally:
        listener.close()
