# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of test__rules_*.py for who else writes a value: kube-proxy by version, keepalived, TuneD, sysctl.conf."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BE_LIBERAL,
    ESTABLISHED,
    OUR_FILE,
    TIME,
    altered,
    applied_node,
    nftables_node,
    plain_node,
    quiet_node,
    stock_node,
    with_ipvs_tcp,
    with_keepalive,
    with_sysctl,
)

APPLY = "Run the playbook kubenode.connections.apply"
MAX = "net.netfilter.nf_conntrack_max"
INTVL = "net.ipv4.tcp_keepalive_intvl"
EDIT = (
    "in kube-proxy's configuration (ConfigMap kube-system/kube-proxy, config.conf), then restart it: "
    "kubectl -n kube-system rollout restart daemonset kube-proxy"
)
ROLE = "The role kubenode.connections.kube_proxy does both: {}, kube_proxy_configmap: true, kube_proxy_rollout: true"
PROFILE = "/etc/tuned/ours/tuned.conf"
FLAGS = "in the arguments of kube-router's container (DaemonSet kube-system/kube-router), which starts it anew"
KEEPALIVED = "/etc/keepalived/keepalived.conf"
CONF = "/etc/sysctl.conf"
NOT_REAPPLIED = "TuneD starts after systemd-sysctl, and reapply_sysctl is 0, so that its profile wins."
OR_REAPPLY = " Or let sysctl.d win: reapply_sysctl = 1 in /etc/tuned/tuned-main.conf, then restart TuneD."


def with_keepalived(node, line=9, **timeouts):
    """The node whose keepalived sets these IPVS timeouts."""
    keepalived = {"file": KEEPALIVED, "line": line, "timeouts": timeouts}
    return altered({"owners": {}, **node}, owners={"keepalived": keepalived})


def with_kube_router(node, **timeouts):
    """The node whose kube-router forwards services, in the place of kube-proxy, with these timeouts in its flags."""
    node = altered({"owners": {}, **node}, owners={"kube_router": {"pid": 7, "timeouts": timeouts}})
    return altered(
        node, kube_proxy={"running": False, "mode": None, "config": None, "ipvs_timeouts": None, "conntrack": None}
    )


def with_tuned(node, sysctls, reapplies=False, file=PROFILE, excluded=()):
    """The node whose TuneD sets these sysctls, each in a line of its own."""
    lines = {key: {"value": value, "file": file, "line": n} for n, (key, value) in enumerate(sysctls.items(), 3)}
    tuned = {"profile": "ours", "reapplies": reapplies, "sysctls": lines, "excluded": list(excluded)}
    return altered({"owners": {}, **node}, owners={"tuned": tuned})


def with_conf(node, sysctls, read_at_boot=False):
    """The node with these lines in /etc/sysctl.conf."""
    lines = {key: {"value": value, "line": n} for n, (key, value) in enumerate(sysctls.items(), 2)}
    return altered({"sysctl_conf": {}, **node}, sysctl_conf={"read_at_boot": read_at_boot, "sysctls": lines})


def by_release(node, version, **conntrack):
    """The node whose kube-proxy is of that release; without one, of a release before 1.29 that tells no version."""
    node = altered(node, kube_proxy={"version": version})
    served = node["kube_proxy"]["conntrack"]
    if version is None or version < "v1.29":
        served.pop("be_liberal")
    served.update(conntrack)
    return node


def applied(node):
    """Our file sets what the plan wants, so that a boot brings it, if nobody else does."""
    return with_keepalive(node, (600, 30, 9), file=OUR_FILE)


RAISED = [
    pytest.param(
        "ipvs-owner-kube-router",
        with_kube_router(quiet_node(), tcp=9000),
        {},
        {
            "severity": "warning",
            "observed": "IPVS tcp 900 s against kube-router at its next start (--service-tcp-timeout 9000s)",
            "remedy": f"Set --service-tcp-timeout=900s {FLAGS}. Or leave the flags out there.",
        },
        id="configured otherwise than in force",
    ),
    pytest.param(
        "ipvs-owner-kube-router",
        with_kube_router(stock_node(), tcp=900, tcpfin=60),
        {"strategy": "raise_ipvs", "ipvs_timeouts": {"tcpfin": 30}},
        {
            "remedy": f"Set --service-tcp-timeout=8284s --service-tcpfin-timeout=30s {FLAGS}. "
            "Or leave the flags out there."
        },
        id="configured otherwise than planned",
    ),
    pytest.param(
        "sysctl-owner-kube-router",
        with_kube_router(quiet_node()),
        {"conn_reuse_mode": "1", "expire_nodest_conn": False},
        {
            "severity": "warning",
            "observed": "net.ipv4.vs.expire_nodest_conn 0 against kube-router at its next start (it always sets 1), "
            "net.ipv4.vs.conn_reuse_mode 1 against kube-router at its next start (it always sets 0)",
            "remedy": "kube-router has no option for it: drop it from the keepalive_ variables.",
        },
        id="two that it always sets",
    ),
    pytest.param(
        "sysctl-owner-kube-router",
        with_kube_router(quiet_node()),
        {"sysctls": {"net.ipv4.vs.conntrack": 0}},
        {"observed": "net.ipv4.vs.conntrack 0 against kube-router at its next start (it always sets 1)"},
        id="one of keepalive_sysctls",
    ),
    pytest.param(
        "conn-reuse-mode-off",
        with_kube_router(with_sysctl(quiet_node(), "net.ipv4.vs.conn_reuse_mode", "0")),
        {},
        {"remedy": "At its start kube-router sets 0 on every kernel, and has no option for it."},
        id="kube-router wants it so",
    ),
    pytest.param(
        "sysctl-owner-tuned",
        with_tuned(stock_node(), {TIME: "300"}, reapplies=True, excluded=[TIME]),
        {},
        {
            "observed": f"TuneD, profile ours: {PROFILE}:3 sets {TIME} to 300 instead of 600",
            "why": "TuneD starts after systemd-sysctl. It then applies /run/sysctl.d, /etc/sysctl.d and "
            "/etc/sysctl.conf again, but not what reapply_sysctl_exclude leaves out, so that its profile wins there.",
            "remedy": f"Change {PROFILE}:3. Or take {TIME} out of reapply_sysctl_exclude in "
            "/etc/tuned/tuned-main.conf, then restart TuneD.",
        },
        id="excluded from what is applied again, though our file sets it",
    ),
    pytest.param(
        "sysctl-owner-tuned",
        with_tuned(applied(stock_node()), {INTVL: "300"}, reapplies=True, excluded=[INTVL]),
        {},
        {"observed": f"TuneD, profile ours: {PROFILE}:3 sets {INTVL} to 300 instead of 30"},
        id="excluded, after an apply",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        by_release(quiet_node(), "v1.31.2"),
        {"sysctls": {ESTABLISHED: 172800}},
        {
            "severity": "warning",
            "observed": f"{ESTABLISHED} 172800 against kube-proxy at its next start (conntrack.tcpEstablishedTimeout "
            "86400s)",
            "why": "kube-proxy writes these sysctls at every start, so the planned value does not stay. v1.31.2 "
            "lowers values of conntrack, too (v1.23 to v1.28 only raise them).",
            "remedy": f"Change it {EDIT}. {ROLE.format('kube_proxy_conntrack: {tcp_established: 172800}')}. "
            "Or drop it from the keepalive_ variables.",
        },
        id="a higher timeout, which a newer kube-proxy lowers",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        by_release(quiet_node(), "v1.27.3"),
        {"sysctls": {ESTABLISHED: 3600}},
        {
            "observed": f"{ESTABLISHED} 3600 against kube-proxy at its next start (conntrack.tcpEstablishedTimeout "
            "86400s, where that is higher)",
            "why": "kube-proxy writes these sysctls at every start, so the planned value does not stay. v1.27.3 "
            "only raises values of conntrack.",
        },
        id="a lower timeout, which an older kube-proxy raises",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        by_release(quiet_node(), None),
        {"sysctls": {ESTABLISHED: 172800}},
        {
            "observed": f"{ESTABLISHED} 172800 against kube-proxy at its next start (conntrack.tcpEstablishedTimeout "
            "86400s, by some releases only where that is higher)",
            "why": "kube-proxy writes these sysctls at every start, so the planned value does not stay. Its "
            "version was not seen: v1.23 to v1.28 only raise values of conntrack, all others lower them "
            "too.",
        },
        id="a higher timeout, and nobody knows the release",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        by_release(quiet_node(), "v1.34.2", be_liberal=True),
        {"be_liberal": False},
        {
            "observed": f"{BE_LIBERAL} 0 against kube-proxy at its next start (conntrack.tcpBeLiberal 1)",
            "remedy": f"Change it {EDIT}. {ROLE.format('kube_proxy_conntrack: {be_liberal: false}')}. "
            "Or drop it from the keepalive_ variables.",
        },
        id="be_liberal, which kube-proxy turns on",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        by_release(quiet_node(), "v1.34.2", max=131072),
        {"sysctls": {MAX: 524288}},
        {
            "observed": f"{MAX} 524288 against kube-proxy at its next start (conntrack.maxPerCore and min give 131072)",
            "remedy": f"Change it {EDIT}. {ROLE.format('kube_proxy_conntrack: {max_per_core: 0}')}. "
            "Or drop it from the keepalive_ variables.",
        },
        id="a larger table, which kube-proxy makes smaller",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        by_release(quiet_node(), "v1.36.0", max=4194304),
        {"sysctls": {MAX: 524288}},
        {
            "observed": f"{MAX} 524288 against kube-proxy at its next start (conntrack.maxPerCore and min give "
            "1048576, by some releases only where that is higher)"
        },
        id="a table of 128 CPUs, capped since 1.36",
    ),
    pytest.param(
        "ipvs-owner-keepalived",
        with_keepalived(quiet_node(), tcp=600),
        {},
        {
            "severity": "warning",
            "observed": f"IPVS tcp 900 s against 600 s by keepalived ({KEEPALIVED}:9)",
            "limit": None,
            "why": "keepalived sets its lvs_timeouts at every start and reload; a timeout that they leave out stays as "
            "it is.",
            "remedy": f"Set tcp 900 in lvs_timeouts ({KEEPALIVED}:9), then systemctl reload keepalived. "
            "Or leave it out there.",
        },
        id="written since it started",
    ),
    pytest.param(
        "ipvs-owner-keepalived",
        with_keepalived(stock_node(), tcp=900, udp=20),
        {"strategy": "raise_ipvs", "ipvs_timeouts": {"udp": 30}},
        {
            "observed": f"IPVS tcp 8284 s against 900 s, IPVS udp 30 s against 20 s by keepalived ({KEEPALIVED}:9)",
            "remedy": f"Set tcp 8284 udp 30 in lvs_timeouts ({KEEPALIVED}:9), then systemctl reload keepalived. "
            "Or leave it out there.",
        },
        id="what is planned",
    ),
    pytest.param(
        "sysctl-owner-tuned",
        with_tuned(stock_node(), {TIME: "300", INTVL: "30"}),
        {},
        {
            "severity": "warning",
            "observed": f"TuneD, profile ours: {PROFILE}:3 sets {TIME} to 300 instead of 600",
            "why": NOT_REAPPLIED,
            "remedy": f"Change {PROFILE}:3.{OR_REAPPLY}",
        },
        id="a profile that wins",
    ),
    pytest.param(
        "sysctl-owner-tuned",
        with_tuned(stock_node(), {TIME: ">1200"}, file="/usr/lib/tuned/ours/tuned.conf"),
        {},
        {
            "observed": f"TuneD, profile ours: /usr/lib/tuned/ours/tuned.conf:3 sets {TIME} to 1200 instead of 600",
            "remedy": "Set it in a profile of your own that includes ours, and have tuned-adm load that." + OR_REAPPLY,
        },
        id="a profile of the vendor's that only raises it",
    ),
    pytest.param(
        "sysctl-owner-tuned",
        with_tuned(stock_node(), {TIME: "${time}"}),
        {},
        {
            "observed": f"TuneD, profile ours: {PROFILE}:3 sets {TIME} to something that depends on the machine "
            "instead of 600"
        },
        id="a variable that nobody knows",
    ),
    pytest.param(
        "sysctl-owner-tuned",
        with_tuned(stock_node(), {TIME: "300"}, reapplies=True),
        {"sysctl_file": "/usr/lib/sysctl.d/k8s.conf"},
        {
            "observed": f"TuneD, profile ours: {PROFILE}:3 sets {TIME} to 300 instead of 600",
            "why": "TuneD starts after systemd-sysctl. It then applies /run/sysctl.d, /etc/sysctl.d and "
            f"{CONF} again, so that /usr/lib/sysctl.d/k8s.conf does not come last.",
            "remedy": f"Change {PROFILE}:3.",
        },
        id="a file of ours that TuneD does not apply again",
    ),
    pytest.param(
        "sysctl-owner-tuned",
        with_conf(with_tuned(stock_node(), {}, reapplies=True), {TIME: "7200"}),
        {},
        {
            "observed": f"TuneD, profile ours: {CONF}:2 sets {TIME} to 7200 instead of 600",
            "why": f"TuneD starts after systemd-sysctl. It then applies /run/sysctl.d, /etc/sysctl.d and {CONF} again, "
            f"so that {OUR_FILE} does not come last.",
            "remedy": f"Change or remove {CONF}:2: TuneD applies that file last.",
        },
        id="sysctl.conf, which TuneD applies last",
    ),
    pytest.param(
        "boot-value-differs",
        with_tuned(applied(stock_node()), {TIME: "1200"}),
        {},
        {
            "observed": f"keepalive is 600/30/9 now and 1200/30/9 after a reboot: TuneD {PROFILE}:3 sets {TIME} to "
            "1200",
            "remedy": f"Change {PROFILE}:3.{OR_REAPPLY}",
        },
        id="TuneD undoes it at boot",
    ),
    pytest.param(
        "be-liberal-not-kept",
        with_tuned(with_sysctl(quiet_node(), BE_LIBERAL, "1", in_time=True), {BE_LIBERAL: "0"}),
        {},
        {"observed": f"{BE_LIBERAL} is 1 now; TuneD {PROFILE}:3 sets it to 0, so it is 0 after a reboot"},
        id="TuneD takes it back",
    ),
    pytest.param(
        "sysctl-conf-not-read",
        with_conf(stock_node(), {TIME: "600", BE_LIBERAL: "1"}),
        {},
        {
            "severity": "warning",
            "observed": f"{CONF}:2 sets {TIME} to 600, a boot to 7200; {CONF}:3 sets {BE_LIBERAL} to 1, a boot to 0",
            "why": f"systemd-sysctl reads sysctl.d only, and nothing there is a link to {CONF} (Debian has none since "
            "13). sysctl -p and sysctl --system read it by hand: then the value lasts until the reboot.",
            "remedy": "Move the lines to a file in /etc/sysctl.d.",
        },
        id="Debian 13",
    ),
    pytest.param(
        "sysctl-conf-not-read",
        with_conf(stock_node(), {TIME: "500"}),
        {},
        {"remedy": f"{APPLY}: it writes {OUR_FILE}. Then remove the lines."},
        id="a key that the plan sets anyway",
    ),
    pytest.param(
        "sysctl-conf-not-read",
        with_conf(plain_node(), {MAX: "9"}),
        {},
        {"observed": f"{CONF}:2 sets {MAX} to 9, a boot to what the kernel chooses"},
        id="a key without a default of its own",
    ),
]

NOT_RAISED = [
    pytest.param("ipvs-owner-kube-router", with_kube_router(quiet_node()), {}, id="no flags"),
    pytest.param("ipvs-owner-kube-router", with_kube_router(quiet_node(), tcp=900), {}, id="as it is"),
    pytest.param("ipvs-owner-kube-router", quiet_node(), {}, id="no kube-router"),
    pytest.param(
        "ipvs-timeout-not-kept",
        with_kube_router(with_ipvs_tcp(stock_node(), 8284), tcp=8284),
        {},
        id="kube-router sets it again",
    ),
    pytest.param("sysctl-owner-kube-router", with_kube_router(stock_node()), {}, id="nothing of its own is planned"),
    pytest.param(
        "sysctl-owner-kube-router",
        with_kube_router(with_sysctl(stock_node(), "net.ipv4.vs.conn_reuse_mode", "0")),
        {"conn_reuse_mode": "auto"},
        id="auto leaves alone what it writes back",
    ),
    pytest.param(
        "boot-sysctl-differs",
        with_kube_router(with_sysctl(stock_node(), "net.ipv4.vs.expire_nodest_conn", "1")),
        {},
        id="kube-router sets it at its start",
    ),
    pytest.param(
        "sysctl-owner-tuned",
        with_tuned(applied(stock_node()), {TIME: "300", INTVL: "30"}, reapplies=True, excluded=[INTVL]),
        {},
        id="excluded with the same value, the other not excluded",
    ),
    pytest.param(
        "sysctl-owner-kube-proxy",
        by_release(quiet_node(), "v1.27.3"),
        {"sysctls": {ESTABLISHED: 172800}},
        id="a higher timeout, which an older kube-proxy leaves alone",
    ),
    pytest.param("ipvs-owner-keepalived", with_keepalived(quiet_node(), tcp=900), {}, id="as it is"),
    pytest.param("ipvs-owner-keepalived", with_keepalived(nftables_node(), tcp=600), {}, id="no IPVS"),
    pytest.param("ipvs-owner-keepalived", quiet_node(), {}, id="no keepalived"),
    pytest.param(
        "ipvs-timeout-not-kept", with_keepalived(with_ipvs_tcp(stock_node(), 8284), tcp=8284), {}, id="by keepalived"
    ),
    pytest.param("sysctl-owner-tuned", with_tuned(stock_node(), {TIME: "600"}), {}, id="the same value"),
    pytest.param("sysctl-owner-tuned", with_tuned(stock_node(), {TIME: "<1200"}), {}, id="only to lower it"),
    pytest.param("sysctl-owner-tuned", with_tuned(stock_node(), {TIME: "300"}, reapplies=True), {}, id="ours wins"),
    pytest.param("sysctl-owner-tuned", with_tuned(stock_node(), {"vm.swappiness": "1"}), {}, id="another key"),
    pytest.param("sysctl-owner-tuned", with_tuned(nftables_node(), {TIME: "300"}), {}, id="nothing is planned"),
    pytest.param("boot-value-differs", with_tuned(applied(stock_node()), {TIME: "300"}), {}, id="TuneD's is safe too"),
    pytest.param(
        "boot-value-differs",
        with_tuned(with_keepalive(quiet_node(), (600, 30, 9)), {TIME: "600", INTVL: "30"}),
        {},
        id="nobody but TuneD sets it",
    ),
    pytest.param("sysctl-conf-not-read", stock_node(), {}, id="no such file"),
    pytest.param(
        "sysctl-conf-not-read", with_conf(stock_node(), {TIME: "600"}, read_at_boot=True), {}, id="it is read"
    ),
    pytest.param("sysctl-conf-not-read", with_conf(applied_node(), {TIME: "600"}), {}, id="a boot gives the same"),
    pytest.param(
        "sysctl-conf-not-read",
        with_conf(with_tuned(stock_node(), {}, reapplies=True), {TIME: "600"}),
        {},
        id="TuneD applies it",
    ),
    pytest.param(
        "boot-order-differs",
        with_conf(with_sysctl(quiet_node(), BE_LIBERAL, "0", procps_value="1"), {BE_LIBERAL: "1"}),
        {},
        id="sysctl-conf-not-read says it already",
    ),
]
