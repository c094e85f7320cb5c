# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of test__rules_*.py for the rules on conntrack, on IPVS and on dead peers."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BE_LIBERAL,
    ESTABLISHED,
    OTHER_FILE,
    OUR_FILE,
    altered,
    applied_node,
    nftables_node,
    plain_node,
    quiet_node,
    stock_node,
    with_counters,
    with_established,
    with_keepalive,
    with_real_servers,
    with_sysctl,
    without_conntrack,
)

RAISE_MAX = (
    "Raise conntrack.maxPerCore in kube-proxy's configuration, which sets the maximum at every start (role "
    "kubenode.connections.kube_proxy, max_per_core in kube_proxy_conntrack)."
)
APPLY = "Run the playbook kubenode.connections.apply"
LOOSE = "net.netfilter.nf_conntrack_tcp_loose"
MAX_RETRANS = "net.netfilter.nf_conntrack_tcp_max_retrans"
CLOSE_WAIT = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
CAP = "net.netfilter.nf_conntrack_tcp_timeout_max_retrans"
REUSE_MODE = "net.ipv4.vs.conn_reuse_mode"
EXPIRE_NODEST = "net.ipv4.vs.expire_nodest_conn"
RETRIES2 = "net.ipv4.tcp_retries2"
FIX = "the fix for its delay (Linux 5.9; 4.19.140, 5.4.59, 5.7.16 have it too)"
NO_MAX_PER_CORE = {"conntrack": {"max_per_core": 0, "tcp_established": 86400}}


def at_boot(node, **boot):
    """be_liberal is 1 now, nf_conntrack comes in time, and this sets it at boot."""
    return with_sysctl(node, BE_LIBERAL, "1", in_time=True, **boot)


def on_kernel(release, mode, conntrack="1", proxy="ipvs"):
    """A worker on that kernel with that conn_reuse_mode."""
    node = altered(quiet_node(), kernel=release, kube_proxy={"mode": proxy})
    return with_sysctl(with_sysctl(node, REUSE_MODE, mode), "net.ipv4.vs.conntrack", conntrack)


UDP = "net.netfilter.nf_conntrack_udp_timeout"


def iptables_node():
    return altered(nftables_node(), kube_proxy={"mode": "iptables"})


def released(version):
    return altered(quiet_node(), kube_proxy={"version": version})


def left(node, *seconds):
    for server, each in zip(node["ipvs"]["draining"], seconds, strict=True):
        server["seconds_left"] = each
    return node


def raising(node):
    return altered(node, kube_proxy={"version": "v1.27.4"})


RAISED = [
    pytest.param(
        "conntrack-invalid",
        with_counters(quiet_node(), {"invalid": 12}, {}, {"invalid": 4}),
        {},
        {
            "severity": "info",
            "observed": "16 packets INVALID since nf_conntrack was loaded (CPU 0: 12, CPU 2: 4), "
            "net.netfilter.nf_conntrack_tcp_be_liberal 0",
            "why": "An INVALID packet passes without NAT. The pod does not know its sender and resets a healthy "
            "connection. The count alone proves nothing: growth between two readings, under load, is what counts.",
            "remedy": "Where it grows, set keepalive_be_liberal: true; then only resets out of the window are INVALID. "
            "The cause is often packet processing that cannot keep up, such as one queue for all packets of a NIC.",
        },
        id="INVALID packets on two CPUs",
    ),
    pytest.param(
        "conntrack-invalid",
        with_counters(quiet_node(), {"invalid": 1}),
        {"sysctls": {BE_LIBERAL: 1}},
        {"remedy": f"{APPLY}: it sets {BE_LIBERAL} to 1."},
        id="INVALID packets, which the plan cures",
    ),
    pytest.param(
        "conntrack-invalid",
        with_counters(quiet_node()),
        {},
        {
            "severity": "unknown",
            "observed": "the counters in /proc/net/stat/nf_conntrack were not seen",
            "remedy": "Compare conntrack -S now and a minute later: growth of invalid is what counts.",
        },
        id="no counters",
    ),
    pytest.param(
        "be-liberal-not-kept",
        at_boot(quiet_node()),
        {},
        {
            "severity": "warning",
            "observed": f"{BE_LIBERAL} is 1 now; no file sets it, so it is 0 after a reboot",
            "why": "Out-of-window packets are INVALID again after the reboot, and the resets come back.",
            "remedy": f"Set keepalive_be_liberal: true. {APPLY}.",
        },
        id="set by hand",
    ),
    pytest.param(
        "be-liberal-not-kept",
        at_boot(quiet_node(), value="0", file="/etc/sysctl.d/x.conf", line=2),
        {"sysctls": {BE_LIBERAL: 1}},
        {
            "observed": f"{BE_LIBERAL} is 1 now; /etc/sysctl.d/x.conf:2 sets it to 0, so it is 0 after a reboot",
            "remedy": f"{APPLY}.",
        },
        id="a file sets 0",
    ),
    pytest.param(
        "conntrack-nearly-full",
        altered(quiet_node(), conntrack={"count": 800, "max": 1000}),
        {},
        {
            "severity": "warning",
            "observed": "800 of 1000 entries, 80 %",
            "limit": "80 % is nearly full, 95 % critical (net.netfilter.nf_conntrack_max)",
            "why": "In a full table new connections are dropped. What nobody has answered yet, and what is being "
            "closed, is thrown out for them; established connections stay.",
            "remedy": f"{RAISE_MAX} First see with conntrack -L who fills it.",
        },
        id="80 %",
    ),
    pytest.param(
        "conntrack-nearly-full",
        altered(quiet_node(), conntrack={"count": 950, "max": 1000}, kube_proxy=NO_MAX_PER_CORE),
        {},
        {
            "severity": "critical",
            "observed": "950 of 1000 entries, 95 %",
            "remedy": "Raise net.netfilter.nf_conntrack_max with keepalive_sysctls (320 bytes of kernel memory an "
            "entry). First see with conntrack -L who fills it.",
        },
        id="95 %, and kube-proxy leaves the maximum alone",
    ),
    pytest.param(
        "conntrack-nearly-full",
        altered(quiet_node(), conntrack={"count": None}),
        {},
        {"severity": "unknown", "observed": "the number of tracked connections, or its maximum, could not be read"},
        id="the count could not be read",
    ),
    pytest.param(
        "conntrack-drops",
        with_counters(quiet_node(), {"drop": 3}, {"early_drop": 5, "insert_failed": 1}),
        {},
        {
            "severity": "warning",
            "observed": "drop 3 (CPU 0: 3), early_drop 5 (CPU 1: 5), insert_failed 1 (CPU 1: 1) "
            "since nf_conntrack was loaded",
            "remedy": RAISE_MAX,
        },
        id="packets dropped",
    ),
    pytest.param(
        "conntrack-drops",
        with_counters(quiet_node(), {"insert_failed": 7}),
        {},
        {
            "severity": "info",
            "observed": "insert_failed 7 (CPU 0: 7) since nf_conntrack was loaded",
            "remedy": "A few are normal. Where DNS is slow, run a DNS cache on each node.",
        },
        id="races only",
    ),
    pytest.param(
        "conntrack-loose-off",
        with_sysctl(quiet_node(), LOOSE, "0", value="0", file=OTHER_FILE, line=4),
        {},
        {
            "severity": "info",
            "observed": f"{LOOSE} 0 ({OTHER_FILE}:4)",
            "remedy": f"If you do not want that, set keepalive_sysctls: {{{LOOSE}: 1}}. In both cases a keepalive "
            "below the limit keeps the connection.",
        },
        id="no picking up",
    ),
    pytest.param(
        "conntrack-established-short",
        with_established(nftables_node(), 3600),
        {},
        {
            "severity": "info",
            "observed": f"{ESTABLISHED} 3600 s (no file sets it)",
            "limit": "7440 s (RFC 5382, REQ-5)",
            "why": "Connections that keep the kernel's keepalive of 7200/75/9, those of pods for example, are "
            "forgotten before their first probe.",
        },
        id="an hour",
    ),
    pytest.param(
        "conntrack-retransmission-cap",
        with_sysctl(with_keepalive(nftables_node(), (600, 280, 9), file=OTHER_FILE), CAP, "300"),
        {"lost_probes": 4},
        {
            "severity": "warning",
            "observed": "keepalive 600/280/9: 280 s, with timer slack 316 s, to the next probe after 4 unanswered; "
            "conntrack then waits 300 s",
            "limit": f"300 s ({CAP})",
            "why": f"After a segment and {MAX_RETRANS} equal ones without an answer conntrack forgets the connection "
            f"after "
            f"{CAP}, however long its established timeout is. Probes are such segments.",
            "remedy": "Lower keepalive_intvl to 266 or less, or keepalive_lost_probes below 4.",
        },
        id="probes too far apart for the cap",
    ),
    pytest.param(
        "conntrack-retransmission-cap",
        with_sysctl(nftables_node(), MAX_RETRANS, "0"),
        {},
        {
            "observed": "keepalive 7200/75/9: 7350 s, with timer slack 8284 s, to the next probe after 0 unanswered; "
            "conntrack then waits 300 s",
            "remedy": f"Set {MAX_RETRANS} back to 3, the kernel's default: 0 puts the cap on every connection.",
        },
        id="a cap on every connection",
    ),
    pytest.param(
        "conntrack-retransmission-cap",
        with_keepalive(nftables_node(), (600, 280, 9), file=OTHER_FILE),
        {},
        {
            "severity": "info",
            "observed": "keepalive 600/280/9: after 600 + 3 x 280 = 1440 s of silence 4 probes are unanswered, the "
            "next comes 280 s later, with timer slack 316 s; conntrack waits 300 s",
            "limit": f"300 s ({CAP})",
            "why": "An outage that swallows 4 probes ends a connection whose other end is well: conntrack then forgets "
            f"it after {CAP}, although keepalive would go on until 3120 s.",
            "remedy": "To survive longer outages, lower keepalive_intvl to 266 or less.",
        },
        id="probes too far apart for the cap, which lost ones alone do not reach",
    ),
    pytest.param(
        "conntrack-retransmission-cap",
        with_sysctl(with_keepalive(nftables_node(), (600, 280, 9), file=OTHER_FILE), MAX_RETRANS, "1"),
        {"lost_probes": 2},
        {
            "severity": "warning",
            "observed": "keepalive 600/280/9: 280 s, with timer slack 316 s, to the next probe after 2 unanswered; "
            "conntrack then waits 300 s",
        },
        id="one repeated segment is enough",
    ),
    pytest.param(
        "conntrack-timeout-not-kept",
        with_established(nftables_node(), 7440),
        {},
        {
            "severity": "warning",
            "observed": f"{ESTABLISHED} 7440 against kube-proxy at its next start (conntrack.tcpEstablishedTimeout "
            "86400s)",
            "remedy": "Set tcp_established: 7440 in kube_proxy_conntrack of the role kubenode.connections.kube_proxy, "
            "or "
            "0 to have kube-proxy leave them alone. Or take the values back.",
        },
        id="established, set by hand",
    ),
    pytest.param(
        "conntrack-timeout-not-kept",
        with_sysctl(
            altered(nftables_node(), conntrack={"timeouts": {"established": 86400, "close_wait": 100}}), UDP, "60"
        ),
        {},
        {"observed": f"{CLOSE_WAIT} 100 against kube-proxy at its next start (conntrack.tcpCloseWaitTimeout 3600s)"},
        id="close_wait; what kube-proxy leaves alone stays",
    ),
    pytest.param(
        "conntrack-close-wait-short",
        altered(nftables_node(), conntrack={"timeouts": {"established": 86400, "close_wait": 60}}),
        {},
        {
            "severity": "info",
            "observed": f"{CLOSE_WAIT} 60 s (no file sets it)",
            "limit": "3600 s (kube-proxy's own default)",
            "why": "A client that closes its half and waits longer than 60 s for the answer never gets it. Keepalive "
            "does not come that soon.",
            "remedy": f"If programs do that, set keepalive_sysctls: {{{CLOSE_WAIT}: 3600}}. kube-proxy at its next "
            "start (conntrack.tcpCloseWaitTimeout 3600s) sets 3600 s.",
        },
        id="the kernel's own, until kube-proxy starts again",
    ),
    pytest.param(
        "conntrack-close-wait-short",
        altered(
            nftables_node(),
            conntrack={"timeouts": {"established": 86400, "close_wait": 60}},
            kube_proxy={"conntrack": {"tcp_close_wait": 0}},
        ),
        {},
        {"remedy": f"If programs do that, set keepalive_sysctls: {{{CLOSE_WAIT}: 3600}}."},
        id="the kernel's own, which kube-proxy leaves alone",
    ),
    pytest.param(
        "conn-reuse-mode-off",
        on_kernel("6.1.0-56-cloud-amd64", "0"),
        {},
        {
            "severity": "warning",
            "observed": f"{REUSE_MODE} 0, kernel 6.1.0-56-cloud-amd64 with {FIX}",
            "why": "A new connection from a port that IPVS still remembers goes to the real server of the old "
            "connection, even to one with weight 0. After a rollout that is a pod that is gone, and the "
            "connection times out.",
            "remedy": "Set keepalive_conn_reuse_mode: auto.",
        },
        id="0 on a kernel that needs no 0",
    ),
    pytest.param(
        "conn-reuse-mode-off",
        on_kernel("5.4.59", "0"),
        {},
        {
            "severity": "warning",
            "remedy": "At its start kube-proxy sets 0 on every kernel from 4.1 to below 5.9. Run a kernel from 5.9 on.",
        },
        id="0 by kube-proxy on a kernel with the backport",
    ),
    pytest.param(
        "conn-reuse-mode-off",
        altered(on_kernel("7.2.12", "0"), kube_proxy={"version": "v1.20.2"}),
        {},
        {
            "severity": "warning",
            "remedy": "At its start this kube-proxy sets 0 on every kernel. Run 1.20.15, 1.21.9, 1.22 or newer.",
        },
        id="0 by an old kube-proxy on a new kernel",
    ),
    pytest.param(
        "conn-reuse-mode-off",
        on_kernel("4.18.0-553.el8.x86_64", "0", proxy="nftables"),
        {},
        {
            "severity": "info",
            "observed": f"{REUSE_MODE} 0, kernel 4.18.0-553.el8.x86_64 whose number does not tell whether it has "
            + FIX,
            "remedy": "Run a kernel with the fix, where 1 costs nothing. With expire_nodest_conn 1 the harm is less.",
        },
        id="0 on a vendor's kernel",
    ),
    pytest.param(
        "conn-reuse-delay",
        on_kernel("5.4.58", "1"),
        {},
        {
            "severity": "warning",
            "observed": f"{REUSE_MODE} 1, net.ipv4.vs.conntrack 1, kernel 5.4.58 without {FIX}",
            "limit": f"f0a5e4d7a594, {FIX}",
            "why": "Without the fix the kernel drops the first SYN from a reused port: that connection takes one "
            "second more.",
            "remedy": "Run a kernel with the fix. Or set keepalive_conn_reuse_mode: 0, which sends such "
            "connections to old real servers.",
        },
        id="1 without the fix",
    ),
    pytest.param(
        "conn-reuse-delay",
        on_kernel("5.4.0-42-generic", "1"),
        {},
        {"severity": "unknown"},
        id="1 on a vendor's kernel",
    ),
    pytest.param(
        "expire-nodest-off",
        with_sysctl(quiet_node(), EXPIRE_NODEST, "0"),
        {},
        {
            "severity": "warning",
            "observed": f"{EXPIRE_NODEST} 0",
            "why": "The packets of a connection whose real server is gone are dropped without an answer, so the client "
            "hangs.",
            "remedy": "kube-proxy sets 1 at its start, so something has set it back: find it. "
            "Set keepalive_expire_nodest_conn: true.",
        },
        id="0 in ipvs mode",
    ),
    pytest.param(
        "expire-nodest-off",
        with_sysctl(altered(quiet_node(), kube_proxy={"running": False, "mode": None}), EXPIRE_NODEST, "0"),
        {"sysctls": {EXPIRE_NODEST: 1}},
        {"remedy": f"{APPLY}."},
        id="0 under keepalived, which the plan cures",
    ),
    pytest.param(
        "real-servers-draining",
        with_real_servers(quiet_node(), "TCP", (0, 2, 1), (0, 0, 3), (1, 5, 5), (0, 0, 0)),
        {},
        {
            "severity": "info",
            "observed": "2 real servers with weight 0 and 6 connections: TCP 10.2.0.1:8080 of 10.96.0.1:443: 2 active, "
            "1 inactive, at most 900 s; TCP 10.2.0.2:8080 of 10.96.0.1:443: 0 active, 3 inactive, at most 120 s",
            "why": "They get no new connections, except from reused ports where conn_reuse_mode is 0. An old "
            "connection ends at most 900 s after its last packet. Each packet begins that time anew, a "
            "keepalive probe too.",
            "remedy": "Wait, or end the connections at the client. For the next time set shorter tcpfin and udp "
            "in keepalive_ipvs_timeouts.",
        },
        id="a rollout",
    ),
    pytest.param(
        "real-servers-draining",
        altered(
            with_real_servers(quiet_node(), "UDP", (0, 0, 4)), ipvs={"timeouts": {"tcp": 60, "tcpfin": 20, "udp": 45}}
        ),
        {},
        {
            "observed": "1 real server with weight 0 and 4 connections: UDP 10.2.0.1:8080 of 10.96.0.1:443: 0 active, "
            "4 inactive, at most 45 s"
        },
        id="datagrams",
    ),
    pytest.param(
        "real-servers-draining",
        left(with_real_servers(quiet_node(), "TCP", (0, 2, 1), (0, 0, 3)), 812, None),
        {},
        {
            "observed": "2 real servers with weight 0 and 6 connections: TCP 10.2.0.1:8080 of 10.96.0.1:443: 2 active, "
            "1 inactive, the last ends in 812 s if nothing is sent; TCP 10.2.0.2:8080 of 10.96.0.1:443: 0 active, 3 "
            "inactive, at most 120 s",
        },
        id="what is left was seen of one of two",
    ),
    pytest.param(
        "real-servers-draining",
        altered(
            with_real_servers(quiet_node(), "TCP", (0, 0, 4)), ipvs={"timeouts": {"tcp": 60, "tcpfin": 20, "udp": 45}}
        ),
        {},
        {
            "observed": "1 real server with weight 0 and 4 connections: TCP 10.2.0.1:8080 of 10.96.0.1:443: 0 active, "
            "4 inactive, at most 120 s"
        },
        id="TIME_WAIT, which nobody can set",
    ),
    pytest.param(
        "real-servers-draining",
        with_real_servers(quiet_node(), "SCTP", (0, 0, 1)),
        {},
        {
            "observed": "1 real server with weight 0 and 1 connection: SCTP 10.2.0.1:8080 of 10.96.0.1:443: 0 active, "
            "1 inactive, at most 61 s"
        },
        id="an association that shuts down",
    ),
    pytest.param(
        "real-servers-draining",
        altered(with_real_servers(quiet_node(), "FWM", (0, 0, 1)), ipvs={"timeouts": None}),
        {},
        {
            "observed": "1 real server with weight 0 and 1 connection: FWM 10.2.0.1:8080 of fwmark 7: 0 active, "
            "1 inactive, at most 300 s"
        },
        id="a service by fwmark, timeouts not read",
    ),
    pytest.param(
        "ipvs-mode-deprecated",
        quiet_node(),
        {},
        {
            "severity": "info",
            "observed": "kube-proxy mode ipvs",
            "why": "Kubernetes warns of ipvs mode since 1.35, makes nftables the default and has ipvs off from 1.40, "
            "and removes it in 1.43 (KEP-5495, KEP-5343).",
            "remedy": "Plan the move to nftables mode (stable since Kubernetes 1.33, needs Linux 5.13). IPVS then "
            "no longer forgets connections: the limit is conntrack established, 86400 s on this node "
            "now. The move ends open connections to Services once. Once all nodes have moved, audit and "
            "apply again: the lowest limit is then 86400 s (conntrack established on worker1), the plan "
            "7200/75/9.",
        },
        id="ipvs mode",
    ),
    pytest.param(
        "ipvs-mode-deprecated",
        altered(without_conntrack(quiet_node()), kernel="5.10.0-46-cloud-amd64"),
        {},
        {
            "remedy": "Plan the move to iptables mode, or to nftables mode with a kernel from 5.13 on (this one "
            "is older). IPVS then no longer forgets connections: the limit is conntrack established, "
            "not seen on this node now. The move ends open connections to Services once. Once all nodes "
            "have moved, audit and apply again: no other limit is seen now."
        },
        id="ipvs mode on an older kernel",
    ),
    pytest.param(
        "ipvs-mode-deprecated",
        altered(with_established(quiet_node(), 200), kube_proxy={"version": "v1.40.1", "conntrack": {}}),
        {"sysctls": {ESTABLISHED: 86400}, "margin": 195},
        {
            "severity": "warning",
            "observed": "kube-proxy v1.40.1, mode ipvs",
            "remedy": "Plan the move to nftables mode (stable since Kubernetes 1.33, needs Linux 5.13). IPVS then "
            "no longer forgets connections: the limit is conntrack established, 200 s on this node now. "
            "The move ends open connections to Services once. Once all nodes have moved, audit and "
            "apply again: the lowest limit is then 200 s (conntrack established on worker1).",
        },
        id="off by default, and a limit below which there is no plan",
    ),
    pytest.param("ipvs-mode-deprecated", released("v1.34.9"), {}, {"severity": "info"}, id="before the warning"),
    pytest.param("ipvs-mode-deprecated", released("v1.36.0"), {}, {"severity": "info"}, id="it warns itself"),
    pytest.param("ipvs-mode-deprecated", released("v1.37.2"), {}, {"severity": "warning"}, id="the gate is there"),
    pytest.param("ipvs-mode-deprecated", released("v1.42.0"), {}, {"severity": "warning"}, id="off by default"),
    pytest.param("ipvs-mode-deprecated", released("v1.43.0"), {}, {"severity": "critical"}, id="removed"),
    pytest.param(
        "iptables-mode",
        (iptables_node(), iptables_node(), plain_node()),
        {},
        {
            "severity": "info",
            "scope": "plan",
            "observed": "kube-proxy mode iptables on 2 nodes: worker1, worker2",
            "why": "nftables becomes kube-proxy's default mode in Kubernetes 1.40 (KEP-5343). Idle connections have "
            "the "
            "same limit in both modes, that of connection tracking (now 86400 s (conntrack established on worker1)), "
            "and a keepalive that holds now holds then.",
        },
        id="no node has another mode",
    ),
    pytest.param(
        "proxy-modes-differ",
        (quiet_node(), nftables_node(), quiet_node()),
        {},
        {
            "severity": "info",
            "scope": "plan",
            "observed": "ipvs on worker1, worker3; nftables on worker2",
            "limit": None,
            "why": "A connection crosses several nodes, so the limit of IPVS counts for all of them until the last one "
            "has moved. Only nodes in ipvs mode need IPVS timeouts; the others get none.",
            "remedy": "Finish the move. Once all nodes have moved, audit and apply again: the lowest limit is "
            "then 86400 s (conntrack established on worker1), the plan 7200/75/9.",
        },
        id="in the middle of a move",
    ),
    pytest.param(
        "ipvs-left-behind",
        altered(quiet_node(), kube_proxy={"mode": "nftables"}),
        {},
        {
            "severity": "warning",
            "observed": "kube-proxy mode nftables, 1 virtual service in IPVS",
            "why": "IPVS still handles connections that were open before, and those to addresses that kube-proxy has "
            "no rules for, with its own idle limit.",
        },
        id="services of before the move",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        on_kernel("5.4.59", "0"),
        {"conn_reuse_mode": 1, "expire_nodest_conn": False},
        {
            "observed": f"{EXPIRE_NODEST} 0 against kube-proxy at its next start (it always sets 1 in ipvs mode), "
            f"{REUSE_MODE} 1 against kube-proxy at its next start (it always sets 0 in ipvs mode on this "
            "kernel)",
            "remedy": "kube-proxy has no option for it: drop it from the keepalive_ variables.",
        },
        id="sysctls that kube-proxy always writes",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        altered(quiet_node(), kube_proxy={"conntrack": {"be_liberal": True}}),
        {"be_liberal": False},
        {"observed": f"{BE_LIBERAL} 0 against kube-proxy at its next start (conntrack.tcpBeLiberal 1)"},
        id="a flag that kube-proxy is configured to write",
    ),
    pytest.param(
        "dead-peer-slow",
        applied_node(),
        {},
        {
            "severity": "info",
            "observed": f"{RETRIES2} 15: a dead peer is given up between 924 and 1054 s (round trips of 10 ms or less) "
            "after data was sent; an idle one after 870 s at the earliest (keepalive 600/30/9)",
            "limit": "300 s (Kubernetes moves pods off an unreachable node then)",
            "why": "Keepalive does not probe while data waits for an answer. HTTP/2 clients without health checks hang "
            "as long.",
            "remedy": "Let clients check: HTTP/2 pings, TCP_USER_TIMEOUT. Or set keepalive_dead_peer_seconds: "
            "125, for processes in the node's own namespace. A shorter outage of the network then ends "
            "connections.",
        },
        id="the kernel's 15",
    ),
    pytest.param(
        "dead-peer-slow",
        stock_node(),
        {"sysctls": {RETRIES2: 8}},
        {"remedy": f"{APPLY}: it sets {RETRIES2} to 8."},
        id="the kernel's 15, which the plan cures",
    ),
]

NOT_RAISED = [
    pytest.param("conntrack-invalid", quiet_node(), {}, id="nothing was INVALID"),
    pytest.param(
        "conntrack-invalid", with_sysctl(with_counters(stock_node(), {"invalid": 9}), BE_LIBERAL, "1"), {}, id="liberal"
    ),
    pytest.param("conntrack-invalid", plain_node(), {}, id="no conntrack"),
    pytest.param("be-liberal-not-kept", quiet_node(), {}, id="0 now"),
    pytest.param(
        "be-liberal-not-kept", at_boot(quiet_node(), value="1", file=OUR_FILE, line=1), {}, id="a file keeps it"
    ),
    pytest.param(
        "be-liberal-not-kept",
        with_sysctl(quiet_node(), BE_LIBERAL, "1", value="1", file="/etc/sysctl.conf", line=3),
        {},
        id="a module that comes late is said by boot-module-late",
    ),
    pytest.param(
        "be-liberal-not-kept",
        altered(at_boot(quiet_node()), kube_proxy={"conntrack": {"be_liberal": True}}),
        {},
        id="kube-proxy sets it",
    ),
    pytest.param("conntrack-nearly-full", altered(quiet_node(), conntrack={"count": 799, "max": 1000}), {}, id="79 %"),
    pytest.param("conntrack-nearly-full", altered(quiet_node(), conntrack={"max": 0}), {}, id="no maximum"),
    pytest.param("conntrack-nearly-full", plain_node(), {}, id="no conntrack"),
    pytest.param("conntrack-drops", quiet_node(), {}, id="nothing was dropped"),
    pytest.param("conntrack-loose-off", quiet_node(), {}, id="the kernel's 1"),
    pytest.param("conntrack-loose-off", with_sysctl(plain_node(), LOOSE, "0"), {}, id="no conntrack"),
    pytest.param("conntrack-established-short", with_established(nftables_node(), 7440), {}, id="as RFC 5382 wants"),
    pytest.param("conntrack-established-short", plain_node(), {}, id="no conntrack"),
    pytest.param("conntrack-retransmission-cap", quiet_node(), {"lost_probes": 5}, id="the next probe comes in 30 s"),
    pytest.param(
        "conntrack-retransmission-cap",
        with_keepalive(nftables_node(), (600, 280, 4), file=OTHER_FILE),
        {"lost_probes": 2},
        id="the fourth one is the last",
    ),
    pytest.param("conntrack-timeout-not-kept", nftables_node(), {}, id="as kube-proxy sets it"),
    pytest.param("conntrack-timeout-not-kept", plain_node(), {}, id="no kube-proxy"),
    pytest.param(
        "conntrack-timeout-not-kept",
        with_established(raising(nftables_node()), 432000),
        {},
        id="a release that only raises, and a higher value",
    ),
    pytest.param(
        "conntrack-timeout-not-kept",
        with_established(nftables_node(), 7440),
        {"sysctls": {ESTABLISHED: 7440}},
        id="a planned one has a finding of its own",
    ),
    pytest.param("conntrack-close-wait-short", nftables_node(), {}, id="as kube-proxy sets it"),
    pytest.param(
        "conntrack-close-wait-short",
        altered(quiet_node(), conntrack={"timeouts": {"established": 86400, "close_wait": 60}}),
        {},
        id="IPVS, which has 60 s of its own",
    ),
    pytest.param("conntrack-close-wait-short", plain_node(), {}, id="no conntrack"),
    pytest.param("conn-reuse-mode-off", on_kernel("6.1.0", "1"), {}, id="1"),
    pytest.param(
        "conn-reuse-mode-off", with_sysctl(nftables_node(), REUSE_MODE, "0"), {}, id="IPVS is not on the path"
    ),
    pytest.param("conn-reuse-delay", on_kernel("5.4.59", "1"), {}, id="with the backport"),
    pytest.param("conn-reuse-delay", on_kernel("5.4.58", "0"), {}, id="0"),
    pytest.param("conn-reuse-delay", on_kernel("5.4.58", "1", conntrack="0"), {}, id="IPVS without conntrack"),
    pytest.param("expire-nodest-off", quiet_node(), {}, id="1, as kube-proxy sets it"),
    pytest.param(
        "expire-nodest-off", with_sysctl(nftables_node(), EXPIRE_NODEST, "0"), {}, id="IPVS is not on the path"
    ),
    pytest.param("real-servers-draining", quiet_node(), {}, id="weight 1"),
    pytest.param("real-servers-draining", with_real_servers(quiet_node(), "TCP", (0, 0, 0)), {}, id="drained"),
    pytest.param("ipvs-mode-deprecated", nftables_node(), {}, id="nftables mode"),
    pytest.param("proxy-modes-differ", (quiet_node(), quiet_node(), plain_node()), {}, id="none has moved"),
    pytest.param("iptables-mode", (iptables_node(), nftables_node()), {}, id="some have moved"),
    pytest.param("iptables-mode", (iptables_node(), quiet_node()), {}, id="some are in ipvs mode"),
    pytest.param("iptables-mode", plain_node(), {}, id="no kube-proxy"),
    pytest.param(
        "proxy-modes-differ",
        (nftables_node(), altered(nftables_node(), kube_proxy={"mode": "iptables"})),
        {},
        id="two modes without IPVS",
    ),
    pytest.param("ipvs-left-behind", nftables_node(), {}, id="no services"),
    pytest.param("ipvs-left-behind", quiet_node(), {}, id="ipvs mode"),
    pytest.param("dead-peer-slow", quiet_node(), {}, id="102.2 s"),
    pytest.param("dead-peer-slow", with_sysctl(stock_node(), RETRIES2, "9"), {}, id="204.6 s"),
    pytest.param("dead-peer-slow", plain_node(), {}, id="no Kubernetes node"),
]
