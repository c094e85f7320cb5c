# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPVS of the node: its timeouts, services and connections. Reading only. Private to this collection."""

from typing import Any, Dict, List, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._files import ipvs_unit
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import modules
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import Address

from .problems import Problems


def read(problems: Problems) -> Tuple[Dict[str, Any], List[Address]]:
    """IPVS as node_info documents it, and the addresses of its services.

    Where IPVS is not loaded, nothing is asked: asking ipvsadm or netlink would load it.
    """
    result: Dict[str, Any] = {
        "loaded": modules.ipvs_loaded(),
        "timeouts": None,
        "timeouts_from": None,
        "timeouts_at_boot": ipvs_unit.seconds_at_boot(),
        "totals": None,
        "services": [],
        "services_omitted": 0,
        "services_by_mark": 0,
        "draining": [],
        "real_servers": [],
        "connections": {},
        "cut_within": None,
        "idlest": [],
    }
    if not result["loaded"]:
        return result, []
    from . import ipvs_loaded  # other nodes have no such tables

    seen, addresses = ipvs_loaded.read(problems)
    return dict(result, **seen), addresses
