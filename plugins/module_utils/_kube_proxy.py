# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-proxy of the node and what it says of itself at its metrics address. Private to this collection."""

import http.client
import io
import ipaddress
import os
import socket
import time
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kube_proxy_config import (
    KubeProxyError,
    host_and_port,
    parse_config,
    parse_metrics_address,
    parse_mode,
    parse_version,
)
from ansible_collections.kubenode.connections.plugins.module_utils._procfs import namespace_of

DEFAULT_ADDRESS = "127.0.0.1:10249"
"""kube-proxy's own default of metricsBindAddress (pkg/proxy/apis/config/v1alpha1/defaults.go)."""

MAX_ANSWER_BYTES = 1 << 20
"""More is not read of an answer or of a configuration file."""

_PROCESS = "kube-proxy"
_MODES = ("ipvs", "iptables", "nftables", "userspace")


class RefusedError(KubeProxyError):
    """Nothing listens at the metrics address."""


class KubeProxy(NamedTuple):
    """What is known of kube-proxy. config is the served KubeProxyConfiguration; error is one sentence, or None.

    refused: nothing listens at the address, which is all right where no kube-proxy runs. version is None where its
    metrics do not tell it, which is no error; cpus is how many it may run on.
    """

    running: bool
    pid: Optional[int]
    address: str
    mode: Optional[str]
    config: Optional[Dict[str, Any]]
    error: Optional[str]
    refused: bool
    version: Optional[str]
    cpus: Optional[int]


def read(address: Optional[str], timeout_seconds: float, proc: str = "/proc") -> KubeProxy:
    """Find kube-proxy and ask it for mode, configuration and version, within timeout_seconds for all. Never raises.

    address is the user's; without it that of the process's own configuration is asked, else the default.
    """
    deadline = time.monotonic() + timeout_seconds
    pid = find_process(proc)
    asked = host_and_port(address or (pid is not None and bind_address(pid, proc)) or DEFAULT_ADDRESS)
    where = "{}:{}".format(f"[{asked[0]}]" if ":" in asked[0] else asked[0], asked[1])
    mode, config, error, refused = None, None, None, False
    try:
        mode = parse_mode(_get(asked, "/proxyMode", deadline))
        config = parse_config(_get(asked, "/configz", deadline))
    except KubeProxyError as problem:
        error = f"kube-proxy at {where}: {problem}"
        refused = isinstance(problem, RefusedError)
        if refused and pid is None:
            error += " No process named kube-proxy is visible either."
    running = pid is not None or mode in _MODES or config is not None
    version = _version(asked, deadline) if running and mode else None
    return KubeProxy(running, pid, where, mode if running else None, config, error, refused, version, _cpus(pid))


def _version(where: Tuple[str, int], deadline: float) -> Optional[str]:
    try:
        return parse_version(_get(where, "/metrics", deadline))
    except KubeProxyError:
        return None


def _cpus(pid: Optional[int]) -> Optional[int]:
    """What kube-proxy takes for the number of CPUs (detectNumCPU in cmd/kube-proxy/app: Go's runtime.NumCPU)."""
    try:
        return None if pid is None else len(os.sched_getaffinity(pid))
    except OSError:
        return None


def find_process(proc: str = "/proc") -> Optional[int]:
    """The lowest pid of a process named kube-proxy in the caller's network namespace, or None.

    kube-proxies of other namespaces belong to other nodes (nodes may be containers). Where the namespace cannot be read
    (not root), a process counts.
    """
    own = namespace_of("self", "net", proc)
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        try:
            with open(f"{proc}/{pid}/comm", "rb") as handle:
                if handle.read(64).rstrip(b"\n") != _PROCESS.encode():
                    continue
        except OSError:
            continue
        if namespace_of(pid, "net", proc) in (own, None):
            return pid
    return None


def bind_address(pid: int, proc: str = "/proc") -> Optional[str]:
    """The metrics address that the process was told, by its --config file (then it ignores flags), else by flag."""
    arguments = _arguments(f"{proc}/{pid}/cmdline")
    path = _flag(arguments, "config")
    text = None
    if path:
        base = "{}/{}/{}".format(proc, pid, "root" if path.startswith("/") else "cwd")
        text = _read_start(os.path.join(base, path.lstrip("/")))
    if text is not None:
        return parse_metrics_address(text.decode("utf-8", "replace"))
    return _flag(arguments, "metrics-bind-address")


def _get(where: Tuple[str, int], path: str, deadline: float) -> bytes:
    """The body of a GET. Raises KubeProxyError when it is not there, not in time, too long or not HTTP."""
    request = f"GET {path} HTTP/1.0\r\nHost: {where[0]}\r\nUser-Agent: kubenode.connections\r\n\r\n"
    try:
        with socket.socket(_family(where[0]), socket.SOCK_STREAM) as sock:
            sock.settimeout(_left(deadline))
            sock.connect(where)
            sock.sendall(request.encode("ascii"))
            raw = _receive(sock, deadline)
    except ConnectionRefusedError as error:
        raise RefusedError("nothing listens there.") from error
    except socket.timeout as error:
        raise KubeProxyError(f"{path} is not answered in time.") from error
    except OSError as error:
        raise KubeProxyError("{} fails: {}.".format(path, getattr(error, "strerror", None) or error)) from error
    return _body(raw, path)


def _family(host: str) -> socket.AddressFamily:
    """The family of an IP address. Names are refused: resolving one could take far longer than the deadline."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError as error:
        raise KubeProxyError(f"{host[:80]!r} is not an IP address.") from error
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def _left(deadline: float) -> float:
    """Seconds left until the deadline. Raises socket.timeout when there are none."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise socket.timeout()
    return left


def _receive(sock: socket.socket, deadline: float) -> bytes:
    """All that the peer sends until it closes, waiting no longer than the deadline however slowly it drips."""
    data = b""
    while len(data) <= MAX_ANSWER_BYTES:
        sock.settimeout(_left(deadline))
        piece = sock.recv(65536)
        if not piece:
            return data
        data += piece
    raise OSError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")


class _Received:
    """Bytes already received in the shape that http.client reads from."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_args: object, **_kwargs: object) -> io.BytesIO:
        return io.BytesIO(self._data)


def _body(raw: bytes, path: str) -> bytes:
    try:
        response = http.client.HTTPResponse(_Received(raw))  # type: ignore[arg-type]
        response.begin()
        body = response.read()
    except (http.client.HTTPException, ValueError, OSError) as error:
        raise KubeProxyError(f"{path} is not answered in HTTP ({type(error).__name__}).") from error
    if response.status != 200:
        raise KubeProxyError(f"{path} answers with HTTP status {response.status}.")
    return body


def _read_start(path: str) -> Optional[bytes]:
    try:
        with open(path, "rb") as handle:
            return handle.read(MAX_ANSWER_BYTES)
    except OSError:
        return None


def _arguments(path: str) -> List[str]:
    return (_read_start(path) or b"").decode("utf-8", "replace").split("\0")


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
