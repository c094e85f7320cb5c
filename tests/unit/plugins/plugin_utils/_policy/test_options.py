# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubenode.connections.plugins.filter import plan as plan_filter
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_timeouts
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.variables import OBSERVATION
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.checks import IPVS_SECONDS
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import Middlebox
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import OPTIONS, Policy, parse_policy

FAR = "Write a whole number from 0 to 126."


def test_nothing_given_is_the_default_policy():
    assert parse_policy({}) == Policy()


def test_unset_values_take_their_defaults():
    assert parse_policy({"time": None, "margin": "", "middleboxes": None, "lost_probes": 3}) == Policy(lost_probes=3)


def test_text_of_numbers_is_taken_for_numbers_because_templates_give_text():
    assert parse_policy({"time": "300", "lost_probes": " 1 "}) == Policy(time=300, lost_probes=1)


@pytest.mark.parametrize(
    ("wishes", "tuned"),
    [
        pytest.param({}, {}, id="nothing by default"),
        pytest.param({"be_liberal": True}, {"net.netfilter.nf_conntrack_tcp_be_liberal": "1"}, id="a flag"),
        pytest.param({"be_liberal": "No"}, {"net.netfilter.nf_conntrack_tcp_be_liberal": "0"}, id="text of a flag"),
        pytest.param({"be_liberal": None}, {}, id="null leaves it alone"),
        pytest.param({"dead_peer_seconds": "121"}, {"net.ipv4.tcp_retries2": "8"}, id="a time"),
        pytest.param({"conn_reuse_mode": 0}, {"net.ipv4.vs.conn_reuse_mode": "0"}, id="a number for a mode"),
        pytest.param({"conn_reuse_mode": "auto"}, {}, id="auto depends on the node"),
        pytest.param({"expire_nodest_conn": True}, {"net.ipv4.vs.expire_nodest_conn": "1"}, id="another flag"),
        pytest.param(
            {"expire_quiescent_template": True, "sloppy_tcp": False},
            {"net.ipv4.vs.expire_quiescent_template": "1", "net.ipv4.vs.sloppy_tcp": "0"},
            id="two more",
        ),
    ],
)
def test_the_sysctls_with_a_variable_of_their_own(wishes, tuned):
    policy = parse_policy(wishes)
    assert policy.tuned == tuned
    assert parse_policy(policy.as_dict()) == policy


def test_every_field_is_checked():
    assert list(OPTIONS) == [field.name for field in fields(Policy)]
    assert all(callable(option.check) and option.about.endswith(".") for option in OPTIONS.values())


ROLE = Path(__file__).resolve().parents[5] / "roles" / "keepalive"


def in_role(name):
    return yaml.safe_load((ROLE / name).read_text(encoding="utf-8"))


def filter_options():
    return yaml.safe_load(plan_filter.DOCUMENTATION)["options"]["policy"]["suboptions"]


@pytest.mark.parametrize("name", OPTIONS)
def test_the_role_takes_each_option_with_its_type_its_choices_and_its_default(name):
    option, default = OPTIONS[name], Policy().as_dict()[name]
    for spec in in_role("meta/argument_specs.yml")["argument_specs"].values():
        documented = spec.get("options", {}).get(f"keepalive_{name}")
        if documented is not None:
            assert documented["type"] == option.type
            assert documented.get("default") == default
            assert documented.get("choices") == (list(option.choices) if option.choices else None)
    assert in_role("defaults/main.yml")[f"keepalive_{name}"] == default


PER_NODE = [name for name, option in OPTIONS.items() if option.per_node]


def test_the_role_documents_which_variables_may_differ_between_nodes():
    spec = in_role("meta/argument_specs.yml")["argument_specs"]["main"]
    (said,) = [text for text in spec["description"] if "O(" in text]
    assert re.findall(r"O\(keepalive_(\w+)\)", said) == [*PER_NODE, *OBSERVATION]


def test_the_filter_documents_which_options_may_differ_between_nodes_of_the_role():
    policy = yaml.safe_load(plan_filter.DOCUMENTATION)["options"]["policy"]
    (said,) = [text for text in policy["description"] if "O(" in text]
    assert re.findall(r"O\(policy\.(\w+)\)", said) == PER_NODE


def test_the_page_on_fleets_documents_which_variables_may_differ_between_nodes():
    page = (ROLE.parents[1] / "docs" / "fleets.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^\| may differ \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", page, re.MULTILINE)
    assert sorted(re.findall(r"`keepalive_(\w+)`", table)) == sorted([*PER_NODE, *OBSERVATION])


@pytest.mark.parametrize("name", OPTIONS)
def test_the_filter_documents_each_option_as_the_table_says_it(name):
    option, documented = OPTIONS[name], filter_options()[name]
    assert documented["type"] == option.type
    assert documented.get("default") == Policy().as_dict()[name]
    assert documented.get("choices") == (list(option.choices) if option.choices else None)
    said = documented["description"]
    assert (said if isinstance(said, str) else said[0]).startswith(option.about)


def test_an_option_that_the_role_and_the_filter_do_not_have_is_none():
    named = {name for spec in in_role("meta/argument_specs.yml")["argument_specs"].values() for name in spec["options"]}
    assert {f"keepalive_{name}" for name in OPTIONS} <= named
    assert list(filter_options()) == list(OPTIONS)


def test_the_cap_on_ipvs_timeouts_is_that_of_the_node_side():
    assert IPVS_SECONDS.high == ipvs_timeouts.MAX_SECONDS


def test_the_policy_as_understood_can_be_given_again():
    policy = parse_policy(
        {
            "time": 300,
            "middleboxes": ["aws_nlb", {"name": "our firewall", "seconds": 500}],
            "sysctls": {"net/netfilter/nf_conntrack_tcp_be_liberal": 1, "net.ipv4.tcp_rmem": "4096\t131072  6291456"},
            "ipvs_timeouts": {"udp": "60"},
        }
    )
    assert policy.sysctls == {
        "net.netfilter.nf_conntrack_tcp_be_liberal": "1",
        "net.ipv4.tcp_rmem": "4096 131072 6291456",
    }
    assert policy.ipvs_timeouts == {"udp": 60}
    assert policy.middleboxes == (Middlebox("AWS NLB", 350), Middlebox("our firewall", 500))
    assert parse_policy(policy.as_dict()) == policy


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        pytest.param(
            [], "policy: [] is not a mapping. Write names and values, for example {lost_probes: 2}.", id="not a mapping"
        ),
        pytest.param(
            {"lost_probe": 2},
            "keepalive_lost_probe: not a name of the policy. Did you mean keepalive_lost_probes?",
            id="a misspelt name",
        ),
        pytest.param(
            {"namespace_ipvs_timeouts": {"ingress_sbox": 900}},
            "keepalive_namespace_ipvs_timeouts: ingress_sbox: 900 is not a mapping of names and values. Write one, for "
            "example {}.",
            id="a number for the timeouts of a namespace",
        ),
        pytest.param(
            {"namespace_ipvs_timeouts": {"vpn": {}}},
            "keepalive_namespace_ipvs_timeouts: vpn has no timeout. Write such as {vpn: {tcp: 900}}, or leave it out.",
            id="a namespace without a timeout",
        ),
        pytest.param(
            {"namespace_ipvs_timeouts": {"vpn": {"tpc": 900}}},
            "keepalive_namespace_ipvs_timeouts: vpn: tpc is not an IPVS timeout. Did you mean tcp?",
            id="a misspelt timeout of a namespace",
        ),
        pytest.param(
            {"xyzzy": 2},
            "keepalive_xyzzy: not a name of the policy. Known are keepalive_be_liberal, keepalive_bridge_nf_call, "
            "keepalive_conn_reuse_mode, keepalive_containers, keepalive_dead_peer_seconds, keepalive_enforce, "
            "keepalive_enforce_exclude_cgroups, keepalive_enforce_exclude_ports, "
            "keepalive_expire_nodest_conn, keepalive_expire_quiescent_template, keepalive_intvl, "
            "keepalive_intvl_ceiling, keepalive_ipvs_timeouts, keepalive_lost_probes, keepalive_margin, "
            "keepalive_middleboxes, keepalive_modules_file, keepalive_namespace_ipvs_timeouts, "
            "keepalive_open_connections, keepalive_pods, "
            "keepalive_probes, keepalive_profile, keepalive_rps, keepalive_rps_exclude_irq_cpus, "
            "keepalive_rps_sock_flow_entries, keepalive_sloppy_tcp, keepalive_strategy, keepalive_sysctl_file, "
            "keepalive_sysctls, keepalive_time, keepalive_time_ceiling.",
            id="a name like no other",
        ),
        pytest.param(
            {"profile": "artcle"},
            "keepalive_profile: 'artcle' is not one of derived, article. Write one of them.",
            id="no such profile",
        ),
        pytest.param(
            {"strategy": 1},
            "keepalive_strategy: 1 is not one of lower_keepalive, raise_ipvs. Write one of them.",
            id="no such strategy",
        ),
        pytest.param(
            {"bridge_nf_call": True},
            "keepalive_bridge_nf_call: True is not one of auto, always, never. Write one of them.",
            id="YAML's yes for the bridge",
        ),
        pytest.param({"lost_probes": "two"}, f"keepalive_lost_probes: 'two' is not a whole number. {FAR}", id="a word"),
        pytest.param({"lost_probes": 1.5}, f"keepalive_lost_probes: 1.5 is not a whole number. {FAR}", id="a fraction"),
        pytest.param(
            {"lost_probes": True}, f"keepalive_lost_probes: True is not a whole number. {FAR}", id="a boolean"
        ),
        pytest.param({"lost_probes": [2]}, f"keepalive_lost_probes: [2] is not a whole number. {FAR}", id="a list"),
        pytest.param(
            {"lost_probes": -1},
            f"keepalive_lost_probes: -1 is below 0 (fewer cannot be lost). {FAR}",
            id="a negative number of lost probes",
        ),
        pytest.param(
            {"lost_probes": 127},
            f"keepalive_lost_probes: 127 is above 126 (one less than TCP_KEEPCNT takes). {FAR}",
            id="more lost probes than there can be probes",
        ),
        pytest.param(
            {"time": 0},
            "keepalive_time: 0 is below 1 (the range of TCP_KEEPIDLE in seconds). Write a whole number from 1 to "
            "32767.",
            id="a time of 0",
        ),
        pytest.param(
            {"intvl": 32768},
            "keepalive_intvl: 32768 is above 32767 (the range of TCP_KEEPINTVL in seconds). "
            "Write a whole number from 1 to 32767.",
            id="an intvl that setsockopt refuses",
        ),
        pytest.param(
            {"probes": 128},
            "keepalive_probes: 128 is above 127 (the range of TCP_KEEPCNT). Write a whole number from 1 to 127.",
            id="probes that setsockopt refuses",
        ),
        pytest.param(
            {"probes": 2},
            "keepalive_probes: 2 probes, which does not survive 2 lost ones (keepalive_lost_probes). "
            "Lower keepalive_lost_probes to 1 or take more probes.",
            id="fewer probes than may be lost",
        ),
        pytest.param(
            {"profile": "article", "lost_probes": 10},
            "keepalive_profile: article has 10 probes, which does not survive 10 lost ones (keepalive_lost_probes). "
            "Lower keepalive_lost_probes to 9 or take more probes.",
            id="more lost probes than the article has",
        ),
        pytest.param(
            {"profile": "article", "time": 300},
            "keepalive_profile: article is exactly 600/30/10, and keepalive_time is set too. Drop one.",
            id="the article and an override",
        ),
        pytest.param(
            {"sysctls": ["a=1"]},
            "keepalive_sysctls: ['a=1'] is not a mapping of names and values. Write one, for example {}.",
            id="sysctls as a list",
        ),
        pytest.param(
            {"sysctls": {"net.ipv4.ip_forward": True}},
            "keepalive_sysctls: net.ipv4.ip_forward: True is bool, expected text or a whole number. "
            "Write what the kernel takes, in quotes.",
            id="YAML's yes for a sysctl",
        ),
        pytest.param(
            {"sysctls": {"net/ipv4/tcp_keepalive_time": 600}},
            "keepalive_sysctls: net.ipv4.tcp_keepalive_time is planned, not a further key. "
            "Write keepalive_time: 600 instead.",
            id="a keepalive key among the further sysctls",
        ),
        pytest.param(
            {"sysctls": {"net.bridge.bridge-nf-call-iptables": 0}, "bridge_nf_call": "always"},
            "keepalive_sysctls: net.bridge.bridge-nf-call-iptables 0 contradicts the value 1 "
            "(keepalive_bridge_nf_call always, keepalive_profile derived). "
            "Drop it, or write keepalive_bridge_nf_call: never.",
            id="a bridge key against always",
        ),
        pytest.param(
            {"sysctls": {"net.bridge.bridge-nf-call-ip6tables": "0"}, "profile": "article"},
            "keepalive_sysctls: net.bridge.bridge-nf-call-ip6tables 0 contradicts the value 1 "
            "(keepalive_bridge_nf_call auto, keepalive_profile article). "
            "Drop it, or write keepalive_bridge_nf_call: never.",
            id="a bridge key against the article",
        ),
        pytest.param(
            {"ipvs_timeouts": {"tcp_fin": 60}},
            "keepalive_ipvs_timeouts: tcp_fin is not an IPVS timeout. Did you mean tcpfin?",
            id="a misspelt IPVS timeout",
        ),
        pytest.param(
            {"ipvs_timeouts": {"udp": 0}},
            "keepalive_ipvs_timeouts: udp 0 means 'keep' to the kernel, not a timeout. Leave udp out to keep it.",
            id="an IPVS timeout of 0",
        ),
        pytest.param(
            {"ipvs_timeouts": {"tcp": 2147484}},
            "keepalive_ipvs_timeouts: tcp: 2147484 is above 2147483 (what every kernel takes for an IPVS timeout, in "
            "seconds). Write a whole number from 1 to 2147483.",
            id="an IPVS timeout that some kernels refuse",
        ),
        pytest.param(
            {"be_liberal": 1},
            "keepalive_be_liberal: 1 is neither true nor false. Write one of them, or leave it out for its default.",
            id="a number for a flag",
        ),
        pytest.param(
            {"dead_peer_seconds": 7},
            "keepalive_dead_peer_seconds: 7 is below 8 (what tcp_retries2 3, the lowest that is set here, comes to at "
            "most). "
            "Write a whole number from 8 to 1054.",
            id="a dead peer sooner than the kernel asks for another route",
        ),
        pytest.param(
            {"dead_peer_seconds": 1055},
            "keepalive_dead_peer_seconds: 1055 is above 1054 (what tcp_retries2 15, the kernel's own, comes to at "
            "most). "
            "Write a whole number from 8 to 1054.",
            id="a dead peer later than the kernel's own",
        ),
        pytest.param(
            {"conn_reuse_mode": 2},
            "keepalive_conn_reuse_mode: 2 is not one of leave, auto, 0, 1. Write one of them.",
            id="a reuse mode that we do not set",
        ),
        pytest.param(
            {"be_liberal": True, "sysctls": {"net/netfilter/nf_conntrack_tcp_be_liberal": 0}},
            "keepalive_sysctls: net.netfilter.nf_conntrack_tcp_be_liberal 0 contradicts the value 1 "
            "(keepalive_be_liberal). Drop one of them.",
            id="a further key against its own variable",
        ),
        pytest.param(
            {"dead_peer_seconds": 125, "sysctls": {"net.ipv4.tcp_retries2": 7}},
            "keepalive_sysctls: net.ipv4.tcp_retries2 7 contradicts the value 8 (keepalive_dead_peer_seconds). "
            "Drop one of them.",
            id="a number of retries against the wanted time",
        ),
        pytest.param(
            {"sysctl_file": "/etc/modules-load.d/./k8s.conf"},
            "keepalive_sysctl_file and keepalive_modules_file: both are /etc/modules-load.d/k8s.conf, one file cannot "
            "be both. Name two files.",
            id="one file for both",
        ),
        pytest.param(
            {"sysctl_file": "k8s.conf"},
            "keepalive_sysctl_file: 'k8s.conf' is not the absolute path of a configuration file. Write a path such as "
            "/etc/sysctl.d/k8s.conf.",
            id="a relative path",
        ),
        pytest.param(
            {"middleboxes": {"aws_nlb": 350}},
            "keepalive_middleboxes: {'aws_nlb': 350} is not a list. "
            "Write a list of names, or of mappings of name and seconds.",
            id="a middlebox without a list",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(wishes, message):
    with pytest.raises(PlanError) as caught:
        parse_policy(wishes)
    assert str(caught.value) == message


def test_a_bridge_key_of_the_user_is_taken_where_nothing_contradicts_it():
    assert parse_policy({"sysctls": {"net.bridge.bridge-nf-call-iptables": 0}}).sysctls == {
        "net.bridge.bridge-nf-call-iptables": "0"
    }
