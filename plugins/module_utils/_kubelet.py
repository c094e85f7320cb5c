# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubelet of the node: its version, and how it checks its HTTP/2 connections. Private to this collection."""

import os
import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._procfs import namespace_of, read_text
from ansible_collections.kubenode.connections.plugins.module_utils._programs import run_program

DISABLE = "DISABLE_HTTP2"
READ_IDLE = "HTTP2_READ_IDLE_TIMEOUT_SECONDS"
PING = "HTTP2_PING_TIMEOUT_SECONDS"

DEFAULT_SECONDS = {READ_IDLE: 30, PING: 15}
"""Where a variable is not set or no number (apimachinery, pkg/util/net/http.go)."""

_PROGRAMS = ("kubelet", "hyperkube")
_VERSION = re.compile(r"^Kubernetes (v\d+\.\d+\.\d+[0-9A-Za-z.+-]*)$", re.MULTILINE)
_LIMIT_SECONDS = 10


class Kubelet(NamedTuple):
    """What is known of kubelet. Seconds are those in force, the defaults included; error is one sentence each, or None.

    Everything but running and pid is None where it could not be read or no kubelet runs.
    """

    running: bool
    pid: Optional[int]
    version: Optional[str]
    disable_http2: Optional[bool]
    read_idle_timeout: Optional[int]
    ping_timeout: Optional[int]
    error: Optional[str]


def read(proc: str = "/proc") -> Kubelet:
    """Find kubelet and read its version and the three variables from its running environment. Never raises."""
    pid = find_process(proc)
    if pid is None:
        return Kubelet(False, None, None, None, None, None, None)
    version, no_version = read_version(pid, proc)
    variables, no_environment = read_variables(pid, proc)
    error = " ".join(each for each in (no_version, no_environment) if each) or None
    if variables is None:
        return Kubelet(True, pid, version, None, None, None, error)
    read_idle, ping = (_seconds(variables, name) for name in (READ_IDLE, PING))
    # golang.org/x/net/http2, Transport.PingTimeout: 0 means the default.
    return Kubelet(True, pid, version, bool(variables.get(DISABLE)), read_idle, ping or DEFAULT_SECONDS[PING], error)


def find_process(proc: str = "/proc") -> Optional[int]:
    """The pid of kubelet in the caller's network namespace, or None.

    One that sees the caller's files comes first: a pod in the node's network may run anything under that name. Where a
    namespace cannot be read (not root), a process counts.
    """
    found = [
        pid
        for pid in (int(name) for name in os.listdir(proc) if name.isdigit())
        if _is_kubelet(proc, pid) and namespace_of(pid, "net", proc) in (namespace_of("self", "net", proc), None)
    ]
    return min(found, key=lambda pid: (not _same_namespace(proc, pid, "mnt"), pid), default=None)


def read_version(pid: int, proc: str = "/proc") -> Tuple[Optional[str], Optional[str]]:
    """The version such as v1.31.2, or why there is none.

    No file and no port tells the version without credentials, so the program that the process runs is asked, by
    ``/proc/PID/exe``: it is the right one even where a newer one lies in its place already.
    """
    program = f"{proc}/{pid}/exe"
    try:
        doubt = _doubt(pid, proc)
        if doubt:
            return None, f"kubelet's version: its program is not run, {doubt}."
        called = ["kubelet"] if _name(os.readlink(program)) == "hyperkube" else []
        output = run_program([program, *called, "--version"], _LIMIT_SECONDS)[1]
    except OSError as error:
        return None, f"kubelet's version: {program}: {error.strerror or error}."
    except NodeError as error:
        return None, f"kubelet's version: {error}"
    found = _VERSION.search(output)
    if found is None:
        return None, f"kubelet's version: {program} --version answers {output[:80]!r}, expected Kubernetes vX.Y.Z."
    return found.group(1), None


def read_variables(pid: int, proc: str = "/proc") -> Tuple[Optional[Dict[str, str]], Optional[str]]:
    """Those of the three variables that the process was started with, or why they could not be read.

    Nothing else of the environment leaves this function: it may hold secrets.
    """
    reading = read_text(f"{proc}/{pid}/environ")
    if reading.value is None:
        return None, f"kubelet's environment: {reading.error or 'the process has ended'}."
    variables: Dict[str, str] = {}
    for word in reading.value.split("\0"):
        name, _equals, value = word.partition("=")
        if name in (DISABLE, READ_IDLE, PING):
            variables.setdefault(name, value)  # as Go's os.Getenv: the first one counts
    return variables, None


def _seconds(variables: Dict[str, str], name: str) -> int:
    """As Go's strconv.Atoi reads it, the default where that is an error."""
    value = variables.get(name, "")
    return int(value) if re.match(r"[+-]?[0-9]{1,18}\Z", value) else DEFAULT_SECONDS[name]


def _is_kubelet(proc: str, pid: int) -> bool:
    arguments = arguments_of(pid, proc)
    if not arguments:  # a process that has ended, or a thread of the kernel
        return False
    if (read_text(f"{proc}/{pid}/comm").value or "").rstrip("\n") == "kubelet":
        return True
    return os.path.basename(arguments[0]) == "hyperkube" and arguments[1:2] == ["kubelet"]


def _doubt(pid: int, proc: str) -> Optional[str]:
    """Why root had better not run the program of that process: somebody in a pod may have made it. Raises OSError."""
    program = f"{proc}/{pid}/exe"
    name = _name(os.readlink(program))
    if name not in _PROGRAMS:
        return f"its name is {name[:80]!r}"
    if not all(_same_namespace(proc, pid, kind) for kind in ("mnt", "pid", "user")):
        return "it belongs to a container"
    found = os.stat(program)
    if found.st_uid != 0 or found.st_mode & 0o022:
        return "others than root can write it"
    return None


def _name(program: str) -> str:
    """The base name of a link in /proc; the kernel marks a file that was replaced."""
    deleted = " (deleted)"
    return os.path.basename(program[: -len(deleted)] if program.endswith(deleted) else program)


def arguments_of(pid: int, proc: str = "/proc") -> List[str]:
    """The command line of a process, its program first; empty where it has ended or is a thread of the kernel."""
    text = read_text(f"{proc}/{pid}/cmdline").value
    return text.rstrip("\0").split("\0") if text else []


def _same_namespace(proc: str, pid: int, kind: str) -> bool:
    own = namespace_of("self", kind, proc)
    return own is not None and own == namespace_of(pid, kind, proc)
