# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What forgets connections in each other network namespace: IPVS and connection tracking of its own.

Docker Swarm has its IPVS in the namespaces ingress_sbox and lb_*, kind in that of each node's container, and LVS may
run in any. Reading only, and nothing is loaded. Private to this collection.
"""

import os
from itertools import islice
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import ESTABLISHED_KEY, KEYS
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import read_sysctl, whole_number

MAX_ROWS = 100
"""More namespaces are only counted, those with the highest limits."""

_SERVICES = "/proc/self/net/ip_vs"
_MAX_LINES = 50000
"""So many tell whether there is a service for TCP; a pod shall not keep us with more."""

_FOR_TCP = (b"TCP ", b"FWM ")
"""A firewall mark may be on packets of any protocol."""

_NOT_FOR_TCP = (b"UDP ", b"SCTP ")
_NO_SERVICE = (b"IP Virtual Server", b"Prot ", b"  ->")

_COUNT_KEY = "net.netfilter.nf_conntrack_count"
_NS_GET_USERNS = 0xB701
"""ioctl_ns(2), since Linux 4.9."""

_NEVER = 1 << 62

Tables = Dict[str, Any]


class Services(NamedTuple):
    """How many virtual services there are, how many may carry TCP, and how many lines make no sense."""

    services: int
    tcp_services: int
    strange: int


def reader(ipvs: bool, conntrack: bool) -> Callable[[], Optional[Tables]]:
    """What reads the tables of the namespace that it is called in, None for the caller's own.

    ``ipvs`` and ``conntrack``: whether the kernel has them. Without both, nothing is looked at.
    """
    own = _own_inode() if ipvs or conntrack else 0

    def read() -> Optional[Tables]:
        if not (ipvs or conntrack) or _own_inode() == own:
            return None
        errors: List[str] = []
        tables = {"ipvs": _ipvs(errors) if ipvs else None, "conntrack": _conntrack(errors) if conntrack else None}
        return dict(tables, unprivileged=bool(errors or any(tables.values())) and _is_unprivileged(), errors=errors)

    return read


def tracking() -> Callable[[], bool]:
    """What tells whether the namespace that it is called in has entries of connection tracking, or may have.

    False for the caller's own, which tracks what its IPVS balances.
    """
    own = _own_inode()

    def is_tracked() -> bool:
        entries = read_sysctl(_COUNT_KEY)
        return _own_inode() != own and entries.state != "absent" and entries.value != "0"

    return is_tracked


def summary(rows: Iterable[Tuple[Dict[str, Any], Optional[Tables]]]) -> Dict[str, Any]:
    """The namespaces that have such tables as node_info documents them, given each row of pods with its tables.

    What an ordinary user has made unreadable is told in its row alone: it hides nothing of the node's.
    """
    looked = [(row, tables) for row, tables in rows if tables is not None]
    there = [_row(row, tables) for row, tables in looked if any(map(tables.get, ("ipvs", "conntrack", "unprivileged")))]
    there.sort(key=_badness)
    errors = [each["errors"][0] for _row_of_it, each in looked if each["errors"] and not each["unprivileged"]]
    return {
        "rows": there[:MAX_ROWS],
        "omitted": len(there[MAX_ROWS:]),
        "unread": len(errors),
        "error": errors[0] if errors else None,
    }


def count_services(lines: Iterable[bytes]) -> Services:
    """The virtual services in the lines of /proc/net/ip_vs. Never raises."""
    services, tcp, strange = 0, 0, 0
    for line in lines:
        if line.startswith(_FOR_TCP):
            tcp += 1
        elif line.startswith(_NOT_FOR_TCP):
            services += 1
        elif line.strip() and not line.startswith(_NO_SERVICE):
            strange += 1
    return Services(services + tcp, tcp, strange)


def _own_inode() -> int:
    return os.stat("/proc/self/ns/net").st_ino


def _ipvs(errors: List[str]) -> Optional[Dict[str, Any]]:
    """None where the namespace has no virtual service."""
    try:
        with open(_SERVICES, "rb") as handle:
            seen = count_services(islice(handle, _MAX_LINES))
            more = bool(handle.readline())
    except FileNotFoundError:
        return None
    except OSError as error:
        errors.append(f"{_SERVICES}: {error.strerror or error}")
        return None
    if seen.strange:
        errors.append(f"{_SERVICES}: {seen.strange} lines make no sense")
    if more and not seen.tcp_services:
        errors.append(f"{_SERVICES}: none of the first {_MAX_LINES} lines is a service for TCP, and there are more")
    return {**_counts(seen), "timeouts": _timeouts(errors)} if seen.services or errors else None


def _counts(seen: Services) -> Dict[str, int]:
    return {"services": seen.services, "tcp_services": seen.tcp_services}


def _timeouts(errors: List[str]) -> Optional[Dict[str, int]]:
    from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_timeouts  # few have services

    try:
        return dict(ipvs_timeouts.get_timeouts()._asdict())
    except ipvs_timeouts.IpvsError as error:
        errors.append(str(error))
        return None


def _conntrack(errors: List[str]) -> Optional[Dict[str, Optional[int]]]:
    """None where the timeout is the one that every namespace starts with."""
    reading = read_sysctl(ESTABLISHED_KEY)
    if reading.state == "absent" or reading.value == KEYS[ESTABLISHED_KEY].default:
        return None
    established = whole_number(reading.value)
    if established is None:
        errors.append(reading.error or f"{ESTABLISHED_KEY}: {reading.value!r} is not a whole number")
        return None
    return {"established": established, "entries": whole_number(read_sysctl(_COUNT_KEY).value)}


def _is_unprivileged() -> bool:
    """Whether another user namespace than ours owns this network namespace: then no root of this node set its values.

    A kernel that cannot tell has it owned by ours, and so has one where the owner is outside of our reach.
    """
    import fcntl

    try:
        with open("/proc/self/ns/net", "rb") as space:
            owner = fcntl.ioctl(space.fileno(), _NS_GET_USERNS)
    except OSError:
        return False
    try:
        return os.fstat(owner).st_ino != os.stat("/proc/self/ns/user").st_ino
    finally:
        os.close(owner)


def _row(row: Dict[str, Any], tables: Tables) -> Dict[str, Any]:
    return {
        **{name: row[name] for name in ("kind", "label", "netns")},
        "unprivileged": tables["unprivileged"],
        "ipvs": tables["ipvs"],
        "conntrack": tables["conntrack"],
        "error": tables["errors"][0] if tables["errors"] else None,
    }


def _badness(row: Dict[str, Any]) -> Tuple[bool, int, str, int]:
    """Least for what the node's root set and is the lowest limit."""
    ipvs, conntrack = row["ipvs"] or {}, row["conntrack"] or {}
    seconds = [conntrack.get("established", _NEVER)]
    if ipvs.get("tcp_services"):
        seconds.append((ipvs["timeouts"] or {}).get("tcp", 0))
    return row["unprivileged"], min(seconds), row["label"], row["netns"]
