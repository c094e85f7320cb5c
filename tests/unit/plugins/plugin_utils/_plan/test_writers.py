# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.other_writers import Line
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import Settings
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import (
    ValueAtStart,
    kube_proxy_value,
    kube_proxy_wish,
    later_lines,
    owners_of,
    tuned_remedy,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings._rows_owners import (
    by_release,
    with_keepalived,
    with_kube_router,
    with_tuned,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BE_LIBERAL,
    ESTABLISHED,
    OTHER_FILE,
    OUR_FILE,
    PROBES,
    TIME,
    altered,
    nftables_node,
    plan_one,
    stock_node,
    unprivileged_node,
    with_configured_tcp,
    with_ipvs_tcp,
    with_sysctl,
)

MAX = "net.netfilter.nf_conntrack_max"
REUSE_MODE = "net.ipv4.vs.conn_reuse_mode"


def with_tcp(release):
    return altered(with_configured_tcp(stock_node(), 3600), kube_proxy={"version": release})


@pytest.mark.parametrize(
    ("node", "key", "value"),
    [
        pytest.param(with_configured_tcp(stock_node(), 600), "IPVS tcp", "600", id="an IPVS timeout"),
        pytest.param(stock_node(), "IPVS tcp", None, id="0 leaves it alone"),
        pytest.param(with_configured_tcp(nftables_node(), 600), "IPVS tcp", None, id="not in another mode"),
        pytest.param(stock_node(), "net.ipv4.vs.conntrack", "1", id="always in ipvs mode"),
        pytest.param(stock_node(), "net.ipv4.ip_forward", "1", id="always in ipvs mode, of no module"),
        pytest.param(nftables_node(), "net.ipv4.vs.conntrack", None, id="not in another mode either"),
        pytest.param(altered(stock_node(), kernel="5.4.0"), REUSE_MODE, "0", id="on a kernel below 5.9"),
        pytest.param(stock_node(), REUSE_MODE, None, id="not on a newer kernel"),
        pytest.param(by_release(stock_node(), "v1.34.2", tcp_established=3600), ESTABLISHED, "3600", id="conntrack's"),
        pytest.param(by_release(stock_node(), "v1.34.2", be_liberal=True), BE_LIBERAL, "1", id="a flag"),
        pytest.param(by_release(stock_node(), "v1.34.2", be_liberal=False), BE_LIBERAL, None, id="a flag that is off"),
        pytest.param(stock_node(), TIME, None, id="a key that it never writes"),
        pytest.param(by_release(stock_node(), "v1.35.0", max=2000000), MAX, "2000000", id="before there was a cap"),
        pytest.param(by_release(stock_node(), "v1.36.0", max=2000000), MAX, "1048576", id="at most the cap"),
        pytest.param(by_release(stock_node(), "v1.36.0", max=9, min=2000000), MAX, "2000000", id="min is higher"),
        pytest.param(with_tcp("v1.17.17"), "IPVS tcp", None, id="a release that knows no IPVS timeouts"),
        pytest.param(with_tcp("v1.18.0"), "IPVS tcp", "3600", id="the first that does"),
        pytest.param(with_tcp("what?"), "IPVS tcp", "3600", id="a release that nobody knows"),
    ],
)
def test_what_kube_proxy_writes_at_its_start(node, key, value):
    written = kube_proxy_value(parse_node(node), key)
    assert (written and written.value) == value


@pytest.mark.parametrize(
    ("release", "raises_only"),
    [("v1.35.0", False), ("v1.36.1", None), ("v1.37.0", None), ("v1.38.0", True), ("v1.41.2", True)],
)
def test_which_releases_only_raise_the_maximum(release, raises_only):
    node = parse_node(by_release(stock_node(), release, max=262144))
    assert kube_proxy_value(node, MAX).raises_only is raises_only


@pytest.mark.parametrize(
    ("written", "raises_only", "value", "undoes"),
    [
        ("600", False, "600", False),
        ("600", False, "900", True),
        ("600", True, "900", False),
        ("900", True, "600", True),
        ("600", None, "900", True),
        ("600", True, "many", True),
    ],
)
def test_whether_it_undoes_a_value(written, raises_only, value, undoes):
    assert ValueAtStart(written, "x", raises_only=raises_only).undoes(value) is undoes


def test_who_writes_it_in_words():
    words = [str(ValueAtStart("1", "x", raises_only=each)) for each in (False, True, None)]
    assert words == [
        "kube-proxy at its next start (x)",
        "kube-proxy at its next start (x, where that is higher)",
        "kube-proxy at its next start (x, by some releases only where that is higher)",
    ]


@pytest.mark.parametrize(
    ("key", "value", "wish"),
    [
        (ESTABLISHED, "3600", "tcp_established: 3600"),
        (BE_LIBERAL, "1", "be_liberal: true"),
        (BE_LIBERAL, "0", "be_liberal: false"),
        (MAX, "524288", "max_per_core: 0"),
    ],
)
def test_what_to_ask_of_the_role_kube_proxy(key, value, wish):
    assert kube_proxy_wish(key, value) == wish


@pytest.mark.parametrize(
    ("file", "later"),
    [
        pytest.param("/etc/sysctl.d/z.conf", "/etc/sysctl.d/z.conf:4", id="a later name"),
        pytest.param("/usr/lib/sysctl.d/z.conf", "/usr/lib/sysctl.d/z.conf:4", id="a later name in another folder"),
        pytest.param(OTHER_FILE, None, id="an earlier name"),
        pytest.param(OUR_FILE, None, id="ours"),
    ],
)
def test_files_that_are_read_after_ours(file, later):
    node = parse_node(with_sysctl(stock_node(), TIME, "7200", value="7200", file=file, line=4, in_time=True))
    assert later_lines(node, (TIME, PROBES, "a.b"), OUR_FILE) == ({TIME: later} if later else {})


def test_what_to_do_where_tuned_decides():
    again, once = (parse_node(with_tuned(stock_node(), {TIME: "7200"}, reapplies)) for reapplies in (True, False))
    own = "Set it in a profile of your own that includes ours, and have tuned-adm load that"
    win = "Or let sysctl.d win: reapply_sysctl = 1 in /etc/tuned/tuned-main.conf, then restart TuneD."
    assert tuned_remedy(again, Line("1", "/etc/tuned/a:3"), TIME) == "Change /etc/tuned/a:3."
    assert tuned_remedy(once, Line("1", "/etc/tuned/a:3"), TIME) == f"Change /etc/tuned/a:3. {win}"
    assert tuned_remedy(once, Line("1", "/usr/lib/tuned/a:3"), TIME) == f"{own}. {win}"
    assert tuned_remedy(again, Line("1", "/etc/sysctl.conf:3"), TIME) == (
        "Change or remove /etc/sysctl.conf:3: TuneD applies that file last."
    )


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        pytest.param("net.ipv4.vs.conn_reuse_mode", "it always sets 0", id="the reuse mode, on any kernel"),
        pytest.param("net.ipv4.vs.conntrack", "it always sets 1", id="conntrack"),
        pytest.param("net.ipv4.vs.expire_nodest_conn", "it always sets 1", id="expire_nodest_conn"),
        pytest.param("net.ipv4.vs.expire_quiescent_template", "it always sets 1", id="expire_quiescent_template"),
        pytest.param("IPVS tcp", "--service-tcp-timeout 7200s", id="a timeout of its flags"),
    ],
)
def test_kube_router_is_named_as_the_owner(key, owner):
    node = with_kube_router(with_ipvs_tcp(stock_node(), 8284), tcp=7200)
    sysctls = {"sysctls": {key: 1}} if key.startswith("net.") else {}
    _plan, worker = plan_one(node, **sysctls)
    assert worker["owners"][key] == f"kube-router at its next start ({owner})"


def test_of_a_timeout_without_a_flag_kube_router_is_not_the_owner():
    _plan, worker = plan_one(with_kube_router(with_ipvs_tcp(stock_node(), 8284), udp=60))
    assert worker["owners"]["IPVS tcp"] == "set by hand or by a unit, lost at a reboot"


def test_what_kube_router_sets_at_its_next_start_is_a_limit():
    plan, worker = plan_one(with_kube_router(stock_node(), tcp=300))
    assert plan["limit"] == {"seconds": 300, "name": "IPVS tcp after a kube-router restart", "node": "worker1"}
    assert worker["settings"]["sysctls"][TIME] == "200"


def test_who_decides_each_value():
    node = with_sysctl(with_ipvs_tcp(stock_node(), 600), TIME, "1", value="1", file=OTHER_FILE, line=4, in_time=True)
    settings = Settings(sysctls={"net.ipv4.vs.conntrack": "1", "vm.swappiness": "1"})
    assert owners_of(parse_node(with_keepalived(node, udp=30)), settings) == {
        TIME: f"{OTHER_FILE}:4",
        "net.ipv4.tcp_keepalive_intvl": "kernel default",
        PROBES: "kernel default",
        "net.ipv4.vs.conntrack": "kube-proxy at its next start (it always sets 1 in ipvs mode)",
        "vm.swappiness": "not seen",
        "IPVS tcp": "set by hand or by a unit, lost at a reboot",
        "IPVS tcpfin": "kernel default",
        "IPVS udp": "keepalived at its next start or reload (/etc/keepalived/keepalived.conf:9, udp 30)",
    }


def test_timeouts_that_were_not_read_have_no_owner_and_those_off_the_path_are_left_out():
    assert owners_of(parse_node(unprivileged_node()), Settings())["IPVS tcp"] == "not seen"
    assert not [key for key in owners_of(parse_node(nftables_node()), Settings()) if key.startswith("IPVS")]
