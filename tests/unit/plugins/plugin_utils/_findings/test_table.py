# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import table
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import SEVERITIES
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings import (
    _rows_growth,
    _rows_network,
    _rows_owners,
    _rows_pods,
    _rows_rps,
    _rows_tuning,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OUR_FILE,
    altered,
    applied_node,
    nftables_node,
    nodes,
    plain_node,
    quiet_node,
    stock_node,
    unprivileged_node,
    with_configured_tcp,
    with_established,
    with_ipvs_tcp,
    with_keepalive,
    with_pods,
    with_sysctl,
    with_unit,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import row, with_rows

BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
ESTABLISHED = "net.netfilter.nf_conntrack_tcp_timeout_established"
LATER_FILE = "/etc/sysctl.d/zz-tuned.conf"
IPVS_LIMIT = "900 s (IPVS tcp on worker1)"
APPLY = "Run the playbook kubenode.connections.apply"
EDIT = (
    "in kube-proxy's configuration (ConfigMap kube-system/kube-proxy, config.conf), then restart it: "
    "kubectl -n kube-system rollout restart daemonset kube-proxy"
)
ROLE = "The role kubenode.connections.kube_proxy does both: {}, kube_proxy_configmap: true, kube_proxy_rollout: true"
UNTIL_TCP_GIVES_UP = (
    "a connection to an API server that is gone lasts until TCP gives up (924 s with net.ipv4.tcp_retries2 15), "
    "and the node reports nothing meanwhile."
)
WHO_FORWARDS = (
    "Name what forwards Services in keepalive_middleboxes: cilium, calico_ebpf, or {name: ..., seconds: ...}. Where "
    "kube-proxy has only not started yet, run again when it has."
)
DENIED = "kubelet: /proc/1024/environ: Permission denied"
TIMERS = "Open sockets keep their old timer until it fires: restart what cannot wait."


def with_kubelet(**values):
    """A worker of which nothing but its kubelet is to be spoken of."""
    return altered(quiet_node(), kubelet=values)


def finding_of(identity, node, policy):
    """The finding on one node, or on a plan for several."""
    several = node if isinstance(node, tuple) else (node,)
    findings = [each for each in make_plan(nodes(*several), policy)["findings"] if each["id"] == identity]
    assert len(findings) <= 1
    return findings[0] if findings else None


RAISED = [
    *_rows_network.RAISED,
    *_rows_pods.RAISED,
    *_rows_growth.RAISED,
    *_rows_rps.RAISED,
    *_rows_tuning.RAISED,
    *_rows_owners.RAISED,
    pytest.param(
        "keepalive-too-late",
        stock_node(),
        {},
        {
            "severity": "critical",
            "scope": "worker1",
            "limit": IPVS_LIMIT,
            "observed": "keepalive 7200/75/9: 7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond "
            + IPVS_LIMIT,
            "why": "After 900 s without a packet the connection is forgotten and neither end is told. "
            "The next request gets 'Connection reset by peer', or no answer at all.",
            "remedy": f"{APPLY}: it sets 600/30/9. {TIMERS}",
        },
        id="a stock node",
    ),
    pytest.param(
        "keepalive-too-late",
        stock_node(),
        {"strategy": "raise_ipvs"},
        {"severity": "critical", "remedy": f"{APPLY}: it raises the IPVS tcp timeout."},
        id="a stock node, to be cured by IPVS",
    ),
    pytest.param(
        "keepalive-deadly",
        with_keepalive(stock_node(), (600, 30, 0)),
        {},
        {
            "severity": "critical",
            "observed": "keepalive 600/30/0 (time/intvl/probes)",
            "limit": "1",
            "why": "The kernel takes values below 1. With 0 probes it resets a healthy idle connection at its first "
            "timer; "
            "a time or intvl below 1 fires at once, again and again.",
            "remedy": f"{APPLY}.",
        },
        id="no probes",
    ),
    pytest.param(
        "keepalive-deadly",
        with_keepalive(plain_node(), (0, 75, 9)),
        {},
        {"remedy": "Set keepalive_time, keepalive_intvl and keepalive_probes."},
        id="a time of 0 where nothing forgets",
    ),
    pytest.param(
        "pods-keepalive-too-late",
        with_pods(applied_node(), [((7200, 75, 9), 20), ((840, 30, 2), 3)]),
        {},
        {
            "severity": "warning",
            "limit": IPVS_LIMIT,
            "observed": "23 network namespaces besides the node's own (pods): 7200/75/9 in 20, 840/30/2 in 3",
            "why": "Keepalive sysctls belong to a network namespace. The node's own reach hostNetwork processes only, "
            "and the namespace of a new pod starts with the kernel's 7200/75/9.",
            "remedy": "Give pods net.ipv4.tcp_keepalive_time, _intvl and _probes of 600/30/9: in "
            "securityContext.sysctls (safe from Kubernetes 1.29), by CRI-O's default_sysctls or the CNI plugin tuning; "
            "then recreate them. Or, where pods cannot be touched, keepalive_strategy: raise_ipvs.",
        },
        id="pods keep the kernel's values",
    ),
    pytest.param(
        "pods-keepalive-too-late",
        with_pods(nftables_node(), [((7200, 75, 9), 2)]),
        {"middleboxes": ["aws_nlb"]},
        {
            "remedy": "Give pods net.ipv4.tcp_keepalive_time, _intvl and _probes of 233/11/9: in "
            "securityContext.sysctls (safe from Kubernetes 1.29), by CRI-O's default_sysctls or the CNI plugin tuning; "
            "then recreate them.",
        },
        id="pods behind a load balancer, where IPVS cannot help",
    ),
    pytest.param(
        "pods-keepalive-too-late",
        stock_node(),
        {"strategy": "raise_ipvs"},
        {"remedy": f"{APPLY}: it raises the IPVS tcp timeout above all of them."},
        id="pods, to be cured by IPVS",
    ),
    pytest.param(
        "keepalive-few-probes",
        with_keepalive(quiet_node(), (600, 30, 2), file=OUR_FILE),
        {},
        {
            "severity": "warning",
            "observed": "net.ipv4.tcp_keepalive_probes 2, with keepalive_lost_probes 2",
            "limit": "3 (keepalive_lost_probes 2 and one more)",
            "remedy": f"{APPLY}.",
            "why": "After 2 unanswered probes the kernel resets the connection, a healthy one too.",
        },
        id="as many probes as may be lost",
    ),
    pytest.param(
        "keepalive-undecided",
        stock_node(),
        {"profile": "article"},
        {
            "severity": "warning",
            "scope": "plan",
            "limit": IPVS_LIMIT,
            "observed": "keepalive 600/30/10: 600 + 10 x 30 = 900 s, not below 900 s",
            "why": "A healthy connection is kept. A dead peer is given up only after the middle has forgotten the "
            "connection.",
            "remedy": "Use keepalive_profile: derived.",
        },
        id="the article",
    ),
    pytest.param(
        "keepalive-undecided",
        stock_node(),
        {"time": 600, "intvl": 60, "probes": 9},
        {"remedy": "Lower keepalive_time or keepalive_intvl or keepalive_probes."},
        id="the user's values",
    ),
    pytest.param(
        "keepalive-undecided",
        with_keepalive(quiet_node(), (600, 30, 10), file=OUR_FILE),
        {"strategy": "raise_ipvs"},
        {"remedy": "Set keepalive_ipvs_timeouts: {tcp: 901}."},
        id="the values in use, below an IPVS timeout that is just enough",
    ),
    pytest.param(
        "node-keepalive-undecided",
        with_keepalive(quiet_node(), (600, 30, 10), file="/etc/sysctl.d/10-x.conf"),
        {},
        {"severity": "info", "remedy": "Nothing has to be done; fewer probes would decide in time."},
        id="the article's values, by somebody else",
    ),
    pytest.param(
        "boot-value-differs",
        with_keepalive(quiet_node(), (600, 30, 9)),
        {},
        {
            "severity": "warning",
            "limit": IPVS_LIMIT,
            "observed": "keepalive is 600/30/9 now and 7200/75/9 after a reboot: no file sets "
            "net.ipv4.tcp_keepalive_time, no file sets net.ipv4.tcp_keepalive_intvl",
            "why": f"After the reboot: 7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond {IPVS_LIMIT}.",
            "remedy": f"{APPLY}: it writes {OUR_FILE}.",
        },
        id="set by hand",
    ),
    pytest.param(
        "boot-value-differs",
        with_keepalive(quiet_node(), (600, 30, 9), (7200, 30, 9), LATER_FILE),
        {},
        {
            "observed": "keepalive is 600/30/9 now and 7200/30/9 after a reboot: "
            f"{LATER_FILE}:3 sets net.ipv4.tcp_keepalive_time to 7200",
            "remedy": f"Change or remove {LATER_FILE}:3: read after {OUR_FILE}, so it wins.",
        },
        id="a file after ours sets it back",
    ),
    pytest.param(
        "boot-value-differs",
        with_keepalive(quiet_node(), (600, 30, 9)),
        {"strategy": "raise_ipvs"},
        {"remedy": f"{APPLY}: it raises the limit."},
        id="set by hand, to be cured by IPVS",
    ),
    pytest.param(
        "boot-value-differs",
        altered(
            quiet_node(),
            sysctls={
                key: {"state": "present", "value": value}
                for key, value in zip(
                    ("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes"),
                    ("600", "30", "9"),
                    strict=True,
                )
            },
        ),
        {},
        {
            "severity": "unknown",
            "observed": "keepalive is 600/30/9 now; what it is after a reboot could not be read",
            "why": "A value that no file sets is lost at the next boot.",
            "remedy": "Run again as root (become: true).",
        },
        id="boot values missing",
    ),
    pytest.param(
        "boot-module-late",
        with_sysctl(quiet_node(), BE_LIBERAL, "1", value="1", file="/etc/sysctl.conf", line=3),
        {},
        {
            "severity": "warning",
            "observed": f"{BE_LIBERAL} = 1 (/etc/sysctl.conf:3): not applied at boot",
            "why": "nf_conntrack is loaded after systemd-sysctl has run, which skips a missing key without an error.",
            "remedy": "Name nf_conntrack in /etc/modules-load.d/k8s.conf, which is read before.",
        },
        id="be_liberal without modules-load.d",
    ),
    pytest.param(
        "boot-module-late",
        with_sysctl(quiet_node(), BE_LIBERAL, "1", value="1", file="/etc/sysctl.conf", line=3),
        {"sysctls": {BE_LIBERAL: 1}},
        {"remedy": f"{APPLY}: it names nf_conntrack in /etc/modules-load.d/k8s.conf, which is read before."},
        id="be_liberal, which the plan cures",
    ),
    pytest.param(
        "boot-order-differs",
        with_sysctl(
            quiet_node(), "net.ipv4.tcp_retries2", "8", value="8", file="/etc/sysctl.d/a.conf", procps_value="15"
        ),
        {},
        {
            "severity": "info",
            "observed": "net.ipv4.tcp_retries2 8 at boot, 15 by sysctl --system",
            "why": "systemd-sysctl and procps read different files, in a different order.",
            "remedy": "Keep each key in one file only.",
        },
        id="procps reads another file last",
    ),
    pytest.param(
        "boot-lines-unreadable",
        altered(
            quiet_node(), boot_problems=[{"file": "/etc/sysctl.d/x.conf", "line": n, "what": "no ="} for n in range(8)]
        ),
        {},
        {
            "severity": "info",
            "observed": "/etc/sysctl.d/x.conf:0: no =; /etc/sysctl.d/x.conf:1: no =; /etc/sysctl.d/x.conf:2: no =; "
            "/etc/sysctl.d/x.conf:3: no =; /etc/sysctl.d/x.conf:4: no =; /etc/sysctl.d/x.conf:5: no = and 2 more",
            "why": "Such lines are skipped at boot; they may be meant to set something.",
            "remedy": "Correct or remove them.",
        },
        id="lines without an equals sign",
    ),
    pytest.param(
        "ipvs-timeout-not-kept",
        with_ipvs_tcp(quiet_node(), 8284),
        {},
        {
            "severity": "warning",
            "limit": "900 s (the kernel's default)",
            "observed": "IPVS tcp 8284 s, set by hand or by a unit that this collection does not look for",
            "why": "IPVS timeouts are lost at a reboot: then the limit is 900 s, maybe too short.",
            "remedy": "Keep it with keepalive_ipvs_timeouts: {tcp: 8284}, unless you know what sets it again at boot.",
        },
        id="raised by hand",
    ),
    pytest.param(
        "ipvs-owner-kube-proxy",
        with_configured_tcp(quiet_node(), 600),
        {},
        {
            "severity": "warning",
            "observed": "IPVS tcp 900 s against kube-proxy at its next start (ipvs.tcpTimeout 600s)",
            "why": "kube-proxy writes its configured IPVS timeouts at every start; 0s in it would leave them alone.",
            "remedy": f"Set ipvs.tcpTimeout: 900s {EDIT}. {ROLE.format('kube_proxy_ipvs_timeouts: {tcp: 900}')}.",
        },
        id="configured otherwise than in force",
    ),
    pytest.param(
        "ipvs-owner-kube-proxy",
        with_configured_tcp(stock_node(), 900),
        {"strategy": "raise_ipvs"},
        {
            "observed": "IPVS tcp 8284 s against kube-proxy at its next start (ipvs.tcpTimeout 900s)",
            "remedy": f"Set ipvs.tcpTimeout: 8284s {EDIT}. {ROLE.format('kube_proxy_ipvs_timeouts: {tcp: 8284}')}.",
        },
        id="configured otherwise than planned",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        quiet_node(),
        {"sysctls": {ESTABLISHED: 3600, "net.ipv4.vs.conntrack": 0}},
        {
            "severity": "warning",
            "observed": f"{ESTABLISHED} 3600 against kube-proxy at its next start (conntrack.tcpEstablishedTimeout "
            "86400s), net.ipv4.vs.conntrack 0 against kube-proxy at its next start (it always sets 1 in ipvs mode)",
            "why": "kube-proxy writes these sysctls at every start, so the planned value does not stay. This release "
            "writes conntrack's in either direction (v1.23 to v1.28 only raised them).",
            "remedy": f"Change it {EDIT}. {ROLE.format('kube_proxy_conntrack: {tcp_established: 3600}')}. "
            "Or drop it from the keepalive_ variables.",
        },
        id="sysctls that kube-proxy writes",
    ),
    pytest.param(
        "sysctl-owner-file",
        with_keepalive(stock_node(), (7200, 75, 9), (7200, 75, 9), LATER_FILE),
        {},
        {
            "severity": "warning",
            "observed": f"{LATER_FILE}:3 sets net.ipv4.tcp_keepalive_time to 7200 instead of 600; "
            f"{LATER_FILE}:4 sets net.ipv4.tcp_keepalive_intvl to 75 instead of 30",
            "why": f"Files are read in the order of their names; it comes after {OUR_FILE}, so it wins at boot.",
            "remedy": "Change or remove that line, then apply.",
        },
        id="a file after ours",
    ),
    pytest.param(
        "ip-vs-idle",
        altered(nftables_node(), ipvs={"loaded": True}),
        {},
        {
            "severity": "info",
            "observed": "ip_vs is loaded, kube-proxy mode nftables, no virtual service",
            "why": "kube-proxy loads ip_vs in other modes too, to clean up. Its timeouts are not on the path.",
            "remedy": "Nothing has to be done.",
        },
        id="left over in nftables mode",
    ),
    pytest.param(
        "node-not-observed",
        None,
        {},
        {
            "severity": "unknown",
            "scope": "worker1",
            "observed": "the node was not observed",
            "why": "Its limits may be lower than those that were seen, and connections cross it.",
            "remedy": "Make it reachable and run again, or leave it out with --limit.",
        },
        id="unreachable",
    ),
    pytest.param(
        "limit-unknown",
        unprivileged_node(),
        {},
        {
            "severity": "unknown",
            "observed": "IPVS tcp: the kernel refused: Operation not permitted",
            "why": "The true limit may be lower than those that were seen, so nobody can call this node safe.",
            "remedy": "Run as root (become: true).",
        },
        id="not root",
    ),
    pytest.param(
        "limit-unknown",
        altered(quiet_node(), ipvs={"timeouts": None}, root=True),
        {},
        {
            "observed": "IPVS tcp: the timeouts could not be read",
            "remedy": "Run on the node itself: this root lacks rights, as in a container.",
        },
        id="root in a container",
    ),
    pytest.param(
        "keepalive-unreadable",
        with_sysctl(quiet_node(), "net.ipv4.tcp_keepalive_time", None),
        {},
        {
            "severity": "unknown",
            "observed": "net.ipv4.tcp_keepalive_time (absent)",
            "why": "Without the keepalive in force nobody can say whether it is soon enough.",
        },
        id="a key is absent",
    ),
    pytest.param(
        "keepalive-unreadable",
        with_sysctl(quiet_node(), "net.ipv4.tcp_keepalive_time", "soon"),
        {},
        {"observed": "values that are not whole numbers"},
        id="a key is no number",
    ),
    pytest.param(
        "namespaces-not-read",
        unprivileged_node(),
        {},
        {
            "severity": "unknown",
            "observed": "23 network namespaces or processes could not be read: /proc/812/ns/net: Permission denied",
            "why": "Pods have their own keepalive, and the node's own says nothing about it.",
            "remedy": "Run again as root (become: true).",
        },
        id="not root",
    ),
    pytest.param(
        "limit-absurd",
        with_configured_tcp(quiet_node(), 5),
        {},
        {
            "severity": "critical",
            "scope": "worker1",
            "observed": "IPVS tcp after a kube-proxy restart shows 5 s, below 10 s (the shortest idle limit that "
            "keepalive in whole seconds can stay below)",
            "why": "The node is set apart: this limit does not count, and the others are planned without it. Once it "
            "is in force, idle connections are lost.",
            "remedy": "Correct ipvs.tcpTimeout in kube-proxy's configuration.",
        },
        id="kube-proxy would set 5 s",
    ),
    pytest.param(
        "limit-absurd",
        with_ipvs_tcp(with_established(quiet_node(), 3), 9),
        {},
        {
            "severity": "critical",
            "observed": "conntrack established shows 3 s, below 10 s (the shortest idle limit that keepalive in whole "
            "seconds can stay below); IPVS tcp shows 9 s, below 10 s (the shortest idle limit that keepalive in whole "
            "seconds can stay below)",
            "remedy": "Correct net.netfilter.nf_conntrack_tcp_timeout_established on that node. Correct the IPVS tcp "
            "timeout of that node, for example with keepalive_ipvs_timeouts: {tcp: 900}.",
        },
        id="the kernel has 3 s and 9 s",
    ),
    pytest.param(
        "limit-absurd",
        with_ipvs_tcp(quiet_node(), 10**12),
        {},
        {
            "severity": "unknown",
            "observed": "IPVS tcp shows 1000000000000 s, above 21474836 s (the longest timeout that any kernel takes)",
            "why": "The node is set apart: this limit does not count, and the others are planned without it. Nobody "
            "knows the true one.",
        },
        id="longer than any kernel takes",
    ),
    pytest.param(
        "kube-proxy-mode-unknown",
        altered(
            quiet_node(), kube_proxy={"mode": None, "error": "kube-proxy at 127.0.0.1:10249: timed out after 3 s."}
        ),
        {},
        {
            "severity": "unknown",
            "observed": "kube-proxy at 127.0.0.1:10249: timed out after 3 s",
            "why": "Its mode says whether IPVS is on the path, its configuration what it will set again.",
            "remedy": "Give its metrics address in keepalive_kube_proxy_address (metricsBindAddress in its "
            "configuration).",
        },
        id="no answer",
    ),
    pytest.param(
        "kube-proxy-mode-unknown",
        altered(quiet_node(), kube_proxy={"mode": "<html>"}),
        {},
        {"observed": "kube-proxy at 127.0.0.1:10249: its mode is '<html>'"},
        id="nonsense",
    ),
    pytest.param(
        "not-read",
        altered(
            quiet_node(),
            problems=[
                {
                    "id": "ipvs-connections",
                    "what": "/proc/net/ip_vs_conn",
                    "why": "2 lines make no sense",
                    "do": "Report them.",
                }
            ],
        ),
        {},
        {
            "severity": "unknown",
            "observed": "/proc/net/ip_vs_conn: 2 lines make no sense",
            "remedy": "Report them.",
            "why": "What could not be read is not taken for fine.",
        },
        id="a table that makes no sense",
    ),
    pytest.param(
        "not-read",
        altered(
            plain_node(), problems=[{"id": "kube-proxy", "what": "kube-proxy's mode", "why": "nonsense", "do": "Look."}]
        ),
        {},
        {"observed": "kube-proxy's mode: nonsense", "remedy": "Look."},
        id="something else answers at kube-proxy's port",
    ),
    pytest.param(
        "kubelet-check-missing",
        with_kubelet(version="v1.19.4"),
        {},
        {
            "severity": "warning",
            "observed": "kubelet v1.19.4 has no HTTP/2 health check",
            "limit": "1.18.18, 1.19.5 and 1.20.0 are the first that have it",
            "why": f"Without it {UNTIL_TCP_GIVES_UP}",
            "remedy": "Update kubelet. Until then a lower net.ipv4.tcp_retries2 helps, at a price: "
            "see docs/dead-peers.md.",
        },
        id="an old kubelet",
    ),
    pytest.param(
        "kubelet-check-off",
        with_kubelet(disable_http2=True),
        {},
        {
            "severity": "warning",
            "observed": "kubelet's HTTP/2 health check is off: DISABLE_HTTP2 is set in its environment",
            "why": f"Without it {UNTIL_TCP_GIVES_UP}",
            "remedy": "Take DISABLE_HTTP2 out of kubelet's environment and restart it, a few nodes at a time.",
        },
        id="HTTP/2 is off",
    ),
    pytest.param(
        "kubelet-check-off",
        with_kubelet(read_idle_timeout=0, version=None),
        {},
        {
            "observed": "kubelet's HTTP/2 health check is off: HTTP2_READ_IDLE_TIMEOUT_SECONDS is 0 in its environment",
            "remedy": "Run the role kubenode.connections.kubelet_http2 with kubelet_http2_restart: true, "
            "a few nodes at a time.",
        },
        id="0 seconds",
    ),
    pytest.param(
        "kubelet-check-slow",
        with_kubelet(read_idle_timeout=40, ping_timeout=10),
        {},
        {
            "severity": "warning",
            "observed": "kubelet notices after 40 + 10 = 50 s that its API server is gone, not below 50 s",
            "limit": "50 s (default of --node-monitor-grace-period)",
            "why": "Until then it renews no lease. The node becomes NotReady although it and the other API servers "
            "are well.",
            "remedy": "Run the role kubenode.connections.kubelet_http2 with kubelet_http2_read_idle_timeout: 20 and "
            "kubelet_http2_ping_timeout: 10, or raise --node-monitor-grace-period of kube-controller-manager.",
        },
        id="somebody made it slower",
    ),
    pytest.param(
        "kubelet-check-slow",
        with_kubelet(version="v1.31.9"),
        {},
        {
            "severity": "info",
            "observed": "kubelet notices after 30 + 15 = 45 s that its API server is gone, not below 40 s",
        },
        id="the defaults before Kubernetes 1.32",
    ),
    pytest.param(
        "kubelet-not-read",
        altered(
            with_kubelet(disable_http2=None, read_idle_timeout=None, ping_timeout=None, error=DENIED),
            problems=[{"id": "kubelet", "what": "kubelet", "why": DENIED, "do": "Run as root (become: true)."}],
        ),
        {},
        {
            "severity": "unknown",
            "observed": DENIED,
            "why": f"Where kubelet has no HTTP/2 health check, {UNTIL_TCP_GIVES_UP}",
            "remedy": "Run as root (become: true).",
        },
        id="not root",
    ),
    pytest.param(
        "kubelet-not-read",
        {name: value for name, value in quiet_node().items() if name != "kubelet"},
        {},
        {
            "observed": "kubelet's version and environment are not in the data",
            "remedy": "Observe the node again, as root (become: true).",
        },
        id="data of an older node_info",
    ),
    pytest.param(
        "kubelet-not-read",
        with_kubelet(version="v1"),
        {},
        {"observed": "kubelet's version and environment are not in the data"},
        id="a version that makes no sense",
    ),
    pytest.param(
        "kubelet-not-read", with_kubelet(error=DENIED), {}, {"observed": DENIED}, id="an error beside all else"
    ),
]

IN_K3S = {
    "severity": "unknown",
    "remedy": "Look for DISABLE_HTTP2, HTTP2_READ_IDLE_TIMEOUT_SECONDS and HTTP2_PING_TIMEOUT_SECONDS in the "
    "environment of the unit that kubelet runs in, such as k3s or k3s-agent.",
}

BOOT_KEPT = "Where the value of now is to stay, put it into keepalive_sysctls{}. Where not, set the other one now."
MAX = "net.netfilter.nf_conntrack_max"
LOOSE = "net.netfilter.nf_conntrack_tcp_loose"
CLOSE_WAIT = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
SLOPPY = "net.ipv4.vs.sloppy_tcp"
RETRIES2 = "net.ipv4.tcp_retries2"


def with_file(node, key, live, value):
    """The node with a live value, and a line that sets another one at boot, in time."""
    return with_sysctl(node, key, live, value=value, file="/etc/sysctl.d/x.conf", line=7, in_time=True)


def without_config(node):
    """A kube-proxy whose configuration could not be read."""
    return altered(node, kube_proxy={"conntrack": None, "ipvs_timeouts": None})


BOOT_SYSCTLS = [
    pytest.param(
        "boot-sysctl-differs",
        with_sysctl(with_sysctl(stock_node(), RETRIES2, "8"), SLOPPY, "1"),
        {},
        {
            "severity": "warning",
            "observed": f"{RETRIES2} is 8 now and 15 after a reboot: no file sets it; {SLOPPY} is 1 now and 0 after a "
            "reboot: no file sets it",
            "why": "Set by hand it lasts until the reboot; or by a unit or a program that this collection does not "
            "look for.",
            "remedy": BOOT_KEPT.format(""),
        },
        id="set by hand",
    ),
    pytest.param(
        "boot-sysctl-differs",
        with_file(stock_node(), LOOSE, "1", "0"),
        {},
        {
            "observed": f"{LOOSE} is 1 now and 0 after a reboot: /etc/sysctl.d/x.conf:7 sets it",
            "remedy": BOOT_KEPT.format(", or change /etc/sysctl.d/x.conf:7"),
        },
        id="a file that was not applied yet",
    ),
    pytest.param(
        "boot-sysctl-differs",
        with_file(plain_node(), MAX, "262144", "131072"),
        {},
        {"observed": f"{MAX} is 262144 now and 131072 after a reboot: /etc/sysctl.d/x.conf:7 sets it"},
        id="what the kernel works out by memory, where a file decides",
    ),
    pytest.param(
        "boot-sysctl-differs",
        with_file(stock_node(), BE_LIBERAL, "0", "1"),
        {},
        {"observed": f"{BE_LIBERAL} is 0 now and 1 after a reboot: /etc/sysctl.d/x.conf:7 sets it"},
        id="be_liberal the other way round",
    ),
    pytest.param(
        "boot-sysctl-differs",
        _rows_owners.with_conf(with_sysctl(stock_node(), RETRIES2, "8"), {RETRIES2: "15"}),
        {},
        {"observed": f"{RETRIES2} is 8 now and 15 after a reboot: no file sets it"},
        id="a line that nobody reads has the value of the boot",
    ),
    pytest.param(
        "boot-sysctl-differs",
        without_config(with_sysctl(stock_node(), RETRIES2, "8")),
        {},
        {},
        id="what kube-proxy never writes, whatever its configuration",
    ),
]

BOOT_SYSCTLS_KEPT = [
    pytest.param("boot-sysctl-differs", stock_node(), {}, id="what kube-proxy sets in ipvs mode"),
    pytest.param(
        "boot-sysctl-differs", with_sysctl(stock_node(), CLOSE_WAIT, "3600"), {}, id="by kube-proxy's configuration"
    ),
    pytest.param(
        "boot-sysctl-differs",
        without_config(with_sysctl(stock_node(), CLOSE_WAIT, "3600")),
        {},
        id="perhaps by kube-proxy, whose configuration could not be read",
    ),
    pytest.param(
        "boot-sysctl-differs",
        with_file(stock_node(), MAX, "262144", "131072"),
        {},
        id="perhaps by kube-proxy, which did not tell what it comes to",
    ),
    pytest.param(
        "boot-sysctl-differs",
        altered(with_sysctl(stock_node(), SLOPPY, "1"), kube_proxy={"mode": None}),
        {},
        id="kube-proxy's mode is not known",
    ),
    pytest.param("boot-sysctl-differs", with_sysctl(plain_node(), MAX, "262144"), {}, id="the kernel works it out"),
    pytest.param("boot-sysctl-differs", with_sysctl(nftables_node(), SLOPPY, "1"), {}, id="IPVS is not on the path"),
    pytest.param(
        "boot-sysctl-differs",
        with_sysctl(stock_node(), RETRIES2, "8"),
        {"dead_peer_seconds": 103},
        id="the plan sets it",
    ),
    pytest.param("boot-sysctl-differs", with_sysctl(stock_node(), RETRIES2, None), {}, id="it could not be read"),
    pytest.param(
        "boot-sysctl-differs", with_file(with_sysctl(stock_node(), RETRIES2, "8"), RETRIES2, "8", "8"), {}, id="kept"
    ),
    pytest.param(
        "boot-sysctl-differs",
        with_sysctl(stock_node(), LOOSE, "0", value="0", file="/etc/sysctl.d/x.conf", line=7, in_time=False),
        {},
        id="a line that comes too early is said by boot-module-late",
    ),
    pytest.param(
        "boot-sysctl-differs",
        with_sysctl(altered(stock_node(), kube_proxy={"conntrack": {}}), BE_LIBERAL, "1"),
        {},
        id="be_liberal is said by be-liberal-not-kept",
    ),
    pytest.param(
        "boot-sysctl-differs",
        _rows_owners.with_conf(with_sysctl(stock_node(), RETRIES2, "8"), {RETRIES2: "8"}),
        {},
        id="a line that nobody reads is said by sysctl-conf-not-read",
    ),
    pytest.param(
        "boot-sysctl-differs",
        with_keepalive(stock_node(), (600, 30, 9), (7200, 75, 9)),
        {},
        id="the keepalive is said by boot-value-differs",
    ),
]

RAISED += [
    *BOOT_SYSCTLS,
    pytest.param(
        "kubelet-not-read",
        altered(nftables_node(), kubelet=plain_node()["kubelet"]),
        {},
        {
            **IN_K3S,
            "observed": "kubelet's process was not found, but kube-proxy runs",
            "why": "It may be embedded in another, as in K3s. Where kubelet has no HTTP/2 health check, "
            + UNTIL_TCP_GIVES_UP,
        },
        id="K3s: kubelet and kube-proxy in its own process",
    ),
    pytest.param(
        "kubelet-not-read",
        with_rows(plain_node(), row("a/b")),
        {},
        {**IN_K3S, "observed": "kubelet's process was not found, but there are pods"},
        id="K3s without kube-proxy",
    ),
    pytest.param(
        "limit-unknown",
        altered(plain_node(), kubelet=stock_node()["kubelet"]),
        {},
        {
            "severity": "unknown",
            "observed": "the idle limit of Services: kubelet runs, but no kube-proxy, so who forwards them is not "
            "known",
            "remedy": WHO_FORWARDS,
        },
        id="a node of Cilium",
    ),
    pytest.param(
        "limit-unknown",
        altered(plain_node(), kubelet=stock_node()["kubelet"], conntrack={"loaded": None}),
        {},
        {"remedy": f"Run on the node itself: this root lacks rights, as in a container. {WHO_FORWARDS}"},
        id="a node of Cilium, and something that could not be read",
    ),
]

NOT_RAISED = [
    pytest.param(
        "limit-unknown",
        altered(plain_node(), kubelet=stock_node()["kubelet"]),
        {"middleboxes": ["cilium"]},
        id="a node of Cilium that was declared",
    ),
    *BOOT_SYSCTLS_KEPT,
    pytest.param("limit-unknown", plain_node(), {}, id="a machine without Kubernetes"),
    *_rows_network.NOT_RAISED,
    *_rows_pods.NOT_RAISED,
    *_rows_growth.NOT_RAISED,
    *_rows_rps.NOT_RAISED,
    *_rows_tuning.NOT_RAISED,
    *_rows_owners.NOT_RAISED,
    pytest.param("keepalive-too-late", applied_node(), {}, id="soon enough"),
    pytest.param("keepalive-too-late", plain_node(), {}, id="nothing forgets"),
    pytest.param("keepalive-deadly", stock_node(), {}, id="all values are positive"),
    pytest.param("pods-keepalive-too-late", quiet_node(), {}, id="pods are soon enough"),
    pytest.param(
        "pods-keepalive-too-late", with_pods(stock_node(), []), {}, id="no pods, the node itself does not count"
    ),
    pytest.param("keepalive-few-probes", stock_node(), {}, id="nine probes"),
    pytest.param("keepalive-undecided", stock_node(), {}, id="derived values decide in time"),
    pytest.param("node-keepalive-undecided", quiet_node(), {}, id="870 s below 900 s"),
    pytest.param("boot-value-differs", quiet_node(), {}, id="a file keeps it"),
    pytest.param("boot-value-differs", stock_node(), {}, id="unsafe now anyway"),
    pytest.param(
        "boot-module-late",
        with_sysctl(quiet_node(), BE_LIBERAL, "1", value="1", file="/etc/sysctl.conf", in_time=True),
        {},
        id="modules-load.d brings the module in time",
    ),
    pytest.param("boot-module-late", stock_node(), {}, id="no file sets a key of a module"),
    pytest.param("boot-order-differs", stock_node(), {}, id="both leave the same"),
    pytest.param("boot-lines-unreadable", stock_node(), {}, id="every line can be read"),
    pytest.param("ipvs-timeout-not-kept", stock_node(), {}, id="the kernel's default"),
    pytest.param("ipvs-timeout-not-kept", with_ipvs_tcp(quiet_node(), 60), {}, id="lower than the default"),
    pytest.param(
        "ipvs-timeout-not-kept", with_ipvs_tcp(stock_node(), 8284), {"strategy": "raise_ipvs"}, id="the plan keeps it"
    ),
    pytest.param(
        "ipvs-timeout-not-kept",
        with_configured_tcp(with_ipvs_tcp(quiet_node(), 8284), 8284),
        {},
        id="kube-proxy keeps it",
    ),
    pytest.param(
        "ipvs-timeout-not-kept", with_unit(with_ipvs_tcp(stock_node(), 8284), 8284), {}, id="our unit keeps it"
    ),
    pytest.param("ipvs-owner-kube-proxy", stock_node(), {"strategy": "raise_ipvs"}, id="kube-proxy leaves it alone"),
    pytest.param("ipvs-owner-kube-proxy", with_configured_tcp(stock_node(), 900), {}, id="configured as it is"),
    pytest.param("sysctl-owner-kube-proxy", quiet_node(), {"sysctls": {ESTABLISHED: 86400}}, id="the same value"),
    pytest.param("sysctl-owner-kube-proxy", plain_node(), {"sysctls": {ESTABLISHED: 3600}}, id="no kube-proxy"),
    pytest.param(
        "sysctl-owner-kube-proxy", nftables_node(), {"sysctls": {"net.ipv4.vs.conntrack": 0}}, id="nftables mode"
    ),
    pytest.param(
        "sysctl-owner-file",
        with_keepalive(stock_node(), (7200, 75, 9), file="/etc/sysctl.d/10-x.conf"),
        {},
        id="a file before ours",
    ),
    pytest.param("sysctl-owner-file", applied_node(), {}, id="our own file"),
    pytest.param(
        "sysctl-owner-file",
        with_keepalive(stock_node(), (7200, 75, 9), file=OUR_FILE),
        {},
        id="our own file, with older values",
    ),
    pytest.param("ip-vs-idle", stock_node(), {}, id="IPVS is on the path"),
    pytest.param("ip-vs-idle", nftables_node(), {}, id="not loaded"),
    pytest.param("node-not-observed", stock_node(), {}, id="observed"),
    pytest.param("limit-unknown", stock_node(), {}, id="all limits were read"),
    pytest.param("keepalive-unreadable", stock_node(), {}, id="all three were read"),
    pytest.param("namespaces-not-read", stock_node(), {}, id="all were read"),
    pytest.param("limit-absurd", with_ipvs_tcp(quiet_node(), 10), {}, id="the shortest limit there is a plan for"),
    pytest.param("limit-unknown", with_ipvs_tcp(quiet_node(), 9), {}, id="what makes no sense was read"),
    pytest.param("kube-proxy-mode-unknown", stock_node(), {}, id="it said ipvs"),
    pytest.param("kube-proxy-mode-unknown", plain_node(), {}, id="it does not run"),
    pytest.param("not-read", unprivileged_node(), {}, id="other rules say it already"),
    pytest.param(
        "not-read",
        altered(
            with_kubelet(error=DENIED), problems=[{"id": "kubelet", "what": "kubelet", "why": DENIED, "do": "Look."}]
        ),
        {},
        id="the rule on kubelet says it already",
    ),
    pytest.param("kubelet-check-missing", stock_node(), {}, id="a newer kubelet"),
    pytest.param("kubelet-check-missing", with_kubelet(version=None), {}, id="a version that was not read"),
    pytest.param("kubelet-check-missing", plain_node(), {}, id="no kubelet"),
    pytest.param("kubelet-check-off", stock_node(), {}, id="nothing switches it off"),
    pytest.param("kubelet-check-off", plain_node(), {}, id="no kubelet"),
    pytest.param(
        "kubelet-check-off", with_kubelet(version="v1.16.9", disable_http2=True), {}, id="a kubelet that has none"
    ),
    pytest.param("kubelet-check-slow", stock_node(), {}, id="45 s below 50 s"),
    pytest.param("kubelet-check-slow", plain_node(), {}, id="no kubelet"),
    pytest.param(
        "kubelet-check-slow",
        with_kubelet(version="v1.31.9", read_idle_timeout=25, ping_timeout=12),
        {},
        id="37 s below 40 s",
    ),
    pytest.param("kubelet-check-slow", with_kubelet(read_idle_timeout=0, ping_timeout=90), {}, id="off, not slow"),
    pytest.param("kubelet-check-slow", with_kubelet(version=None), {}, id="45 s, and the version was not read"),
    pytest.param("kubelet-not-read", stock_node(), {}, id="all was read"),
    pytest.param("kubelet-not-read", plain_node(), {}, id="no kubelet"),
    pytest.param(
        "kubelet-not-read", with_rows(plain_node(), row("process x (7)", kind="other")), {}, id="namespaces of no pod"
    ),
]


KINDS = ("playbook", "variable")
PLAYBOOK = re.compile(r"\bkubenode\.connections\.(audit|apply|verify|restore)\b")
# What stands in a remedy as NAME: VALUE and is no list of alternatives.
VARIABLE = re.compile(r"\bkeepalive_\w+: (?:\{[^}]*\}|[\w-]+\b(?!, calico_ebpf))")


@pytest.mark.parametrize(("identity", "node", "policy", "_expected"), RAISED)
def test_what_can_be_pasted_of_a_remedy_is_among_its_steps(identity, node, policy, _expected):
    finding = finding_of(identity, node, policy)
    steps = {kind: [step["what"] for step in finding["steps"] if step["kind"] == kind] for kind in KINDS}
    assert steps["playbook"] == list(dict.fromkeys(PLAYBOOK.findall(finding["remedy"])))
    assert steps["variable"] == VARIABLE.findall(finding["remedy"])
    assert all(what in finding["remedy"] for whats in steps.values() for what in whats)


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    finding = finding_of(identity, node, policy)
    assert finding is not None
    assert {key: finding[key] for key in expected} == expected


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert finding_of(identity, node, policy) is None


def test_every_rule_is_tested_both_ways_and_described():
    rules = {rule.id for rule in table.RULES if rule.check_applied is None}
    assert {row.values[0] for row in RAISED} == rules
    assert {row.values[0] for row in NOT_RAISED} == rules
    assert len({rule.id for rule in table.RULES}) == len(table.RULES)
    assert all(rule.description.endswith(".") and rule.severity in SEVERITIES for rule in table.RULES)


def test_of_a_cured_node_there_is_nothing_to_say():
    findings = make_plan(nodes(quiet_node()), {})["findings"]
    assert [finding["id"] for finding in findings] == ["ipvs-mode-deprecated"]


def test_the_top_finding_of_a_stock_node_is_critical():
    findings = make_plan(nodes(nftables_node(), stock_node()), {})["findings"]
    assert (findings[0]["id"], findings[0]["severity"]) == ("keepalive-too-late", "critical")


def test_findings_come_with_the_most_severe_first():
    several = nodes(unprivileged_node(), None, altered(nftables_node(), ipvs={"loaded": True}), stock_node())
    severities = [finding["severity"] for finding in make_plan(several, {"profile": "article"})["findings"]]
    assert severities == sorted(severities, key=SEVERITIES.index)
    assert set(severities) == set(SEVERITIES)
