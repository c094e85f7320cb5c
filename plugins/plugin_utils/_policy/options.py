# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user's wishes, checked. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import (
    BE_LIBERAL,
    BRIDGE_KEYS,
    EXPIRE_NODEST,
    EXPIRE_QUIESCENT,
    FLOW_ENTRIES,
    RETRIES2,
    REUSE_MODE,
    SLOPPY_TCP,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, nearest
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import ARTICLE, KERNEL_DEFAULT
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.retransmission import (
    DETECTION_SECONDS,
    retries2_for,
)

from .checks import (
    LOST_PROBES,
    MARGIN,
    Choice,
    Option,
    cgroups,
    flag,
    namespace_timeouts,
    option,
    path,
    ports,
    power_of_two,
    sysctl_values,
    timeouts,
)
from .middleboxes import Middlebox, parse_middleboxes

LEAVE, AUTO, ALWAYS = "leave", "auto", "always"
REARM, ALL, NEVER = "rearm", "all", "never"


@dataclass(frozen=True)
class Policy:
    """What the user wants of a plan: the table of its options, each the role variable ``keepalive_<name>``.

    Times are in seconds. The argument specs and the defaults of the role and the documentation of the filter say the
    same; tests hold them to it.
    """

    profile: str = option("str", "derived", Choice(("derived", "article")), "V(derived) works the values out.")
    strategy: str = option(
        "str",
        "lower_keepalive",
        Choice(("lower_keepalive", "raise_ipvs")),
        "V(lower_keepalive) brings keepalive below the limits.",
    )
    lost_probes: int = option(
        "int",
        2,
        LOST_PROBES,
        "How many probes in a row may be lost while a healthy connection still survives, V(0) to V(126).",
    )
    margin: int = option("int", 0, MARGIN, "Further seconds to stay below the limit, beyond what timer slack takes.")
    time: int | None = option(
        "int", None, keepalive_math.TIME_RANGE, "Your own keepalive time in seconds, V(1) to V(32767)."
    )
    intvl: int | None = option(
        "int", None, keepalive_math.INTVL_RANGE, "Your own keepalive interval in seconds, V(1) to V(32767)."
    )
    probes: int | None = option("int", None, keepalive_math.PROBES_RANGE, "Your own number of probes, V(1) to V(127).")
    time_ceiling: int = option(
        "int", KERNEL_DEFAULT.time, keepalive_math.TIME_RANGE, "The highest time to work out, in seconds."
    )
    intvl_ceiling: int = option(
        "int", KERNEL_DEFAULT.intvl, keepalive_math.INTVL_RANGE, "The highest interval to work out, in seconds."
    )
    middleboxes: tuple[Middlebox, ...] = option(
        "list",
        (),
        lambda _what, value: parse_middleboxes(value),
        "What else on the path forgets idle connections; no node can see it.",
    )
    bridge_nf_call: str = option(
        "str",
        "auto",
        Choice(("auto", "always", "never")),
        "Whether C(net.bridge.bridge-nf-call-iptables) and C(net.bridge.bridge-nf-call-ip6tables) are set to 1.",
        per_node=True,
    )
    be_liberal: bool | None = option(
        "bool",
        None,
        flag,
        "Whether C(net.netfilter.nf_conntrack_tcp_be_liberal) is 1, on nodes with C(nf_conntrack) now or at boot.",
        per_node=True,
    )
    dead_peer_seconds: int | None = option(
        "int",
        None,
        DETECTION_SECONDS,
        "After how many seconds at most unanswered data ends a connection, V(8) to V(1054).",
    )
    conn_reuse_mode: str = option(
        "str",
        LEAVE,
        Choice((LEAVE, AUTO, "0", "1")),
        "The value of C(net.ipv4.vs.conn_reuse_mode), on nodes with C(ip_vs) now or at boot.",
        per_node=True,
    )
    expire_nodest_conn: bool | None = option(
        "bool",
        None,
        flag,
        "Whether C(net.ipv4.vs.expire_nodest_conn) is 1, on nodes with C(ip_vs) now or at boot.",
        per_node=True,
    )
    expire_quiescent_template: bool | None = option(
        "bool",
        None,
        flag,
        "Whether C(net.ipv4.vs.expire_quiescent_template) is 1, on nodes with C(ip_vs) now or at boot.",
        per_node=True,
    )
    sloppy_tcp: bool | None = option(
        "bool",
        None,
        flag,
        "Whether C(net.ipv4.vs.sloppy_tcp) is 1, on nodes with C(ip_vs) now or at boot.",
        per_node=True,
    )
    rps: str = option(
        "str",
        LEAVE,
        Choice((LEAVE, AUTO, ALWAYS)),
        "Receive Packet Steering by the CPUs of the NIC's NUMA node, without isolated ones.",
        per_node=True,
    )
    rps_exclude_irq_cpus: bool = option(
        "bool",
        False,
        flag,
        "Whether the CPUs that the receive interrupts of a NIC go to are left out for it, unless none would be left.",
        per_node=True,
    )
    rps_sock_flow_entries: int = option(
        "int",
        32768,
        power_of_two,
        "The value of C(net.core.rps_sock_flow_entries) with O(policy.rps), V(0) or a power of two.",
        per_node=True,
    )
    sysctls: Mapping[str, str] = option(
        "dict", {}, sysctl_values, "Further sysctls and their values, for every node.", per_node=True
    )
    ipvs_timeouts: Mapping[str, int] = option(
        "dict",
        {},
        timeouts,
        "IPVS timeouts in seconds, any of C(tcp), C(tcpfin) and C(udp), for nodes with IPVS on the path.",
    )
    namespace_ipvs_timeouts: Mapping[str, Mapping[str, int]] = option(
        "dict",
        {},
        namespace_timeouts,
        "The same in other network namespaces, by the name of each or of its container.",
        per_node=True,
    )
    pods: bool = option(
        "bool",
        True,
        flag,
        "Whether running pods with the kernel's own keepalive get the planned one where theirs is too late, and "
        "whether the keepalive of pods counts for RV(_value.nodes.verdict).",
    )
    containers: bool = option(
        "bool",
        True,
        flag,
        "The same as O(policy.pods) for containers outside of pods, such as Docker's.",
    )
    enforce: bool = option(
        "bool",
        False,
        flag,
        "Whether the kernel of a node gives the planned keepalive to every new TCP connection, of all of its processes "
        "and pods, and turns C(SO_KEEPALIVE) on for it.",
        per_node=True,
    )
    enforce_exclude_ports: tuple[int, ...] = option(
        "list",
        (),
        ports,
        "TCP ports, local or remote, whose connections O(policy.enforce) leaves alone.",
        per_node=True,
    )
    enforce_exclude_cgroups: tuple[str, ...] = option(
        "list",
        (),
        cgroups,
        "Control groups whose connections O(policy.enforce) leaves alone, as paths below the root of cgroup v2.",
        per_node=True,
    )
    open_connections: str = option(
        "str",
        REARM,
        Choice((REARM, ALL, NEVER)),
        "Which of the connections that are open and at risk get the planned keepalive in place, without a restart.",
        per_node=True,
    )
    sysctl_file: str = option(
        "path", "/etc/sysctl.d/k8s.conf", path, "The file that the settings will be written to.", per_node=True
    )
    modules_file: str = option(
        "path",
        "/etc/modules-load.d/k8s.conf",
        path,
        "The file that names the kernel modules to load at boot.",
        per_node=True,
    )

    @property
    def own_names(self) -> tuple[str, ...]:
        """The variables by which the user set keepalive values, empty when all of them are to be worked out."""
        if self.profile == "article":
            return ("keepalive_profile",)
        return tuple(f"keepalive_{name}" for name in ("time", "intvl", "probes") if getattr(self, name) is not None)

    @property
    def own_values(self) -> tuple[int | None, int | None, int | None]:
        """Time, intvl and probes as the user set them, None for each that is to be worked out."""
        return ARTICLE if self.profile == "article" else (self.time, self.intvl, self.probes)

    @property
    def bridge_always(self) -> bool:
        """Whether the bridge keys belong to every node: asked for, or part of the article's file."""
        return self.bridge_nf_call == "always" or (self.profile == "article" and self.bridge_nf_call == "auto")

    @property
    def tuned(self) -> dict[str, str]:
        """The sysctls that have a variable of their own, where it says a value whatever the node."""
        flags = {
            BE_LIBERAL: self.be_liberal,
            EXPIRE_NODEST: self.expire_nodest_conn,
            EXPIRE_QUIESCENT: self.expire_quiescent_template,
            SLOPPY_TCP: self.sloppy_tcp,
        }
        tuned = {key: str(int(flag)) for key, flag in flags.items() if flag is not None}
        if self.dead_peer_seconds is not None:
            tuned[RETRIES2] = str(retries2_for(self.dead_peer_seconds))
        if self.conn_reuse_mode in ("0", "1"):
            tuned[REUSE_MODE] = self.conn_reuse_mode
        return tuned

    @property
    def flow_entries(self) -> dict[str, str]:
        """The sysctl that comes with RPS, where it is asked for and a node has a NIC that gains by it."""
        wanted = self.rps != LEAVE and self.rps_sock_flow_entries
        return {FLOW_ENTRIES: str(self.rps_sock_flow_entries)} if wanted else {}

    def as_dict(self) -> dict[str, Any]:
        lists = {name: list(getattr(self, name)) for name in ("enforce_exclude_ports", "enforce_exclude_cgroups")}
        return {**asdict(self), **lists, "middleboxes": [box.as_dict() for box in self.middleboxes]}


def parse_policy(wishes: object) -> Policy:
    """The policy from a plain mapping of names without ``keepalive_``; None and '' mean unset. Raises PlanError."""
    if not isinstance(wishes, dict):
        raise PlanError(f"policy: {wishes!r} is not a mapping. Write names and values, for example {{lost_probes: 2}}.")
    for name in wishes:
        if name not in OPTIONS:
            raise PlanError(f"keepalive_{name}: not a name of the policy. {nearest(str(name), OPTIONS, 'keepalive_')}")
    given = {
        name: OPTIONS[name].check(f"keepalive_{name}", value)
        for name, value in wishes.items()
        if value not in (None, "")
    }
    policy = Policy(**given)
    _refuse_contradictions(policy)
    return policy


OPTIONS: dict[str, Option] = {each.name: each.metadata["option"] for each in fields(Policy)}
"""The table by name."""

VARIABLES = {
    BE_LIBERAL: "keepalive_be_liberal",
    RETRIES2: "keepalive_dead_peer_seconds",
    REUSE_MODE: "keepalive_conn_reuse_mode",
    EXPIRE_NODEST: "keepalive_expire_nodest_conn",
    EXPIRE_QUIESCENT: "keepalive_expire_quiescent_template",
    SLOPPY_TCP: "keepalive_sloppy_tcp",
    FLOW_ENTRIES: "keepalive_rps_sock_flow_entries",
}
"""The sysctls with a variable of their own, and that variable."""


def _refuse_contradictions(policy: Policy) -> None:
    """What contradicts itself on any node. What contradicts the nodes that there are is refused where it is planned."""
    overrides = [f"keepalive_{name}" for name in ("time", "intvl", "probes") if getattr(policy, name) is not None]
    if policy.profile == "article" and overrides:
        raise PlanError(
            f"keepalive_profile: article is exactly {keepalive_math.ARTICLE}, and {overrides[0]} is set too. Drop one."
        )
    probes = keepalive_math.ARTICLE.probes if policy.profile == "article" else policy.probes
    if probes is not None and probes <= policy.lost_probes:
        name = "keepalive_profile: article has" if policy.profile == "article" else "keepalive_probes:"
        raise PlanError(
            f"{name} {probes} probes, which does not survive {policy.lost_probes} lost ones (keepalive_lost_probes). "
            f"Lower keepalive_lost_probes to {probes - 1} or take more probes."
        )
    if policy.sysctl_file == policy.modules_file:
        raise PlanError(
            f"keepalive_sysctl_file and keepalive_modules_file: both are {policy.sysctl_file}, one file cannot be "
            "both. Name two files."
        )
    for key, value in {**policy.tuned, **policy.flow_entries}.items():
        if policy.sysctls.get(key, value) != value:
            raise PlanError(
                f"keepalive_sysctls: {key} {policy.sysctls[key]} contradicts the value {value} "
                f"({VARIABLES[key]}). Drop one of them."
            )
    for key in BRIDGE_KEYS:
        if policy.bridge_always and policy.sysctls.get(key, "1") != "1":
            raise PlanError(
                f"keepalive_sysctls: {key} {policy.sysctls[key]} contradicts the value 1 "
                f"(keepalive_bridge_nf_call {policy.bridge_nf_call}, keepalive_profile {policy.profile}). "
                "Drop it, or write keepalive_bridge_nf_call: never."
            )
