# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPVS where the kernel has it: its timeouts, services and connections. Reading only. Private to this collection."""

import os
from typing import Any, Callable, Dict, List, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import remedy
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_tables, ipvs_timeouts
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.flows import Address

from .connections import services
from .problems import Problems


def read(problems: Problems) -> Tuple[Dict[str, Any], List[Address]]:
    """What node_info documents of it and can be read, and the addresses of its services."""
    result: Dict[str, Any] = {}
    reading = ipvs_timeouts.read_timeouts()
    if reading.timeouts is not None:
        result.update(timeouts=dict(reading.timeouts._asdict()), timeouts_from=reading.by)
    else:
        problems.add("ipvs-timeouts", "IPVS timeouts", reading.error or "", reading.do)
    seen = _table("ipvs-services", "/proc/net/ip_vs", services.read, problems)
    if seen is not None:
        result.update(services.as_plain(seen), services_by_mark=len(seen.marks))
    servers = [each.real_server for each in seen.draining] if seen else []
    connections = _table(
        "ipvs-connections", "/proc/net/ip_vs_conn", lambda: ipvs_tables.read_connections(servers), problems
    )
    if connections is not None:
        for each in result.get("draining", []):
            each["seconds_left"] = _left(connections.longest_left, each["protocol"], each["real_server"])
        tcp = reading.timeouts.tcp if reading.timeouts else None
        idlest = [dict(each._asdict(), idle_seconds=_idle(each, tcp)) for each in connections.idlest]
        result.update(connections=connections.counts, cut_within=connections.cut_within, idlest=idlest)
    return result, seen.addresses if seen else []


def _left(longest: Dict[Tuple[str, str], int], protocol: str, server: str) -> Optional[int]:
    """By a firewall mark any protocol comes. None where no connection of it was seen."""
    protocols = ("TCP", "UDP", "SCTP") if protocol == "FWM" else (protocol,)
    return max((longest[each, server] for each in protocols if (each, server) in longest), default=None)


def _idle(connection: ipvs_tables.Expiring, timeout_seconds: Optional[int]) -> Optional[int]:
    """None where the timeout is not known, or was higher when the last packet came."""
    if timeout_seconds is None or connection.seconds_left > timeout_seconds:
        return None
    return timeout_seconds - connection.seconds_left


def _table(identity: str, path: str, read_table: Callable[[], Tuple[Any, int]], problems: Problems) -> Any:
    """What is in a table of IPVS, None where it cannot be read; that and lines that make no sense become problems."""
    try:
        rows, strange = read_table()
    except OSError as error:
        problems.add(identity, path, str(error.strerror or error), remedy(error))
        return None
    if strange:
        report = f"Report these lines and the kernel ({os.uname().release}) to the collection."
        problems.add(identity, path, f"{strange} lines make no sense", report)
    return rows
