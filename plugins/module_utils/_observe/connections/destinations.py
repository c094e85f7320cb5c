# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where connections to services go, to match sockets with. Reading only. Private to this collection."""

import socket
from typing import Dict, Iterable, List, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import Address, endpoint

from .tallies import Names


class Destinations(NamedTuple):
    """Virtual services by their name, and the errors that tell which could not be seen.

    No socket tells whether it goes to one by a firewall mark: its connections are among those to other addresses.

    ``cut_within`` is the number of translated connections that connection tracking forgets within 60, 300 and 900
    seconds; None where its table was not read.
    """

    names: Names
    cut_within: Optional[Dict[str, int]]
    errors: List[str]


def read(addresses: Iterable[Address], kube_proxy_mode: Optional[str]) -> Destinations:
    """What to match sockets with, given IPVS's services and kube-proxy's mode; run in the node's own namespace.

    The TCP services of IPVS by their addresses. Where there is none, or kube-proxy does without IPVS, those that
    established flows in connection tracking went to: a service without any such flow is not seen, nor does any
    connection go there.
    """
    names = {address: name_of(address) for address in addresses}
    if names and kube_proxy_mode in (None, "ipvs"):
        return Destinations(names, None, [])
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
        conntrack_flows,  # not where IPVS has them
    )

    flows = conntrack_flows.read()
    for address in flows.destinations:
        names[address] = name_of(address)
    return Destinations(names, flows.cut_within, [flows.error] if flows.error else [])


def name_of(address: Address) -> str:
    """10.96.0.10:80 of a packed address and a port."""
    packed, port = address
    return endpoint(socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed), port)
