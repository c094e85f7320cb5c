# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The virtual services that a socket's peer may be: IPVS's, or what connection tracking translates. Reading only.
Private to this collection."""

import socket
from typing import Dict, Iterable, List, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils import _conntrack_flows
from ansible_collections.kubenode.connections.plugins.module_utils._conntrack_flows import Address
from ansible_collections.kubenode.connections.plugins.module_utils._ipvs_tables import Service
from ansible_collections.kubenode.connections.plugins.module_utils._sockets import Names


class Destinations(NamedTuple):
    """Virtual services by their name, and the errors that tell which could not be seen.

    ``cut_within`` is the number of translated connections that connection tracking forgets within 60, 300 and 900
    seconds; None where its table was not read.
    """

    names: Names
    cut_within: Optional[Dict[str, int]]
    errors: List[str]


def read(services: Iterable[Service], kube_proxy_mode: Optional[str]) -> Destinations:
    """What to match sockets with, given IPVS's services and kube-proxy's mode; run in the node's own namespace.

    The TCP services of IPVS. Where there are none, or kube-proxy does without IPVS, those that established flows in
    connection tracking went to: a service without any such flow is not seen, nor does any connection go there.
    """
    services = list(services)
    names = {}
    for service in services:
        if service.protocol == "TCP" and service.address is not None and service.port is not None:
            address = _packed(service.address), service.port
            names[address] = _name(address)
    errors = _not_matched(services)
    if names and kube_proxy_mode in (None, "ipvs"):
        return Destinations(names, None, errors)
    flows = _conntrack_flows.read()
    for address in flows.destinations:
        names[address] = _name(address)
    return Destinations(names, flows.cut_within, errors + ([flows.error] if flows.error else []))


def _not_matched(services: List[Service]) -> List[str]:
    marks = sorted(service.fwmark or 0 for service in services if service.protocol == "FWM")
    if not marks:
        return []
    noun = "service" if len(marks) == 1 else "services"
    return [f"IPVS {noun} by firewall mark ({', '.join(map(str, marks[:3]))}): no socket tells that it goes there"]


def _packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def _name(address: Address) -> str:
    """10.96.0.10:80 or [fd00:96::10]:80."""
    packed, port = address
    if len(packed) == 4:
        return f"{socket.inet_ntop(socket.AF_INET, packed)}:{port}"
    return f"[{socket.inet_ntop(socket.AF_INET6, packed)}]:{port}"
