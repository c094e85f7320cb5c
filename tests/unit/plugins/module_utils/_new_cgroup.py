# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A new cgroup of version 2, which goes away with the test."""

import contextlib
import os
import tempfile
import time

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import cgroups

_PREFIX = "test-keepalive-"
_END_SECONDS = 5


@contextlib.contextmanager
def own_cgroup(*below):
    """The path of a new cgroup, with further ones below it; all go away with what is attached to them."""
    path, descriptor = _made()
    os.chmod(path, 0o755)
    for name in below:
        os.makedirs(path + name)
    try:
        yield path
    finally:
        _remove(path)
        if descriptor is not None:
            os.close(descriptor)


def _made():
    """Where it is, and what has to stay open for so long: where it is mounted, it may be read-only (containers)."""
    with contextlib.suppress(OSError):
        top = cgroups.mounted_at()
        if top:
            return tempfile.mkdtemp(prefix=_PREFIX, dir=top), None
    descriptor = cgroups._unmounted_root()
    return tempfile.mkdtemp(prefix=_PREFIX, dir=f"/proc/self/fd/{descriptor}"), descriptor


def _remove(path):
    """Processes that end are in a cgroup for a moment longer."""
    deadline = time.monotonic() + _END_SECONDS
    for folder, _folders, _files in os.walk(path, topdown=False):
        while True:
            try:
                os.rmdir(folder)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
