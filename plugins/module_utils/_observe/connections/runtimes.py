# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a process is made of, which decides where its keepalive is set. Reading only. Private to this collection."""

import os
import re
from typing import Dict, List, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import child

from . import go_buildinfo

MAX_PROCESSES = 200
"""More are not looked at."""

_LIMIT_SECONDS = 10
_MAPS_BYTES = 8 << 20

# By a file that it maps. gRPC C-core first, for it lives within Python, Ruby, PHP, .NET, and Node's old package grpc.
_MAPPED: Tuple[Tuple[str, "re.Pattern[bytes]"], ...] = (
    ("grpcio", re.compile(rb"/(?:cygrpc|libgrpc)[^/\n]*\.so|/grpc(?:_c)?\.so|/grpc_node\.node")),
    ("java", re.compile(rb"/libjvm\.so")),
    ("dotnet", re.compile(rb"/libcoreclr\.so")),
    ("node", re.compile(rb"/libnode\.so")),
    ("python", re.compile(rb"/libpython[0-9]")),
)
# By the name of its program; /proc/PID/exe does not follow what a process calls itself.
_NAMED: Tuple[Tuple[str, "re.Pattern[str]"], ...] = (
    ("node", re.compile(r"node(?:js)?\Z")),
    ("envoy", re.compile(r"envoy\Z")),
    ("python", re.compile(r"python[0-9.]*\Z")),
)


def recognise_all(pids: List[int], proc: str = "/proc") -> Dict[int, Optional[str]]:
    """The runtime of each process, the first MAX_PROCESSES of them. Never raises, never takes longer than 10 seconds.

    A child reads them: a program may lie on a file system that does not answer.
    """
    few = pids[:MAX_PROCESSES]
    values = child.collect(lambda: ((pid, recognise(pid, proc)) for pid in few), _LIMIT_SECONDS)[0]
    return dict(values)


def recognise(pid: int, proc: str = "/proc") -> Optional[str]:
    """grpcio, java, dotnet, node, python, envoy, go, or grpc-go with its version. None: not recognised, or not read.

    A Rust or C++ program shows nothing that could be relied on.
    """
    mapped = _by_maps(_read(f"{proc}/{pid}/maps"))
    if mapped:
        return mapped
    program = f"{proc}/{pid}/exe"
    try:
        named = _by_name(os.readlink(program))
        if named:
            return named
        with open(program, "rb") as handle:
            modules = go_buildinfo.modules(handle)
    except OSError:
        return None
    if modules is None:
        return None
    version = go_buildinfo.version_of("google.golang.org/grpc", modules)
    return f"grpc-go {version}" if version else "go"


def _by_maps(maps: bytes) -> Optional[str]:
    return next((name for name, pattern in _MAPPED if pattern.search(maps)), None)


def _by_name(program: str) -> Optional[str]:
    name = os.path.basename(re.sub(r" \(deleted\)\Z", "", program))
    return next((runtime for runtime, pattern in _NAMED if pattern.match(name)), None)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as handle:
            return handle.read(_MAPS_BYTES)
    except OSError:
        return b""
