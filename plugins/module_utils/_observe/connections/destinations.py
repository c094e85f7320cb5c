# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where connections to services go, to match sockets with. Reading only. Private to this collection."""

import socket
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import Address, endpoint

from .tallies import Names


class Destinations(NamedTuple):
    """Virtual services by their name, and the errors that tell which could not be seen.

    ``cut_within`` is the number of translated connections that connection tracking forgets within 60, 300 and 900
    seconds; None where its table was not read.
    """

    names: Names
    cut_within: Optional[Dict[str, int]]
    errors: List[str]


def read(addresses: Iterable[Address], marks: Sequence[int], kube_proxy_mode: Optional[str]) -> Destinations:
    """What to match sockets with, given IPVS's services and kube-proxy's mode; run in the node's own namespace.

    The TCP services of IPVS by their addresses, and the firewall marks of others. Where there is no address, or
    kube-proxy does without IPVS, those that established flows in connection tracking went to: a service without any
    such flow is not seen, nor does any connection go there.
    """
    names = {address: _name(address) for address in addresses}
    errors = _not_matched(sorted(marks))
    if names and kube_proxy_mode in (None, "ipvs"):
        return Destinations(names, None, errors)
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
        conntrack_flows,  # not where IPVS has them
    )

    flows = conntrack_flows.read()
    for address in flows.destinations:
        names[address] = _name(address)
    return Destinations(names, flows.cut_within, errors + ([flows.error] if flows.error else []))


def _not_matched(marks: List[int]) -> List[str]:
    if not marks:
        return []
    noun = "service" if len(marks) == 1 else "services"
    return [f"IPVS {noun} by firewall mark ({', '.join(map(str, marks[:3]))}): no socket tells that it goes there"]


def _name(address: Address) -> str:
    packed, port = address
    return endpoint(socket.inet_ntop(socket.AF_INET if len(packed) == 4 else socket.AF_INET6, packed), port)
