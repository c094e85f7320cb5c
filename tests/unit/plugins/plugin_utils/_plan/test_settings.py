# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    BE_LIBERAL,
    BRIDGE,
    INTVL,
    OTHER_FILE,
    OUR_FILE,
    OURS,
    PROBES,
    TIME,
    bridge_off,
    ipvs_in,
    nftables_node,
    plain_node,
    plan_one,
    quiet_node,
    settings_of,
    stock_node,
    with_configured_tcp,
    with_ipvs_tcp,
    with_keepalive,
    with_module,
    with_sysctl,
    with_tables,
    without_conntrack,
)


def values(time, intvl, probes):
    return {TIME: str(time), INTVL: str(intvl), PROBES: str(probes)}


def by_us(node, *originals):
    """What the node has came from an earlier run; without us it has the kernel's own values, or these."""
    node["ours"] = {"originals": values(*(originals or (7200, 75, 9)))}
    return node


LATER = [
    pytest.param((200, 200, 5), 350, values(200, 11, 9), id="only the interval is lowered"),
    pytest.param((100, 100, 5), 240, values(100, 8, 9), id="the same under another limit"),
    pytest.param((400, 100, 9), 600, values(400, 20, 9), id="the time is lowered"),
    pytest.param((100, 200, 2), 350, values(100, 11, 9), id="more probes are needed"),
    pytest.param((255, 8, 5), 300, values(200, 8, 9), id="the interval stays"),
]


@pytest.mark.parametrize(("present", "limit", "sysctls"), LATER)
@pytest.mark.parametrize("file", [None, OTHER_FILE, OUR_FILE])
def test_nothing_is_made_later_than_it_is(present, limit, sysctls, file):
    wishes = {"middleboxes": [{"name": "box", "seconds": limit}]}
    node = with_keepalive(nftables_node(), present, file=file)
    keys = (TIME, INTVL, PROBES)
    assert {key: settings_of(node, **wishes)["sysctls"][key] for key in keys} == sysctls
    # And it stays so, once it is ours.
    applied = tuple(int(sysctls[key]) for key in keys)
    again = by_us(with_keepalive(nftables_node(), applied, file=OUR_FILE), *present)
    assert {key: settings_of(again, **wishes)["sysctls"][key] for key in keys} == sysctls


def test_the_users_own_values_are_set_though_they_are_later():
    node = with_keepalive(nftables_node(), (100, 100, 5), file=OTHER_FILE)
    wishes = {"middleboxes": ["aws_nlb"], "time": 200}
    assert settings_of(node, **wishes)["sysctls"][TIME] == "200"
    reasons = plan_one(node, **wishes)[1]["reasons"]
    assert reasons[TIME] == "keepalive_time as you set it"


def test_what_is_not_made_later_has_that_as_its_reason():
    node = with_keepalive(nftables_node(), (200, 200, 5), file=OTHER_FILE)
    reasons = plan_one(node, middleboxes=["aws_nlb"])[1]["reasons"]
    assert reasons[TIME] == "nothing is made later than it is: the plan for all nodes is 233/11/9"
    assert reasons[INTVL].startswith("a thirtieth of 350 s")


@pytest.mark.parametrize(
    ("node", "sysctls"),
    [
        pytest.param(nftables_node(), {}, id="safe now and after a reboot without us"),
        pytest.param(
            with_keepalive(stock_node(), (600, 30, 9), file=OTHER_FILE), {}, id="safe by somebody else's file"
        ),
        pytest.param(with_keepalive(stock_node(), (600, 30, 9)), OURS, id="safe now, lost at a reboot"),
        pytest.param(
            with_keepalive(stock_node(), (300, 20, 5), (7200, 75, 9), OTHER_FILE),
            values(300, 20, 5),
            id="safe now, a file undoes it",
        ),
        pytest.param(
            with_keepalive(stock_node(), (7200, 75, 9), (600, 30, 9), OTHER_FILE), OURS, id="a file that nobody applied"
        ),
        pytest.param(
            by_us(with_keepalive(stock_node(), (300, 20, 5), file=OUR_FILE)), OURS, id="safe by our own older file"
        ),
        pytest.param(
            with_keepalive(stock_node(), (300, 20, 5), file=OUR_FILE),
            values(300, 20, 5),
            id="safe by a file of that name that we have not written",
        ),
        pytest.param(
            with_keepalive(stock_node(), (600, 30, 2), file=OTHER_FILE),
            values(600, 30, 3),
            id="too few probes for two lost ones",
        ),
        pytest.param(
            by_us(with_keepalive(nftables_node(), (600, 30, 9), file=OUR_FILE)),
            values(7200, 75, 9),
            id="our file of before a switch to nftables does not stay stale",
        ),
    ],
)
def test_keepalive_is_set_where_the_node_is_not_safe_by_itself(node, sysctls):
    assert settings_of(node)["sysctls"] == sysctls


@pytest.mark.parametrize(
    ("node", "policy", "sysctls"),
    [
        pytest.param(
            with_keepalive(without_conntrack(plain_node()), (600, 30, 9), file=OUR_FILE),
            {},
            OURS,
            id="after a reboot, nothing loaded yet",
        ),
        pytest.param(
            with_keepalive(plain_node(), (600, 30, 9), file=OUR_FILE),
            {},
            OURS,
            id="after a reboot, kube-proxy and its IPVS not there yet",
        ),
        pytest.param(
            with_keepalive(plain_node(), (600, 30, 9), file=OUR_FILE),
            {"middleboxes": ["aws_nlb"]},
            {TIME: "233", INTVL: "11", PROBES: "9"},
            id="but it gives way to an earlier first probe",
        ),
        pytest.param(
            by_us(with_keepalive(plain_node(), (600, 30, 9), file=OUR_FILE)),
            {"time": 1200},
            {TIME: "1200", INTVL: "75", PROBES: "9"},
            id="and to a value of the user",
        ),
        pytest.param(
            with_keepalive(plain_node(), (600, 30, 9), file=OTHER_FILE), {}, {}, id="what is not ours is not repeated"
        ),
    ],
)
def test_what_an_earlier_run_set_stays_while_no_kube_proxy_answers(node, policy, sysctls):
    settings = settings_of(node, **policy)["sysctls"]
    assert {key: value for key, value in settings.items() if key not in BRIDGE} == sysctls


def test_a_keepalive_that_stays_is_explained():
    _plan, node = plan_one(with_keepalive(plain_node(), (600, 30, 9), file=OUR_FILE))
    (note,) = node["notes"]
    assert note == (
        "keepalive 600/30/9 in /etc/sysctl.d/k8s.conf stays: no kube-proxy answers now, so a limit that is not seen "
        "may come back. To start over, run the playbook restore first."
    )
    assert node["reasons"][TIME] == "it stands in /etc/sysctl.d/k8s.conf already and stays"


@pytest.mark.parametrize(
    ("node", "policy", "sysctls"),
    [
        pytest.param(
            nftables_node(), {"time": 300}, {TIME: "300", INTVL: "75", PROBES: "9"}, id="an override on a safe node"
        ),
        pytest.param(
            plain_node(),
            {"profile": "article", "bridge_nf_call": "never"},
            {TIME: "600", INTVL: "30", PROBES: "10"},
            id="the article where nothing forgets",
        ),
    ],
)
def test_what_the_user_set_is_set_everywhere(node, policy, sysctls):
    assert settings_of(node, **policy)["sysctls"] == sysctls


@pytest.mark.parametrize(
    ("node", "policy", "bridge", "modules"),
    [
        pytest.param(stock_node(), {}, (), [], id="auto without br_netfilter"),
        pytest.param(with_module(stock_node(), "br_netfilter", True), {}, BRIDGE, ["br_netfilter"], id="auto, loaded"),
        pytest.param(
            with_module(stock_node(), "br_netfilter", False, "/etc/modules-load.d/k8s.conf"),
            {},
            BRIDGE,
            ["br_netfilter"],
            id="auto, loaded at the next boot",
        ),
        pytest.param(
            with_module(nftables_node(), "br_netfilter", True), {}, (), [], id="auto, and nothing else to set"
        ),
        pytest.param(bridge_off(stock_node(), *BRIDGE), {}, (), [], id="auto, and a file turns both off"),
        pytest.param(
            bridge_off(stock_node(), BRIDGE[0]), {}, BRIDGE[1:], ["br_netfilter"], id="auto, and a file turns one off"
        ),
        pytest.param(
            bridge_off(stock_node(), BRIDGE[1], in_time=False),
            {},
            BRIDGE[:1],
            ["br_netfilter"],
            id="auto, and a file turns one off before its module is there",
        ),
        pytest.param(
            bridge_off(stock_node(), *BRIDGE, file=OUR_FILE), {}, (), [], id="auto, and somebody edited our file"
        ),
        pytest.param(
            bridge_off(stock_node(), *BRIDGE),
            {"bridge_nf_call": "always"},
            BRIDGE,
            ["br_netfilter"],
            id="always, whatever a file says",
        ),
        pytest.param(nftables_node(), {"bridge_nf_call": "always"}, BRIDGE, ["br_netfilter"], id="always"),
        pytest.param(
            with_module(stock_node(), "br_netfilter", True),
            {"profile": "article", "bridge_nf_call": "never"},
            (),
            [],
            id="never, even with the article",
        ),
    ],
)
def test_the_bridge_keys(node, policy, bridge, modules):
    wanted = settings_of(node, **policy)
    assert {key: value for key, value in wanted["sysctls"].items() if key in BRIDGE} == dict.fromkeys(bridge, "1")
    assert wanted["modules"] == modules


def test_a_bridge_key_of_the_user_wins_over_auto():
    node = with_module(stock_node(), "br_netfilter", True)
    wanted = settings_of(node, sysctls={"net/bridge/bridge-nf-call-iptables": 0})["sysctls"]
    assert (wanted[BRIDGE[0]], wanted[BRIDGE[1]]) == ("0", "1")


def test_further_sysctls_bring_their_modules():
    _plan, worker = plan_one(nftables_node(), sysctls={BE_LIBERAL: 1, "net.core.somaxconn": 4096})
    assert worker["settings"]["sysctls"] == {BE_LIBERAL: "1", "net.core.somaxconn": "4096"}
    assert worker["settings"]["modules"] == ["nf_conntrack"]
    assert worker["reasons"] == {
        BE_LIBERAL: "keepalive_sysctls",
        "net.core.somaxconn": "keepalive_sysctls",
        "module nf_conntrack": f"{BE_LIBERAL} needs it",
    }
    assert [change["sentence"] for change in worker["changes"]] == [
        f"module nf_conntrack: loaded, but not at boot becomes loaded now and at boot; {BE_LIBERAL} needs it.",
        f"{BE_LIBERAL}: 0 becomes 1; keepalive_sysctls.",
    ]
    assert worker["notes"] == [
        "net.core.somaxconn is set, but node_info does not read it: whether it differs now is not known."
    ]


@pytest.mark.parametrize(
    ("live", "boot", "what", "before", "why"),
    [
        pytest.param("1", {}, f"{BE_LIBERAL} after a reboot", "0", "keepalive_sysctls", id="no file sets it"),
        pytest.param(
            "1",
            {"value": "1", "file": "/etc/sysctl.conf", "in_time": False},
            f"{BE_LIBERAL} after a reboot",
            "0",
            "keepalive_sysctls",
            id="a file sets it before the module is there",
        ),
        pytest.param(
            "1",
            {"value": "2", "file": "/etc/sysctl.d/z.conf", "line": 3, "in_time": True},
            f"{BE_LIBERAL} after a reboot",
            "2",
            "keepalive_sysctls; /etc/sysctl.d/z.conf:3 decides it now",
            id="a file sets something else",
        ),
        pytest.param(None, {}, BE_LIBERAL, "absent", "keepalive_sysctls", id="the key is not there"),
    ],
)
def test_what_a_reboot_would_undo_is_a_change(live, boot, what, before, why):
    node = with_sysctl(nftables_node(), BE_LIBERAL, live, **boot)
    node = with_module(node, "nf_conntrack", True, "/etc/modules-load.d/k8s.conf")
    (change,) = plan_one(node, sysctls={BE_LIBERAL: 1})[1]["changes"]
    assert (change["what"], change["from"], change["to"], change["why"]) == (what, before, "1", why)


@pytest.mark.parametrize(
    ("at_boot", "before"),
    [
        pytest.param({"tcp": 4000}, [], id="our unit sets it"),
        pytest.param({"tcp": 3000}, ["3000"], id="our unit sets another one"),
        pytest.param({}, ["900"], id="our unit is gone: the kernel's default"),
        pytest.param(None, [], id="no systemd: no unit can set it"),
    ],
)
def test_an_ipvs_timeout_that_a_reboot_would_undo_is_a_change(at_boot, before):
    node = with_module(with_ipvs_tcp(stock_node(), 4000), "ip_vs", True, "/etc/modules-load.d/k8s.conf")
    node["ipvs"]["timeouts_at_boot"] = at_boot
    changes = plan_one(node, ipvs_timeouts={"tcp": 4000})[1]["changes"]
    assert [each["from"] for each in changes if each["what"] == "IPVS tcp after a reboot"] == before
    assert not [each for each in changes if each["what"] == "IPVS tcp"]


@pytest.mark.parametrize(
    ("file", "modules"),
    [
        pytest.param("/etc/modules-load.d/k8s.conf", ["ip_vs", "nf_conntrack"], id="ours: ip_vs stays beside"),
        pytest.param("/etc/modules-load.d/ipvs.conf", ["nf_conntrack"], id="somebody else's: left there"),
    ],
)
def test_a_module_in_our_file_stays_when_ipvs_is_not_on_the_path_any_more(file, modules):
    node = with_module(plain_node(), "ip_vs", True, file)
    assert settings_of(node, sysctls={BE_LIBERAL: 1})["modules"] == modules


def test_modules_in_our_file_alone_are_no_reason_to_do_anything():
    assert settings_of(with_module(plain_node(), "ip_vs", True, "/etc/modules-load.d/k8s.conf"))["modules"] == []


def test_a_keepalive_of_ours_that_is_as_late_as_the_planned_one_gives_way_to_it():
    """570 + 2 x 45 is 660 s, too."""
    node = by_us(with_keepalive(plain_node(), (570, 45, 5), file=OUR_FILE))
    settings = settings_of(node, middleboxes=[{"name": "x", "seconds": 900}])
    assert settings["sysctls"] == OURS


def test_an_ipvs_timeout_that_kube_proxy_sets_at_its_start_is_none_that_a_reboot_would_undo():
    node = with_configured_tcp(with_ipvs_tcp(stock_node(), 4000), 4000)
    node["ipvs"]["timeouts_at_boot"] = {}
    worker = plan_one(node, ipvs_timeouts={"tcp": 4000})[1]
    assert worker["settings"]["ipvs_timeouts_persistent"] is False
    assert not [each for each in worker["changes"] if each["key"] == "IPVS tcp"]


@pytest.mark.parametrize(
    ("loaded", "before", "after_reboot"),
    [(True, "loaded, but not at boot", True), (False, "not loaded", False)],
)
def test_a_module_that_is_loaded_but_not_at_boot_is_a_change_after_a_reboot(loaded, before, after_reboot):
    node = with_module(plain_node(), "nf_conntrack", loaded)
    changes = plan_one(node, sysctls={BE_LIBERAL: 1})[1]["changes"]
    (change,) = [each for each in changes if each["key"] == "module nf_conntrack"]
    assert (change["from"], change["to"], change["after_reboot"]) == (before, "loaded now and at boot", after_reboot)


INSIDE = {"ingress_sbox": {"tcp": 900}}


@pytest.mark.parametrize(
    ("row", "wanted", "change", "to_converge"),
    [
        pytest.param("network namespace ingress_sbox", INSIDE, "3000 becomes 900", True, id="another timeout"),
        pytest.param("network namespace ingress_sbox", {"ingress_sbox": {"tcp": 3000}}, None, False, id="as wanted"),
        pytest.param("network namespace lb_x", INSIDE, None, True, id="not listed, so the node compares"),
        pytest.param("container web (docker)", {"web": {"tcp": 900}}, "3000 becomes 900", True, id="a container"),
        pytest.param("container webs (docker)", {"web": {"tcp": 900}}, None, True, id="a longer name"),
        pytest.param(
            "network namespace lb_x", {"/run/docker/netns/lb_x": {"tcp": 3000}}, None, False, id="the path of a name"
        ),
    ],
)
def test_ipvs_timeouts_in_another_network_namespace(row, wanted, change, to_converge):
    node = with_tables(quiet_node(), ipvs_in(row, 3000))
    node["ours"] = {"sysctls": {}, "modules": {}, "ipvs_timeouts": [], "ipvs_unit": False, "rps": False}
    worker = plan_one(node, namespace_ipvs_timeouts=wanted)[1]
    told = [each["sentence"] for each in worker["changes"] if "IPVS tcp in" in each["key"]]
    assert told == ([f"IPVS tcp in {row}: {change}; keepalive_namespace_ipvs_timeouts."] if change else [])
    assert (worker["settings"]["namespace_ipvs_timeouts"], worker["to_converge"]) == (wanted, to_converge)
