# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the node stands to the last plan, by what it shows now: the arithmetic of the audit for one node. Pure.
Private to this collection.

A node does not see the servers on other nodes. Those that probed in time when the plan was made are taken to do so.
"""

from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common import connection_counts as counting
from ansible_collections.kubenode.connections.plugins.module_utils._common.connection_counts import (
    A_DAY_SECONDS,
    NOTHING,
    Counts,
    Tallied,
    Under,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.enforced_keepalive import (
    may_leave_out,
    of_new_connections,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import (
    KEYS,
    Keepalive,
    is_usable,
    spare_for_verdict,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.limit_names import (
    CONNTRACK,
    CONNTRACK_POLICY,
    IPVS_TCP,
)

SAFE, UNKNOWN, UNSAFE = "safe", "unknown", "unsafe"

_ANY_POD = {"kind": "pod", "uid": None, "sandbox": None, "connections": 0}

Node = Mapping[str, Any]
Watch = Mapping[str, Any]


class Space(NamedTuple):
    """A network namespace: of what kind it is, the verdict on what it opens from now on, its open connections."""

    kind: str
    verdict: str
    services: Counts
    outside: Counts
    kept_without_keepalive: int

    @property
    def at_risk(self) -> bool:
        """Values of pods and containers are a risk of their own, others' only where a connection runs with them."""
        late = self.verdict == UNSAFE and self.kind in ("pod", "container")
        return late or self.services.at_risk > 0 or self.outside.at_risk > 0


class Figures(NamedTuple):
    """limits are those of this node by name, lowest the lowest of these and of the plan, in seconds (None: there is
    none). namespaces_unsafe and spaces are None where nobody could look. spare is None without keepalive or limit.
    """

    verdict: str
    limits: Dict[str, int]
    lowest: Optional[int]
    keepalive: Optional[Keepalive]
    spare: Optional[int]
    namespaces_unsafe: Optional[int]
    spaces: Optional[List[Space]]


def judge(node: Node, watch: Watch) -> Figures:
    """The figures of a node as node_info documents it, under what the plan said of it."""
    limits = dict(_own_limits(node, watch))
    lowest = min([*limits.values(), *_seconds(watch["limit"])], default=None)
    all_limits = watch["all_limits"] and not _limits_hidden(node)
    under = Under(lowest, all_limits)
    keepalive = _of_node(node)
    spaces = None
    if not watch["in_part"] and node["pods"] and node["pods"]["sockets_from"]:
        spaces = [_space(row, node, watch, under, _outside_limit(limits, watch)) for row in node["pods"]["rows"]]
    return Figures(
        _verdict(keepalive, under, spaces, node, watch),
        limits,
        lowest,
        keepalive,
        _spare(keepalive, lowest, watch["lost_probes"]),
        _unsafe_namespaces(node, under),
        spaces,
    )


def _own_limits(node: Node, watch: Watch) -> Iterator[Tuple[str, int]]:
    ipvs, conntrack = node["ipvs"], node["conntrack"]
    services = (ipvs["totals"] or {}).get("tcp_services")
    if ipvs["loaded"] is not False and (watch["ipvs_on_path"] or services) and ipvs["timeouts"]:
        yield IPVS_TCP, ipvs["timeouts"]["tcp"]
    if conntrack["loaded"]:
        for name, found in ((CONNTRACK, conntrack["timeouts"]), (CONNTRACK_POLICY, conntrack.get("policies"))):
            if found and found.get("established") is not None:
                yield name, found["established"]


def _seconds(limit: Optional[Mapping[str, Any]]) -> List[int]:
    return [limit["seconds"]] if limit else []


def _limits_hidden(node: Node) -> bool:
    return any(each["id"] in ("ipvs-timeouts", "ipvs-services", "conntrack") for each in node["problems"])


def _of_node(node: Node) -> Optional[Keepalive]:
    values = [(node["sysctls"].get(key) or {}).get("value") or "" for key in KEYS]
    return Keepalive(*map(int, values)) if all(value.isdigit() for value in values) else None


def _spare(keepalive: Optional[Keepalive], lowest: Optional[int], lost_probes: int) -> Optional[int]:
    if keepalive is None or lowest is None or not is_usable(keepalive):
        return None
    return spare_for_verdict(keepalive, lowest, lost_probes)


def _unsafe_namespaces(node: Node, under: Under) -> Optional[int]:
    spaces = node["namespaces"]
    if not spaces:
        return None
    groups = [(Keepalive(each["time"], each["intvl"], each["probes"]), each) for each in spaces["keepalive"]]
    return sum(each["namespaces"] - each["own"] for keepalive, each in groups if not under.keeps(keepalive))


def _outside_limit(limits: Mapping[str, int], watch: Watch) -> Tuple[Optional[int], bool]:
    """The lowest limit for connections to other addresses, and whether it is long: the node's own, of a day or more."""
    own = min([seconds for name, seconds in limits.items() if name != IPVS_TCP], default=None)
    boxes = _seconds(watch["outside"])
    lowest = min([*boxes, *([own] if own is not None else [])], default=None)
    return lowest, lowest is None or (lowest not in boxes and lowest >= A_DAY_SECONDS)


def _space(
    row: Mapping[str, Any], node: Node, watch: Watch, under: Under, outside: Tuple[Optional[int], bool]
) -> Space:
    keepalive = Keepalive(**row["keepalive"]) if row["keepalive"] else None
    unseen = node["pods"]["sockets_from"] != "sock_diag"
    kept, without = set(watch["kept"]), 0
    listed = [_tallied(each) for each in row["services"]]
    services = counting.unlisted(row["to_services"], row["without_keepalive"], listed, under)
    for each, tallied in zip(row["services"], listed):
        counts = counting.count(tallied, keepalive, under, unseen)[0]
        if each["service"] in kept and counts.at_risk:
            counts, without = counts.by_server(), without + tallied.without_keepalive
        services = services.plus(counts)
    return Space(
        row["kind"],
        _values_verdict(row, keepalive, node, watch, under),
        services,
        _outside(row, keepalive, kept, Under(outside[0], under.all_limits), outside[1], unseen),
        without,
    )


def _outside(
    row: Mapping[str, Any], keepalive: Optional[Keepalive], kept: Any, under: Under, is_long: bool, unseen: bool
) -> Counts:
    peers: Sequence[Mapping[str, Any]] = row.get("outside", ())
    listed = [_tallied(each) for each in peers]
    found = counting.unlisted_outside(
        row.get("to_outside", 0), row.get("outside_without_keepalive", 0), listed, is_long, False
    )
    for each, tallied in zip(peers, listed):
        counts = counting.count(tallied, keepalive, under, unseen)[0]
        if counts.at_risk and each["destination"] in kept:
            counts = counts.by_server()
        found = found.plus(counts.but_without() if is_long and under.seconds is not None else counts)
    return found


def _tallied(peer: Mapping[str, Any]) -> Tallied:
    return Tallied(peer["connections"], peer["without_keepalive"], peer["in_flight"], peer["gaps"])


def _values_verdict(
    row: Mapping[str, Any], keepalive: Optional[Keepalive], node: Node, watch: Watch, under: Under
) -> str:
    to_come = _enforced(row, keepalive, node, watch) or keepalive
    found = UNKNOWN
    if to_come is not None:
        found = (SAFE if under.all_limits else UNKNOWN) if under.keeps(to_come) else UNSAFE
    if row["sandbox"] is not None and not (found == UNSAFE and row["connections"]):
        return UNKNOWN
    return found


def _enforced(row: Mapping[str, Any], keepalive: Optional[Keepalive], node: Node, watch: Watch) -> Optional[Keepalive]:
    """What new connections of a namespace get by enforcement that is in force, now and after a reboot."""
    seen = node["enforcement"] or {}
    now, boot = seen.get("attached"), seen.get("boot")
    if not now or not boot or not boot["enabled"] or not now["exact"] or keepalive is None or row["sandbox"]:
        return None
    enforced = Keepalive(*(now[name] for name in Keepalive._fields))
    same = all(boot[name] == now[name] for name in Keepalive._fields)
    if not same or seen["exclude_ports"] or boot.get("exclude_ports"):
        return None
    if may_leave_out([*seen["exclude_cgroups"], *boot.get("exclude_cgroups", ())], row["uid"], row["kind"] == "pod"):
        return None
    return of_new_connections(keepalive, enforced, watch["replaces"])


def _verdict(
    keepalive: Optional[Keepalive], under: Under, spaces: Optional[List[Space]], node: Node, watch: Watch
) -> str:
    """Of the node's keepalive and of that of its pods and containers, as far as the plan counts theirs."""
    if keepalive is not None and not under.keeps(keepalive):
        return UNSAFE
    kinds = [kind for kind, counts in (("pod", watch["pods"]), ("container", watch["containers"])) if counts]
    verdicts = [space.verdict for space in spaces or () if space.kind in kinds]
    if spaces is not None and any(_number(node["pods"], kind) > _listed(node, kind) for kind in kinds):
        verdicts += _unlisted(node, watch, under)
    if UNSAFE in verdicts:
        return UNSAFE
    hidden = kinds and (spaces is None or node["pods"]["error"] or node["namespaces"]["unreadable"])
    return UNKNOWN if keepalive is None or not under.all_limits or hidden or UNKNOWN in verdicts else SAFE


def _number(pods: Mapping[str, Any], kind: str) -> int:
    number: int = pods["count" if kind == "pod" else "containers"]
    return number


def _listed(node: Node, kind: str) -> int:
    return sum(row["kind"] == kind for row in node["pods"]["rows"])


def _unlisted(node: Node, watch: Watch, under: Under) -> Iterator[str]:
    """The verdicts on the keepalives of the namespaces that are not listed: any of them may be a pod's."""
    listed = [row["keepalive"] and Keepalive(**row["keepalive"]) for row in node["pods"]["rows"]]
    for group in node["namespaces"]["keepalive"]:
        keepalive = Keepalive(group["time"], group["intvl"], group["probes"])
        if group["namespaces"] > listed.count(keepalive):
            yield _values_verdict(_ANY_POD, keepalive, node, watch, under)


def totals(spaces: Sequence[Space]) -> Tuple[Counts, Counts, int]:
    """The connections to services and to other addresses of all, and how many servers keep without SO_KEEPALIVE."""
    services = outside = NOTHING
    for space in spaces:
        services, outside = services.plus(space.services), outside.plus(space.outside)
    return services, outside, sum(space.kept_without_keepalive for space in spaces)
