# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on IPVS: reused ports, and real servers that go away. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import (
    EXPIRE_NODEST,
    EXPIRE_QUIESCENT,
    REUSE_MODE,
    SLOPPY_TCP,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base import releases
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import leaves_reuse_mode
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, some
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.connection_tables import Draining
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import IPVS_DEFAULTS

from .rule import APPLY, INFO, UNKNOWN, WARNING, Case, Found, Remedy, Rules, one_by_one, remedy, sets, variable

RULES = Rules()

_VS_CONNTRACK = "net.ipv4.vs.conntrack"

# Seconds of the states that nobody can set, of which the longest counts: tcp_timeouts, sctp_timeouts in
# net/netfilter/ipvs/ip_vs_proto_{tcp,sctp}.c. TIME_WAIT, SYN_SENT, LISTEN and SYNACK have 120.
_TCP_FIXED_SECONDS = 120
_SCTP_SECONDS = {True: 900, False: 61}

_UNDONE = "kube-proxy sets 1 at its start, so something has set it back: find it."


@RULES.node("conn-reuse-mode-off", WARNING)
def _reuse_off(case: Case) -> Found | None:
    """conn_reuse_mode is 0: a new connection from a reused port goes to the old real server. Info without the fix."""
    node = case.observed
    if not node.ipvs_on_path or node.number(REUSE_MODE) != 0:
        return None
    delay = releases.reuse_delay(node.kernel)
    return Found(
        tell("{key} 0, {kernel}", key=REUSE_MODE, kernel=_kernel_text(node.kernel, delay)),
        "A new connection from a port that IPVS still remembers goes to the real server of the old connection, even to "
        "one with weight 0. After a rollout that is a pod that is gone, and the connection times out.",
        _reuse_remedy(case, delay),
        severity=None if delay == releases.FIXED else INFO,
    )


@RULES.node("conn-reuse-delay", WARNING)
def _reuse_delay(case: Case) -> Found | None:
    """conn_reuse_mode is on, and the kernel drops the first SYN from a reused port. Unknown for a vendor's kernel."""
    node = case.observed
    mode, delay = node.number(REUSE_MODE), releases.reuse_delay(node.kernel)
    if not node.ipvs_on_path or not mode or node.number(_VS_CONNTRACK) == 0:
        return None
    if delay not in (releases.UNFIXED, releases.UNKNOWN):
        return None
    return Found(
        tell(
            "{key} {mode}, {other} {value}, {kernel}",
            key=REUSE_MODE,
            mode=mode,
            other=_VS_CONNTRACK,
            value=node.number(_VS_CONNTRACK),
            kernel=_kernel_text(node.kernel, delay),
        ),
        "Without the fix the kernel drops the first SYN from a reused port: that connection takes one second more.",
        remedy(
            "Run a kernel with the fix. Or set {off}, which sends such connections to old real servers.",
            off=variable("keepalive_conn_reuse_mode: 0"),
        ),
        "f0a5e4d7a594, the fix for its delay (Linux 5.9; 4.19.140, 5.4.59, 5.7.16 have it too)",
        UNKNOWN if delay == releases.UNKNOWN else None,
    )


@RULES.node("expire-nodest-off", WARNING)
def _expire_nodest(case: Case) -> Found | None:
    """Packets of a connection whose real server was removed vanish instead of ending the connection."""
    if not case.observed.ipvs_on_path or case.observed.number(EXPIRE_NODEST) != 0:
        return None
    return Found(
        f"{EXPIRE_NODEST} 0",
        "The packets of a connection whose real server is gone are dropped without an answer, so the client hangs.",
        one_by_one(
            _UNDONE if case.observed.mode == "ipvs" else "",
            _apply_or_set(EXPIRE_NODEST in case.node.settings.sysctls, "keepalive_expire_nodest_conn: true"),
        ),
    )


@RULES.node("expire-quiescent-off", WARNING)
def _expire_quiescent(case: Case) -> Found | None:
    """There are services with session affinity, and it leads to real servers with weight 0, too."""
    node = case.observed
    if not node.ipvs_on_path or not node.ipvs.persistent or node.number(EXPIRE_QUIESCENT) != 0:
        return None
    wanted = case.node.settings.sysctls.get(EXPIRE_QUIESCENT)
    return Found(
        tell(
            "{key} 0, {services} with session affinity",
            key=EXPIRE_QUIESCENT,
            services=count(node.ipvs.persistent, "virtual service"),
        ),
        "With 0 the next connection of a client goes to its old real server although that has weight 0. The server "
        "never drains, and once it is gone, connections of that client time out.",
        one_by_one(
            _UNDONE if node.mode == "ipvs" else "",
            _apply_or_set(wanted == "1", "keepalive_expire_quiescent_template: true"),
        ),
    )


@RULES.node("sloppy-tcp-on", WARNING)
def _sloppy_tcp(case: Case) -> Found | None:
    """sloppy_tcp is on, and there are services with several real servers among which forgotten connections scatter."""
    node = case.observed
    if not node.ipvs_on_path or not node.ipvs.scattering or (node.number(SLOPPY_TCP) or 0) == 0:
        return None
    return Found(
        tell(
            "{key} {value}, {services} with more than one real server",
            key=SLOPPY_TCP,
            value=node.number(SLOPPY_TCP),
            services=count(node.ipvs.scattering, "virtual service"),
        ),
        "Any packet of a connection that IPVS has forgotten is scheduled like a new one. With two real servers every "
        "second such connection gets the other one, which resets it; and a stray packet makes an entry.",
        remedy("{apply}: it sets 0.", apply=APPLY)
        if case.node.settings.sysctls.get(SLOPPY_TCP) == "0"
        else remedy(
            "Set {off}. A keepalive below the limit keeps the connection itself.",
            off=variable("keepalive_sloppy_tcp: false"),
        ),
    )


@RULES.node("real-servers-draining", INFO)
def _draining(case: Case) -> Found | None:
    """Real servers with weight 0 still have connections."""
    ipvs, draining = case.observed.ipvs, case.observed.ipvs.draining
    if not draining:
        return None
    seconds = max(_longest_seconds(case.observed, each) for each in draining)
    lines = [
        tell(
            "{protocol} {server} of {service}: {active} active, {inactive} inactive, {left}",
            protocol=each.protocol,
            server=each.server,
            service=each.service,
            active=each.active,
            inactive=each.inactive,
            left=_left_text(case.observed, each),
        )
        for each in draining
    ]
    return Found(
        tell(
            "{servers} with weight 0 and {connections}: {lines}",
            servers=count(ipvs.draining_servers, "real server"),
            connections=count(ipvs.draining_connections, "connection"),
            lines=some(lines, "; "),
        ),
        tell(
            "They get no new connections, except from reused ports where conn_reuse_mode is 0. An old connection ends "
            "at most {seconds} s after its last packet. Each packet begins that time anew, a keepalive probe too.",
            seconds=seconds,
        ),
        "Wait, or end the connections at the client. For the next time set shorter tcpfin and udp in "
        "keepalive_ipvs_timeouts.",
    )


def _kernel_text(kernel: str | None, delay: str) -> str:
    if delay == releases.FIXED:
        return tell(
            "kernel {kernel} with the fix for its delay (Linux 5.9; 4.19.140, 5.4.59, 5.7.16 have it too)",
            kernel=kernel,
        )
    if delay == releases.UNFIXED:
        return tell(
            "kernel {kernel} without the fix for its delay (Linux 5.9; 4.19.140, 5.4.59, 5.7.16 have it too)",
            kernel=kernel,
        )
    if delay == releases.WITHOUT:
        return tell(
            "kernel {kernel} older than the sysctl and the fix for its delay (Linux 5.9; 4.19.140, 5.4.59, 5.7.16 have "
            "it too)",
            kernel=kernel,
        )
    return tell(
        "kernel {kernel} whose number does not tell whether it has the fix for its delay (Linux 5.9; 4.19.140, 5.4.59, "
        "5.7.16 have it too)",
        kernel=kernel,
    )


def _apply_or_set(planned: bool, line: str) -> Remedy:
    return remedy("{apply}.", apply=APPLY) if planned else remedy("Set {variable}.", variable=variable(line))


def _reuse_remedy(case: Case, delay: str) -> str | Remedy:
    node = case.observed
    if node.others.kube_router is not None:
        return "At its start kube-router sets 0 on every kernel, and has no option for it."
    if node.mode == "ipvs" and releases.kube_proxy_forces_reuse_off(node.kernel):
        return "At its start kube-proxy sets 0 on every kernel from 4.1 to below 5.9. Run a kernel from 5.9 on."
    if node.mode == "ipvs" and not leaves_reuse_mode(node.kube_proxy.version):
        return "At its start this kube-proxy sets 0 on every kernel. Run 1.20.15, 1.21.9, 1.22 or newer."
    if REUSE_MODE in case.node.settings.sysctls:
        return sets(case, REUSE_MODE)
    if delay == releases.FIXED:
        return remedy("Set {variable}.", variable=variable("keepalive_conn_reuse_mode: auto"))
    return "Run a kernel with the fix, where 1 costs nothing. With expire_nodest_conn 1 the harm is less."


def _left_text(node: Observed, draining: Draining) -> str:
    """How long it takes until the last of its connections is gone if nothing is sent."""
    if draining.seconds_left is not None:
        return tell("the last ends in {seconds} s if nothing is sent", seconds=draining.seconds_left)
    return tell("at most {seconds} s", seconds=_longest_seconds(node, draining))


def _longest_seconds(node: Observed, draining: Draining) -> int:
    """The longest that a connection of it lasts after its last packet, by the timeouts of the states it may be in.

    An active TCP or SCTP connection is ESTABLISHED, every other one is counted as inactive (set_tcp_state in
    net/netfilter/ipvs/ip_vs_proto_tcp.c). A service by fwmark may have any protocol.
    """
    timeouts = node.ipvs.timeouts or IPVS_DEFAULTS
    active = draining.active > 0
    tcp = timeouts["tcp"] if active else 0
    by_protocol = {
        "TCP": max(tcp, timeouts["tcpfin"] if draining.inactive else 0, _TCP_FIXED_SECONDS if draining.inactive else 0),
        "UDP": timeouts["udp"],
        "SCTP": _SCTP_SECONDS[active],
    }
    return by_protocol.get(draining.protocol) or max(by_protocol.values())
