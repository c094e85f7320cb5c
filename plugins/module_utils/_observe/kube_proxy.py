# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-proxy of the node and what it says of itself at its metrics address. Private to this collection.

The whole cluster is planned by that answer, and any user may listen at the address while kube-proxy is away. So the
answer counts only where the socket that listens there is root's. Where this reader is root as well, a root process in
the node's own user and network namespaces, with the right to change that network (CAP_NET_ADMIN), must have it open:
kube-proxy, or the program that has kube-proxy within itself (k3s-server), whatever its name. A pod may be such a
process, too: it may change the node's network as it likes. A reader without root cannot see who has a socket open; what
it tells is for reading only.
"""

import os
import time
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NoAnswerError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import listeners
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.listeners import Listener
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import NotPlainError
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Found, Process, Wanted
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_text

DEFAULT_PLACE = ("127.0.0.1", 10249)
"""kube-proxy's own default of metricsBindAddress (pkg/proxy/apis/config/v1alpha1/defaults.go)."""

_ONLINE = "/sys/devices/system/cpu/online"
_MAX_CONFIG_BYTES = 1 << 20
_NAME = "kube-proxy"

WANTED = Wanted([_NAME])

_NOTHING: Mapping[str, Any] = dict.fromkeys(("mode", "ipvs_timeouts", "conntrack", "version", "error"))


class AbsentError(NoAnswerError):
    """Nothing listens at the metrics address."""


class KubeProxy(NamedTuple):
    """What is known of kube-proxy; error is sentences, or None. version is None where its metrics do not tell it.

    process is the name of the process with that pid. absent: nothing listens at the address and nothing goes by
    kube-proxy's name, which is all right on a node without one.
    """

    running: bool
    pid: Optional[int]
    process: Optional[str]
    address: Optional[str]
    mode: Optional[str]
    ipvs_timeouts: Optional[Dict[str, int]]
    conntrack: Optional[Dict[str, Any]]
    version: Optional[str]
    error: Optional[str]
    absent: bool


def read(found: Found, address: Optional[str], timeout_seconds: float, proc: str = "/proc") -> KubeProxy:
    """Ask kube-proxy for mode, configuration and version, for timeout_seconds in all. Never raises.

    ``found`` is what processes.find() found of WANTED. address is the user's; without it that of the process's own
    configuration is asked, else the default.
    """
    process, doubts = found
    own_address, unread = (None, []) if address or process is None else bind_address(process)
    where, answer, absent = None, _NOTHING, False
    try:
        host, port = _place(address or own_address)
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        believed, answer = _ask(host, port, timeout_seconds, process, proc)
        process = believed if answer["mode"] else process
    except NoAnswerError as error:
        absent = isinstance(error, AbsentError) and process is None and not doubts
        answer = dict(_NOTHING, error=str(error) + (f" No process named {_NAME} is visible either." if absent else ""))
    return _conclude(process, where, answer, absent, unread if answer["mode"] else unread + doubts)


def _conclude(
    process: Optional[Process], where: Optional[str], answer: Mapping[str, Any], absent: bool, doubts: List[str]
) -> KubeProxy:
    error = answer["error"]
    told = [f"{_NAME} at {where}: {error}" if where else f"{_NAME}: {error}"] if error else []
    return KubeProxy(
        running=process is not None or answer["mode"] is not None,
        pid=process.pid if process else None,
        process=_name(process),
        address=where,
        absent=absent,
        **dict(answer, error=" ".join(told + doubts) or None),
    )


def _place(address: Optional[str]) -> Tuple[str, int]:
    """Host and port of an address, the default without one. Raises NoAnswerError."""
    if not address:
        return DEFAULT_PLACE
    from ansible_collections.kubenode.connections.plugins.module_utils._common.kube_proxy_config import host_and_port

    return host_and_port(address)


def bind_address(process: Process) -> Tuple[Optional[str], List[str]]:
    """The metrics address that the process was told, by its --config file (then it ignores flags), else by flag.

    And what is wrong with the file, in sentences: a reader without root may not see it, which is no news.
    """
    try:
        arguments = process.arguments()
    except OSError:
        return None, []
    path, unread = _flag(arguments, "config"), []
    try:
        if path:
            return _address_in(process.read_file(path, _MAX_CONFIG_BYTES)[0]), []
    except OSError as error:
        why = str(error) if isinstance(error, NotPlainError) else f"cannot be read: {error.strerror or error}"
        if os.geteuid() == 0:
            unread = [f"{_NAME} was started with --config={ascii(path)[1:-1][:80]}, which {why}."]
    return _flag(arguments, "metrics-bind-address"), unread


def _address_in(config: bytes) -> Optional[str]:
    from ansible_collections.kubenode.connections.plugins.module_utils._common.kube_proxy_config import (
        parse_metrics_address,
    )

    return parse_metrics_address(config.decode("utf-8", "replace"))


def _ask(
    host: str, port: int, timeout_seconds: float, process: Optional[Process], proc: str
) -> Tuple[Optional[Process], Mapping[str, Any]]:
    """Whose answer it is, and the answer. Raises NoAnswerError where nobody there is believed."""
    if not listeners.is_own_address(host):
        raise NoAnswerError("this is no address of the node, so it was not asked. Give one of the node's own.")
    before = _listening(host, port)
    believed = _believe(before, process, proc)
    from . import kube_proxy_answer  # not where nobody is to be asked

    answer = kube_proxy_answer.read(host, port, time.monotonic() + timeout_seconds, _cpus(believed))
    if _listening(host, port) != before:
        raise NoAnswerError("another socket listens there than when it was asked, so the answer does not count.")
    return believed, answer


def _listening(host: str, port: int) -> FrozenSet[Listener]:
    try:
        return listeners.at(host, port)
    except OSError as error:
        raise NoAnswerError(
            f"who listens there cannot be read ({error.filename}: {error.strerror}), so it was not asked."
        ) from error


def _believe(found: FrozenSet[Listener], process: Optional[Process], proc: str) -> Optional[Process]:
    """The process whose answer counts, None where that cannot be seen and need not. Raises NoAnswerError."""
    if not found:
        raise AbsentError("nothing listens there.")
    for listener in sorted(found):
        if listener.uid != 0:
            by = listeners.name_holder(listener.inode, proc)
            raise NoAnswerError(f"user {listener.uid} listens there{by}, not root's kube-proxy, so it was not asked.")
    if os.geteuid() != 0:
        return process
    believed = listeners.roots_process([listener.inode for listener in found], process, proc)
    if believed is None:
        raise NoAnswerError(
            "a socket of root listens there, but no process of root's that may change the node's network was found to "
            f"have it open within {listeners.SEARCH_SECONDS} s, so it was not asked."
        )
    return believed


def _cpus(process: Optional[Process]) -> Optional[int]:
    """What kube-proxy takes for the number of CPUs: all that are online, though it may be pinned to some.

    detectNumCPU in cmd/kube-proxy/app asks cadvisor's topology of /sys, and Go's runtime.NumCPU where that fails.
    """
    if process is None:
        return None
    from ansible_collections.kubenode.connections.plugins.module_utils._common.cpu_sets import parse_list

    try:
        return len(parse_list(read_text(_ONLINE).value or "")) or None
    except ValueError:
        return None


def _name(process: Optional[Process]) -> Optional[str]:
    try:
        return None if process is None else ascii(process.name())[1:-1]
    except OSError:
        return None


def _flag(arguments: List[str], name: str) -> Optional[str]:
    """The last value of --name=value, --name value (or with one dash), None when it is not given."""
    value = None
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        for dashes in ("--", "-"):
            if argument == dashes + name:
                value = following
            elif argument.startswith(dashes + name + "="):
                value = argument[len(dashes + name) + 1 :]
    return value or None
