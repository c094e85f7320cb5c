# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kube-proxy says of itself at its metrics address, once it is known who listens there. Private to this
collection."""

import socket
from typing import Any, Dict, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.kube_proxy_config import (
    Config,
    KubeProxyError,
    parse_config,
    parse_mode,
    parse_version,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import listeners

from . import bounded_http


def read(host: str, port: int, deadline: float, cpus: Optional[int]) -> Dict[str, Any]:
    """Mode, configuration and version, and what went wrong then, by the names of KubeProxy. Never raises.

    cpus are those of kube-proxy, None where they are not known.
    """
    mode, config, wrong = None, Config(None, None), None
    try:
        mode = parse_mode(_get(host, port, "/proxyMode", deadline))
        config = parse_config(_get(host, port, "/configz", deadline), cpus)
    except KubeProxyError as error:
        wrong = str(error)
    version = _version(host, port, deadline) if mode else None
    return dict(config._asdict(), mode=mode, version=version, error=wrong)


def _version(host: str, port: int, deadline: float) -> Optional[str]:
    try:
        return parse_version(_get(host, port, "/metrics", deadline))
    except KubeProxyError:
        return None


def _get(host: str, port: int, path: str, deadline: float) -> bytes:
    try:
        return bounded_http.get(host, port, path, deadline, _must_end_here)
    except bounded_http.HttpError as error:
        raise KubeProxyError(str(error)) from error


def _must_end_here(connection: socket.socket) -> None:
    if not listeners.ends_here(connection):
        raise KubeProxyError("a connection to it leads out of the node, so it was not asked.")
