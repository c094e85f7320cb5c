# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The user's wishes, checked. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils import _ipvs_cells, _keepalive_triple
from ansible_collections.kubenode.connections.plugins.module_utils._keys import canonical
from ansible_collections.kubenode.connections.plugins.plugin_utils import _keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._errors import PlanError, nearest
from ansible_collections.kubenode.connections.plugins.plugin_utils._middleboxes import Middlebox, middleboxes
from ansible_collections.kubenode.connections.plugins.plugin_utils._retransmission import (
    DETECTION_SECONDS,
    RETRIES2,
    retries2_for,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._rps_policy import FLOW_ENTRIES, flow_entries
from ansible_collections.kubenode.connections.plugins.plugin_utils._values import Range, whole_number

BRIDGE_KEYS = ("net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables")
KEEPALIVE_KEYS = _keepalive_triple.KEYS
IPVS_CELLS = _ipvs_cells.CELLS

BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
REUSE_MODE = "net.ipv4.vs.conn_reuse_mode"
EXPIRE_NODEST = "net.ipv4.vs.expire_nodest_conn"
EXPIRE_QUIESCENT = "net.ipv4.vs.expire_quiescent_template"
SLOPPY_TCP = "net.ipv4.vs.sloppy_tcp"

LEAVE, AUTO, ALWAYS = "leave", "auto", "always"

_LOST_PROBES = Range(0, _keepalive.PROBES_RANGE.high - 1, "one less than TCP_KEEPCNT takes", "fewer cannot be lost")
_LONGEST = _ipvs_cells.MAX_SECONDS
IPVS_SECONDS = Range(
    1, _LONGEST, "what every kernel takes for an IPVS timeout, in seconds", "a timeout has at least one second"
)
_MARGIN = Range(0, _LONGEST, "the longest timeout that IPVS has, in seconds", "a margin is never negative")


@dataclass(frozen=True)
class Policy:
    """What the user wants of a plan. Each field is the role variable ``keepalive_<field>``; times are in seconds."""

    profile: str = "derived"
    strategy: str = "lower_keepalive"
    lost_probes: int = 2
    margin: int = 0
    time: int | None = None
    intvl: int | None = None
    probes: int | None = None
    time_ceiling: int = _keepalive.KERNEL_DEFAULT.time
    intvl_ceiling: int = _keepalive.KERNEL_DEFAULT.intvl
    middleboxes: tuple[Middlebox, ...] = ()
    bridge_nf_call: str = "auto"
    be_liberal: bool | None = None
    dead_peer_seconds: int | None = None
    conn_reuse_mode: str = "leave"
    expire_nodest_conn: bool | None = None
    expire_quiescent_template: bool | None = None
    sloppy_tcp: bool | None = None
    rps: str = LEAVE
    rps_exclude_irq_cpus: bool = False
    rps_sock_flow_entries: int = 32768
    sysctls: Mapping[str, str] = field(default_factory=dict)
    ipvs_timeouts: Mapping[str, int] = field(default_factory=dict)
    pods: bool = True
    sysctl_file: str = "/etc/sysctl.d/k8s.conf"
    modules_file: str = "/etc/modules-load.d/k8s.conf"

    @property
    def own_names(self) -> tuple[str, ...]:
        """The variables by which the user set keepalive values, empty when all of them are to be worked out."""
        if self.profile == "article":
            return ("keepalive_profile",)
        return tuple(f"keepalive_{name}" for name in ("time", "intvl", "probes") if getattr(self, name) is not None)

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
        return {**asdict(self), "middleboxes": [box.as_dict() for box in self.middleboxes]}


def parse_policy(wishes: object) -> Policy:
    """The policy from a plain mapping of names without ``keepalive_``; None and '' mean unset. Raises PlanError."""
    if not isinstance(wishes, dict):
        raise PlanError(f"policy: {wishes!r} is not a mapping. Write names and values, for example {{lost_probes: 2}}.")
    for name in wishes:
        if name not in _CHECKS:
            raise PlanError(f"keepalive_{name}: not a name of the policy. {nearest(str(name), _CHECKS, 'keepalive_')}")
    given = {
        name: _CHECKS[name](f"keepalive_{name}", value) for name, value in wishes.items() if value not in (None, "")
    }
    policy = Policy(**given)
    _refuse_contradictions(policy)
    return policy


def _choice(*choices: str) -> Callable[[str, object], str]:
    def check(what: str, value: object) -> str:
        if value not in choices:
            raise PlanError(f"{what}: {value!r} is not one of {', '.join(choices)}. Write one of them.")
        return str(value)

    return check


_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


def _flag(what: str, value: object) -> bool:
    """A bool, or the text of one, for templates give text."""
    flag = value if isinstance(value, bool) else _FLAGS.get(str(value).strip().lower())
    if flag is None:
        raise PlanError(f"{what}: {value!r} is neither true nor false. Write one of them, or null to leave it alone.")
    return flag


def _reuse_mode(what: str, value: object) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return _choice("leave", "auto", "0", "1")(what, text)


def _path(what: str, value: object) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise PlanError(f"{what}: {value!r} is not an absolute path. Write one, for example /etc/sysctl.d/k8s.conf.")
    return value


def _sysctls(what: str, value: object) -> dict[str, str]:
    result: dict[str, str] = {}
    for key, wanted in _mapping(what, value).items():
        if isinstance(wanted, bool) or not isinstance(wanted, (str, int)) or not str(wanted).strip():
            raise PlanError(
                f"{what}: {key} has the value {wanted!r}, neither number nor text. Write what the kernel takes."
            )
        result[canonical(key)] = " ".join(str(wanted).split())
    for key in KEEPALIVE_KEYS:
        if key in result:
            short = key.rpartition("_")[2]
            raise PlanError(
                f"{what}: {key} is planned, not a further key. Write keepalive_{short}: {result[key]} instead."
            )
    return result


def _ipvs_timeouts(what: str, value: object) -> dict[str, int]:
    result: dict[str, int] = {}
    for cell, seconds in _mapping(what, value).items():
        if cell not in IPVS_CELLS:
            raise PlanError(f"{what}: {cell} is not an IPVS timeout. {nearest(cell, IPVS_CELLS)}")
        if whole_number(seconds) == 0:
            raise PlanError(f"{what}: {cell} 0 means 'keep' to the kernel, not a timeout. Leave {cell} out to keep it.")
        result[cell] = IPVS_SECONDS.check(f"{what}: {cell}", seconds)
    return result


def _mapping(what: str, value: object) -> dict[str, object]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise PlanError(f"{what}: {value!r} is not a mapping of names and values. Write one, for example {{}}.")
    return value


_CHECKS: dict[str, Callable[[str, object], Any]] = {
    "profile": _choice("derived", "article"),
    "strategy": _choice("lower_keepalive", "raise_ipvs"),
    "lost_probes": _LOST_PROBES.check,
    "margin": _MARGIN.check,
    "time": _keepalive.TIME_RANGE.check,
    "intvl": _keepalive.INTVL_RANGE.check,
    "probes": _keepalive.PROBES_RANGE.check,
    "time_ceiling": _keepalive.TIME_RANGE.check,
    "intvl_ceiling": _keepalive.INTVL_RANGE.check,
    "middleboxes": lambda _what, value: middleboxes(value),
    "bridge_nf_call": _choice("auto", "always", "never"),
    "be_liberal": _flag,
    "dead_peer_seconds": DETECTION_SECONDS.check,
    "conn_reuse_mode": _reuse_mode,
    "expire_nodest_conn": _flag,
    "expire_quiescent_template": _flag,
    "sloppy_tcp": _flag,
    "rps": _choice(LEAVE, AUTO, ALWAYS),
    "rps_exclude_irq_cpus": _flag,
    "rps_sock_flow_entries": flow_entries,
    "sysctls": _sysctls,
    "ipvs_timeouts": _ipvs_timeouts,
    "pods": _flag,
    "sysctl_file": _path,
    "modules_file": _path,
}


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
            f"keepalive_profile: article is exactly {_keepalive.ARTICLE}, and {overrides[0]} is set too. Drop one."
        )
    probes = _keepalive.ARTICLE.probes if policy.profile == "article" else policy.probes
    if probes is not None and probes <= policy.lost_probes:
        name = "keepalive_profile: article has" if policy.profile == "article" else "keepalive_probes:"
        raise PlanError(
            f"{name} {probes} probes, which does not survive {policy.lost_probes} lost ones (keepalive_lost_probes). "
            f"Lower keepalive_lost_probes to {probes - 1} or take more probes."
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
