# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import boot
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings import _rows_owners
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OUR_FILE,
    altered,
    nftables_node,
    plain_node,
    quiet_node,
    stock_node,
    with_configured_tcp,
    with_ipvs_tcp,
    with_keepalive,
    with_sysctl,
    with_unit,
)

BE_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"
LATER_FILE = "/etc/sysctl.d/zz-tuned.conf"
IPVS_LIMIT = "900 s (IPVS tcp on worker1)"
APPLY = "Run the playbook kubenode.connections.apply"
BOOT_KEPT = "To keep the value of now, put it into keepalive_sysctls{}. Else set the other one now."
MAX = "net.netfilter.nf_conntrack_max"
LOOSE = "net.netfilter.nf_conntrack_tcp_loose"
CLOSE_WAIT = "net.netfilter.nf_conntrack_tcp_timeout_close_wait"
SLOPPY = "net.ipv4.vs.sloppy_tcp"
RETRIES2 = "net.ipv4.tcp_retries2"
TIME, _INTVL, PROBES = KEEPALIVE_KEYS


def with_file(node, key, live, value):
    """The node with a live value, and a line that sets another one at boot, in time."""
    return with_sysctl(node, key, live, value=value, file="/etc/sysctl.d/x.conf", line=7, in_time=True)


def without_config(node):
    """A kube-proxy whose configuration could not be read."""
    return altered(node, kube_proxy={"conntrack": None, "ipvs_timeouts": None})


def with_written(node, key, live, written, value=None):
    """The node with a line in a file that the kernel refuses, or takes for another value."""
    return with_sysctl(node, key, live, value=value, written=written, file="/etc/sysctl.d/x.conf", line=7, in_time=True)


def udp_stream(kernel, value):
    node = with_sysctl(nftables_node(), "net.netfilter.nf_conntrack_udp_timeout_stream", value)
    return altered(node, kernel=kernel)


RAISED = [
    pytest.param(
        "boot-sysctl-differs",
        udp_stream("5.10.0-46-cloud-amd64", "180"),
        {},
        {
            "observed": "net.netfilter.nf_conntrack_udp_timeout_stream is 180 now and 120 after a reboot: no file "
            "sets it"
        },
        id="180 s on a kernel that begins with 120",
    ),
    pytest.param(
        "boot-value-differs",
        with_written(with_keepalive(quiet_node(), (600, 30, 9), (600, 30, 9), OUR_FILE), TIME, "600", "10m"),
        {},
        {
            "severity": "warning",
            "observed": "keepalive is 600/30/9 now and 7200/30/9 after a reboot: "
            f"/etc/sysctl.d/x.conf:7 sets {TIME} to 10m (which the kernel refuses)",
        },
        id="the kernel refuses the line",
    ),
    pytest.param(
        "boot-value-differs",
        _rows_owners.with_tuned(with_keepalive(quiet_node(), (600, 30, 9)), {TIME: "${x}"}),
        {},
        {
            "severity": "unknown",
            "observed": "keepalive is 600/30/9 now; what it is after a reboot is not known: "
            f"TuneD {_rows_owners.PROFILE}:3 sets {TIME} to something that depends on the machine",
            "remedy": "Write a whole number there.",
        },
        id="nobody can work out what TuneD sets",
    ),
    *_rule_cases.of_room(boot, _rows_owners.RAISED),
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
            "remedy": f"Change or remove {LATER_FILE}:3. It is read after {OUR_FILE}, so it wins.",
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
            "remedy": "Run again as root (-e keepalive_become=true).",
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
            "remedy": "Name nf_conntrack in /etc/modules-load.d/k8s.conf, which is read earlier.",
        },
        id="be_liberal without modules-load.d",
    ),
    pytest.param(
        "boot-module-late",
        with_sysctl(quiet_node(), BE_LIBERAL, "1", value="1", file="/etc/sysctl.conf", line=3),
        {"sysctls": {BE_LIBERAL: 1}},
        {"remedy": f"{APPLY}: it names nf_conntrack in /etc/modules-load.d/k8s.conf, which is read earlier."},
        id="be_liberal, which the plan cures",
    ),
    pytest.param(
        "ipvs-timeout-not-kept",
        with_ipvs_tcp(quiet_node(), 8284),
        {},
        {
            "severity": "warning",
            "limit": "tcp 900 s (the kernel's default)",
            "observed": "IPVS tcp 8284 s, set by hand or by a unit that this collection does not look for",
            "why": "A reboot resets IPVS timeouts: tcp 900 s. The limit is then shorter, and may be too short.",
            "remedy": "Keep it with keepalive_ipvs_timeouts: {tcp: 8284}, unless you know what sets it again at boot.",
        },
        id="raised by hand",
    ),
    pytest.param(
        "ipvs-timeout-not-kept",
        altered(quiet_node(), ipvs={"timeouts": {"tcp": 60, "tcpfin": 30, "udp": 300}}),
        {},
        {
            "severity": "info",
            "limit": "tcp 900 s, tcpfin 120 s (the kernel's default)",
            "observed": "IPVS tcp 60 s, IPVS tcpfin 30 s, set by hand or by a unit that this collection does not look "
            "for",
            "remedy": "Keep it with keepalive_ipvs_timeouts: {tcp: 60, tcpfin: 30}, unless you know what sets it "
            "again at "
            "boot.",
        },
        id="lowered by hand",
    ),
    pytest.param(
        "ipvs-timeout-not-kept",
        altered(quiet_node(), ipvs={"timeouts": {"tcp": 900, "tcpfin": 120, "udp": 30}}),
        {"ipvs_timeouts": {"tcp": 900}},
        {"severity": "info", "limit": "udp 300 s (the kernel's default)"},
        id="udp, of which the plan says nothing",
    ),
    pytest.param(
        "boot-sysctl-differs",
        with_sysctl(with_sysctl(stock_node(), RETRIES2, "8"), SLOPPY, "1"),
        {},
        {
            "severity": "warning",
            "observed": f"{RETRIES2} is 8 now and 15 after a reboot: no file sets it; {SLOPPY} is 1 now and 0 after a "
            "reboot: no file sets it",
            "why": "Somebody set the value by hand, and it lasts until the reboot. Or a unit or program sets it "
            "that this collection does not look for.",
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

NOT_RAISED = [
    pytest.param(
        "boot-sysctl-differs",
        with_written(stock_node(), RETRIES2, "8", "8,"),
        {},
        id="a refused line is said by boot-value-refused",
    ),
    *_rule_cases.of_room(boot, _rows_owners.NOT_RAISED),
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
    *(
        pytest.param("boot-sysctl-differs", udp_stream(kernel, value), {}, id=f"{value} s on {kernel}")
        for kernel, value in (
            ("3.10.0-1160.el7.x86_64", "180"),
            ("4.18.0-553.el8_10.x86_64", "180"),
            ("4.18.0-553.el8_10.x86_64", "120"),
            ("5.10.0-46-cloud-amd64", "120"),
            ("a kernel of our own", "180"),
        )
    ),
    pytest.param("boot-sysctl-differs", with_sysctl(nftables_node(), SLOPPY, "1"), {}, id="IPVS is not on the path"),
    pytest.param(
        "boot-sysctl-differs",
        with_sysctl(stock_node(), RETRIES2, "8"),
        {"dead_peer_seconds": 125},
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
    pytest.param("boot-value-differs", quiet_node(), {}, id="a file keeps it"),
    pytest.param("boot-value-differs", stock_node(), {}, id="unsafe now anyway"),
    pytest.param(
        "boot-module-late",
        with_sysctl(quiet_node(), BE_LIBERAL, "1", value="1", file="/etc/sysctl.conf", in_time=True),
        {},
        id="modules-load.d brings the module in time",
    ),
    pytest.param("boot-module-late", stock_node(), {}, id="no file sets a key of a module"),
    pytest.param("ipvs-timeout-not-kept", stock_node(), {}, id="the kernel's default"),
    pytest.param(
        "ipvs-timeout-not-kept",
        altered(nftables_node(), ipvs={"timeouts": {"tcp": 60, "tcpfin": 9, "udp": 9}}),
        {},
        id="IPVS is not on the path",
    ),
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
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert _rule_cases.finding_of(identity, node, policy) is None


def test_every_rule_of_the_room_is_tested_both_ways():
    ids = {rule.id for rule in boot.RULES}
    assert {row.values[0] for row in RAISED} == {row.values[0] for row in NOT_RAISED} == ids
