# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubelet's version: read where it is written down, asked of the program only else. Private to this collection."""

import itertools
import os
import re
from typing import Iterable, Iterator, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import child
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import (
    open_plain,
    read_plain,
    reopen_plain,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Process

from .connections import go_buildinfo

_LIMIT_SECONDS = 10

_DPKG = "/var/lib/dpkg"
_MAX_LIST_BYTES = 1 << 20
_MAX_STATUS_LINES = 4000000
_PACKAGE_VERSION = rb"Version: (\d{1,9}\.\d{1,9}\.\d{1,9})-[0-9.]{1,9}\Z"  # as pkgs.k8s.io numbers them
_UNPACK_SECONDS = 60
"""dpkg writes the list of a package's files right after the files."""


def read_version(process: Process) -> Tuple[Optional[str], Optional[str]]:
    """The version such as v1.31.2, or why there is none.

    No file and no port of kubelet's tells it without credentials. The database of RPM would take a program with root's
    rights to read, and may be behind what is installed, so kubelet is asked there: it gets no rights at all.
    """
    try:
        path, replaced = process.program(), process.is_replaced()
        version = _built_in(process) or (None if replaced else _packaged(path))
        if version is None:
            from . import kubelet_answer  # old ones, not of pkgs.k8s.io

            version = kubelet_answer.read(process, path, replaced)
        return version, None
    except OSError as error:
        return None, f"kubelet's version: /proc/{process.pid}/exe: {error.strerror or error}."
    except NodeError as error:
        return None, f"kubelet's version: {error}"


def _built_in(process: Process) -> Optional[str]:
    """What Go's linker wrote into the program. A child reads it: it may lie on a file system that does not answer."""

    def read() -> Iterator[Optional[str]]:
        with open(reopen_plain(process.open_program(), "exe"), "rb") as program:
            yield go_buildinfo.version_of_kubernetes(go_buildinfo.modules(program) or "")

    return next(iter(child.collect(read, _LIMIT_SECONDS)[0]), None)


def _packaged(path: str) -> Optional[str]:
    """The version of the Debian package kubelet, where the program at path is the one that it brought."""
    try:
        listed = f"{_DPKG}/info/kubelet.list"
        names = read_plain(listed, _MAX_LIST_BYTES)[0].split(b"\n")
        if os.fsencode(path) not in names or os.stat(path).st_ctime > os.stat(listed).st_ctime + _UNPACK_SECONDS:
            return None
        with open(open_plain(f"{_DPKG}/status"), "rb") as status:
            return _installed(itertools.islice(status, _MAX_STATUS_LINES))
    except OSError:
        return None


def _installed(lines: Iterable[bytes]) -> Optional[str]:
    """The version of the package kubelet in dpkg's database."""
    package = b""
    for line in lines:
        if line.startswith(b"Package: "):
            package = line[9:].strip()
        found = re.match(_PACKAGE_VERSION, line.strip()) if package == b"kubelet" else None
        if found:
            return "v" + found.group(1).decode("ascii")
    return None
