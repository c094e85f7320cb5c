# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.variables import (
    OBSERVATION,
    PLAYBOOKS,
    RUN,
    check,
    refuse_misspelt_of_role,
    refuse_tags,
    refuse_unheard,
    wishes_of,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import OPTIONS, parse_policy
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.policies import Policies

ROOT = Path(__file__).resolve().parents[5]
DEFAULTS = yaml.safe_load((ROOT / "roles/keepalive/defaults/main.yml").read_text(encoding="utf-8"))
HOSTS = ("cp1", "node1", "node2", "node3")


def fleet(cp1=None, **everywhere):
    """The variables of four hosts, as the role's defaults and these make them; cp1 may have others."""
    named = {f"keepalive_{name}": value for name, value in everywhere.items()}
    own = {f"keepalive_{name}": value for name, value in (cp1 or {}).items()}
    return {host: {**DEFAULTS, **named, **(own if host == "cp1" else {})} for host in HOSTS}


def refusal(by_host):
    with pytest.raises(PlanError) as caught:
        check(by_host)
    return str(caught.value)


def test_the_roles_defaults_are_right():
    assert check(fleet()) == Policies(parse_policy({}))


def test_each_variable_of_the_role_is_of_one_kind():
    kinds = [*OPTIONS, *RUN, *OBSERVATION, *PLAYBOOKS]
    assert len(kinds) == len(set(kinds))
    assert {f"keepalive_{name}" for name in (*OPTIONS, *RUN, *OBSERVATION)} == set(DEFAULTS)


@pytest.mark.parametrize(
    "value",
    [1, "3", "25%", "100%", [1, "25%"], ["1", "10%", 5]],
)
def test_batches(value):
    check(fleet(serial=value))


@pytest.mark.parametrize(
    "value",
    ["abc", 0, -1, "-1", 1.5, True, "0%", "101%", "25 percent", "1,25%", [], [1, "x"], {"first": 1}],
)
def test_batches_of_no_size_are_refused(value):
    assert refusal(fleet(serial=value)) == (
        f"keepalive_serial: {value!r} is no size of a batch. Write a whole number from 1, a percentage from '1%' to "
        "'100%', or a list of them."
    )


@pytest.mark.parametrize("value", ["abc", "30%", -1, 101, "nan", True, [30]])
def test_what_is_no_percentage_is_refused(value):
    assert refusal(fleet(max_fail_percentage=value)) == (
        f"keepalive_max_fail_percentage: {value!r} is no percentage. Write a number from 0 to 100, without %."
    )


@pytest.mark.parametrize("name", ["serial", "max_fail_percentage"])
def test_batches_are_of_the_whole_run(name):
    check(fleet(**{name: 33}))
    assert refusal(fleet(**{name: None})).startswith(f"keepalive_{name}: it is empty.")
    assert refusal(fleet({name: 33})) == (
        f"keepalive_{name}: 33 on cp1, unset on node[1-3]. It is about the whole run. Give it one value."
    )


def test_a_misspelt_name_of_another_role_is_refused():
    known = {"guard_interval", "guard_cure"}
    refuse_misspelt_of_role(["guard_cure", "keepalive_cure", "__guard_node", "guards", "guard_result"], "guard", known)
    with pytest.raises(PlanError) as caught:
        refuse_misspelt_of_role(["guard_cures"], "guard", known)
    assert str(caught.value) == "guard_cures: not a variable of the role guard. Did you mean guard_cure?"


def test_what_ansible_does_not_read_where_it_stands_is_refused():
    refuse_unheard({})
    with pytest.raises(PlanError) as caught:
        refuse_unheard({"keepalive_hosts": ["cp1", "node1"]})
    assert str(caught.value) == (
        "keepalive_hosts: it stands in the inventory (on cp1, node1), where it would do nothing: Ansible works out the "
        "hosts and the batches of a play before it reads that. Give it by -e keepalive_hosts=..., or in vars of "
        "import_playbook."
    )


def test_the_wishes_are_the_policys_part_without_the_prefix():
    assert wishes_of({"keepalive_margin": 5, "keepalive_report_dir": "/r", "keepalive_hosts": "all"}) == {"margin": 5}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("middleboxes", "aws_nlb", id="one middlebox as text"),
        pytest.param("middleboxes", "aws_nlb, azure_lb", id="several"),
        pytest.param("ipvs_timeouts", "tcp=900,udp=300", id="timeouts as text"),
        pytest.param("sysctls", "net.core.somaxconn = 1024", id="sysctls as text"),
        pytest.param("report_formats", "json", id="a format as text"),
        pytest.param("report_formats", "json, prometheus", id="several formats"),
        pytest.param("report_formats", ["junit"], id="a list of formats"),
        pytest.param("every_host", "yes", id="a flag as text"),
        pytest.param("every_host", False, id="a flag"),
        pytest.param("max_unobserved_percentage", "0", id="a share as text"),
        pytest.param("max_unobserved_percentage", 100, id="the whole"),
        pytest.param("kube_proxy_timeout", "0.1", id="seconds as text"),
        pytest.param("kube_proxy_timeout", 60, id="the longest timeout"),
        pytest.param("kube_proxy_address", "10.0.0.1:10249", id="an address"),
        pytest.param("sample_seconds", 0, id="no sample"),
        pytest.param("sample_seconds", "60", id="the longest sample"),
        pytest.param("report_dir", "", id="empty: unset"),
        pytest.param("report_query", None, id="unset"),
        pytest.param("report_query", "nodes[].name", id="a query"),
        pytest.param("report_formats", [], id="no files"),
        pytest.param("silence", [], id="no silence"),
        pytest.param("report_mode", "0640", id="a mode"),
        pytest.param("silence", [{"id": "keepalive-too-late", "reason": "x"}], id="a silence"),
        pytest.param("audit_fail_on", "warning", id="a severity"),
        pytest.param("hosts", "workers", id="what the playbooks take"),
        pytest.param("serial", [1, "50%"], id="batches"),
    ],
)
def test_what_is_taken(name, value):
    check(fleet(**{name: value}))


EMPTY = "it is empty. Write a value, or leave the variable out for its default."
NEVER_EMPTY = (
    "every_host",
    "max_unobserved_percentage",
    "report_formats",
    "silence",
    "audit_fail_on",
    "kube_proxy_timeout",
    "sample_seconds",
)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("middleboxes", "aws_nbl", "'aws_nbl' is not known by name. Did you mean aws_nlb? Others: {name: ..., "),
        ("ipvs_timeouts", "tcp", "'tcp' is not a mapping of names and values. Write each name once, for example "),
        ("margin", "a lot", "'a lot' is not a whole number. Write a whole number from 0 to 2147483."),
        ("report_formats", "pdf", "'pdf' is not one of html, json, junit, prometheus. Write one of them."),
        ("report_formats", "json,", "'' is not one of "),
        ("report_formats", {"json": True}, "{'json': True} is not a list. Write a list of "),
        ("report_formats", [5], "5 is not one of "),
        ("every_host", "maybe", "'maybe' is neither true nor false. "),
        ("max_unobserved_percentage", 101, "101 is above 100 (all of them). Write a whole number from 0 to 100."),
        ("max_unobserved_percentage", "10%", "'10%' is not a whole number. Write a whole number from 0 to 100."),
        ("kube_proxy_timeout", 0, "0 is not a timeout. Write seconds, more than 0 and at most 60."),
        ("kube_proxy_timeout", 60.5, "60.5 is not a timeout. Write seconds, more than 0 and at most 60."),
        ("kube_proxy_timeout", "3s", "'3s' is not a timeout. Write seconds, more than 0 and at most 60."),
        ("kube_proxy_timeout", True, "True is not a timeout. Write seconds, more than 0 and at most 60."),
        ("sample_seconds", -0.1, "-0.1 is not a number of seconds. Write one from 0 to 60."),
        ("sample_seconds", 61, "61 is not a number of seconds. Write one from 0 to 60."),
        ("sample_seconds", "nan", "'nan' is not a number of seconds. Write one from 0 to 60."),
        ("sample_seconds", 10**400, f"{10**400} is not a number of seconds. Write one from 0 to 60."),
        ("sample_seconds", [1], "[1] is not a number of seconds. Write one from 0 to 60."),
        ("kube_proxy_address", 10249, "10249 is no text. Write text, or leave it out."),
        ("report_query", ["x"], "['x'] is no text. Write text, or leave it out."),
        ("report_query", "nodes[", "'nodes[' is not a JMESPath expression that fits a report: "),
        ("report_mode", "u+rw", "'u+rw' is not the mode of a file that its owner may read. Write three octal digits "),
        ("silence", "keepalive-too-late", "'keepalive-too-late' is not a list. "),
        ("audit_fail_on", "eror", "'eror' is not one of never, "),
        *((name, empty, EMPTY) for name in NEVER_EMPTY for empty in (None, "")),
    ],
)
def test_a_wrong_value_is_told_once_with_its_variable(name, value, message):
    told = refusal(fleet(**{name: value}))
    assert told.startswith(f"keepalive_{name}: {message}")
    assert told.count(f"keepalive_{name}") == 1
    assert "(on " not in told


@pytest.mark.parametrize(("name", "value"), [("sample_seconds", 99), ("every_host", "maybe"), ("margin", "much")])
def test_a_wrong_value_of_some_hosts_is_told_with_their_names(name, value):
    assert refusal(fleet({name: value})).endswith(" (on cp1)")
    assert refusal(fleet({name: DEFAULTS[f"keepalive_{name}"]}, **{name: value})).endswith(" (on node[1-3])")


@pytest.mark.parametrize(
    ("cp1", "everywhere", "message"),
    [
        pytest.param(
            {"report_dir": "/r"}, {}, "keepalive_report_dir: /r on cp1, unset on node[1-3].", id="unset on the others"
        ),
        pytest.param(
            {"report_formats": "json"},
            {},
            "keepalive_report_formats: json on cp1, ['html', 'json'] on node[1-3].",
            id="lists",
        ),
        pytest.param(
            {"max_unobserved_percentage": 0},
            {"max_unobserved_percentage": 50},
            "keepalive_max_unobserved_percentage: 0 on cp1, 50 on node[1-3].",
            id="numbers",
        ),
        pytest.param({"every_host": True}, {}, "keepalive_every_host: True on cp1, False on node[1-3].", id="flags"),
    ],
)
def test_what_is_about_the_whole_run_has_one_value(cp1, everywhere, message):
    assert refusal(fleet(cp1, **everywhere)) == f"{message} It is about the whole run. Give it one value."


@pytest.mark.parametrize(
    ("cp1", "everywhere"),
    [
        pytest.param({"every_host": "yes"}, {"every_host": True}, id="a flag and its text"),
        pytest.param({"report_formats": "html,json"}, {}, id="a list and its text"),
        pytest.param({"report_dir": ""}, {}, id="empty and null"),
        pytest.param({"sample_seconds": 5, "kube_proxy_address": "10.0.0.1"}, {}, id="what belongs to a node"),
    ],
)
def test_what_means_the_same_or_belongs_to_a_node_may_be_written_otherwise(cp1, everywhere):
    check(fleet(cp1, **everywhere))


def test_policies_that_differ_are_refused_by_name_and_value():
    assert refusal(fleet({"profile": "article"})).startswith(
        "keepalive_profile: article on cp1, derived on node[1-3]. One plan is made for all of them, "
    )


def test_what_belongs_to_a_node_is_its_own_policy():
    policies = check(fleet({"rps": "auto"}))
    assert (policies.of("cp1").rps, policies.of("node1").rps) == ("auto", "leave")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("middlebox", "Did you mean keepalive_middleboxes?"),
        ("report_directory", "Did you mean keepalive_report_dir?"),
        ("tmie", "Did you mean keepalive_time?"),
        ("qqq", "Known are keepalive_audit_fail_on, keepalive_be_liberal, "),
    ],
)
def test_a_name_that_is_none_of_ours_is_refused(name, nearest):
    told = f"keepalive_{name}: not a variable of this collection"
    assert refusal(fleet(**{name: 1})).startswith(f"{told}. {nearest}")
    assert refusal(fleet({name: 1})).startswith(f"{told} (on cp1). {nearest}")


@pytest.mark.parametrize(
    ("asked", "own"),
    [
        pytest.param(["all"], [], id="without --tags"),
        pytest.param(["untagged"], ["always"], id="what has no tags"),
        pytest.param(["k8s"], ["always", "k8s"], id="a tag that import_playbook gave"),
        pytest.param(["net", "k8s"], ["k8s", "site", "always"], id="one of several"),
        pytest.param(["tagged"], ["k8s"], id="what has tags"),
    ],
)
def test_tags_that_run_the_playbook(asked, own):
    refuse_tags(asked, own)


@pytest.mark.parametrize(
    ("asked", "own", "has"),
    [
        pytest.param(["network"], ["always"], "no tags", id="one that is not there"),
        pytest.param(["always"], ["always"], "no tags", id="that of the check itself"),
        pytest.param(["tagged"], ["always"], "no tags", id="what has tags, and nothing has"),
        pytest.param(["untagged"], ["k8s", "always"], "only the tags k8s", id="what has none, and all have one"),
        pytest.param(["net", "dns"], ["site", "k8s"], "only the tags k8s, site", id="others"),
    ],
)
def test_tags_that_run_nothing_are_refused(asked, own, has):
    with pytest.raises(PlanError) as caught:
        refuse_tags(asked, own)
    assert str(caught.value) == (
        f"--tags {','.join(asked)}: this playbook has {has}, so nothing would run. Leave --tags out."
    )
