# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kubelet of the node: its version, and how it checks its HTTP/2 connections. Private to this collection."""

import re
from typing import Dict, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import NODE, Found, Process, Wanted

DISABLE = "DISABLE_HTTP2"
READ_IDLE = "HTTP2_READ_IDLE_TIMEOUT_SECONDS"
PING = "HTTP2_PING_TIMEOUT_SECONDS"

WANTED = Wanted(["kubelet"], NODE)

_TO_API_SERVER = ("kubeconfig", "api-servers")
"""--kubeconfig, --bootstrap-kubeconfig; of old ones --api-servers, --require-kubeconfig (cmd/kubelet/app/server.go)."""

DEFAULT_SECONDS = {READ_IDLE: 30, PING: 15}
"""Where a variable is not set or no number (apimachinery, pkg/util/net/http.go)."""


class Kubelet(NamedTuple):
    """What is known of kubelet. Seconds are those in force, the defaults included; error is one sentence each, or None.

    Everything but running, pid and error is None where it could not be read or no kubelet runs.
    """

    running: bool
    pid: Optional[int]
    version: Optional[str]
    disable_http2: Optional[bool]
    read_idle_timeout: Optional[int]
    ping_timeout: Optional[int]
    error: Optional[str]
    standalone: Optional[bool] = None


def read(found: Found) -> Kubelet:
    """Its version and the three variables of its running environment. Never raises.

    ``found`` is what processes.find() found of WANTED.
    """
    process, doubts = found
    if process is None:
        return Kubelet(False, None, None, None, None, None, " ".join(doubts) or None)
    from .kubelet_version import read_version  # it reads programs of Go

    version, no_version = read_version(process)
    variables, no_environment = _read_variables(process)
    error = " ".join(each for each in (*doubts, no_version, no_environment) if each) or None
    standalone = _is_standalone(process)
    if variables is None:
        return Kubelet(True, process.pid, version, None, None, None, error, standalone)
    read_idle, ping = (_seconds(variables, name) for name in (READ_IDLE, PING))
    # golang.org/x/net/http2, Transport.PingTimeout: 0 means the default.
    ping = ping or DEFAULT_SECONDS[PING]
    return Kubelet(True, process.pid, version, bool(variables.get(DISABLE)), read_idle, ping, error, standalone)


def _is_standalone(process: Process) -> Optional[bool]:
    """Whether it runs static pods alone: no option of its command line leads to an API server."""
    try:
        arguments = process.arguments()
    except OSError:
        return None
    # A process that ends has none any more: that tells nothing.
    return not any(word in each for each in arguments for word in _TO_API_SERVER) if arguments else None


def _read_variables(process: Process) -> Tuple[Optional[Dict[str, str]], Optional[str]]:
    """Those of the three variables that the process was started with, or why they could not be read."""
    try:
        return process.environ_variables([DISABLE, READ_IDLE, PING]), None
    except PermissionError as error:
        return None, f"kubelet's environment: /proc/{process.pid}/environ: {error.strerror}."
    except OSError:
        return None, "kubelet's environment: the process has ended."


def _seconds(variables: Dict[str, str], name: str) -> int:
    """As Go's strconv.Atoi reads it, the default where that is an error."""
    value = variables.get(name, "")
    return int(value) if re.match(r"[+-]?[0-9]{1,18}\Z", value) else DEFAULT_SECONDS[name]
