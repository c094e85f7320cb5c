# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-router of the node, and the IPVS timeouts that its flags set. Reading only. Private to this collection."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.kube_proxy_config import seconds
from ansible_collections.kubenode.connections.plugins.module_utils._files.kubelet_conf import flag_of
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Process

# Since v2.1.0 (pkg/options/options.go); 0 leaves a timeout alone.
_FLAGS = {"tcp": "service-tcp-timeout", "tcpfin": "service-tcpfin-timeout", "udp": "service-udp-timeout"}

_FALSE = ("0", "f", "false")  # strconv.ParseBool, its letters in any case


def read(process: Process) -> Tuple[Optional[Dict[str, Any]], List[Problem]]:
    """Its pid and the timeouts in seconds that it sets at its start; None where it is not the proxy of services."""
    place = f"/proc/{process.pid}/cmdline"
    try:
        arguments = process.arguments()
    except OSError as error:
        return None, [Problem(place, 0, f"the flags cannot be read: {error.strerror or error}")]
    if not proxies(arguments):
        return None, []
    timeouts, problems = {}, []
    for cell, name in _FLAGS.items():
        text = flag_of(arguments, name)
        value = 0 if text is None else seconds(text)
        if value is None:
            problems.append(Problem(place, 0, f"the flag --{name} is {str(text)[:80]!r}, no duration"))
        elif value > 0:
            timeouts[cell] = value
    return {"pid": process.pid, "timeouts": timeouts}, problems


def proxies(arguments: Sequence[str]) -> bool:
    """Whether it forwards services, which it does unless told otherwise: k0s, for one, runs it for routes alone."""
    given = [word for word in arguments if word.partition("=")[0] == "--run-service-proxy"]
    return not given or given[-1].partition("=")[2].lower() not in _FALSE
