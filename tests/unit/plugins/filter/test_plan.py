# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import fields

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.utils.unsafe_proxy import wrap_var
from jinja2.nativetypes import NativeEnvironment

from ansible_collections.kubenode.connections.plugins.filter import plan as plugin
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import KNOWN
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nodes,
    quiet_node,
    stock_node,
    with_configured_tcp,
    with_established,
)

plan = plugin.FilterModule().filters()["plan"]


def strings_in(value):
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from strings_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item)
    elif isinstance(value, str):
        yield value


def test_the_filter_gives_the_plan():
    several = nodes(stock_node(), None)
    assert plan(several) == plan(several, None) == plan(several, {}) == make_plan(several, {})
    assert plan(several, {"middleboxes": ["aws_nlb"]})["keepalive"] == {"time": 233, "intvl": 11, "probes": 9}


def test_a_node_that_shows_something_absurd_does_not_fail_the_others():
    found = plan(nodes(with_configured_tcp(stock_node(), 5), stock_node(), with_established(stock_node(), 3)))
    assert found["keepalive"] == {"time": 600, "intvl": 30, "probes": 9}
    assert [each["scope"] for each in found["findings"] if each["id"] == "limit-absurd"] == ["worker1", "worker3"]


def test_marked_values_of_ansible_make_no_difference():
    several = nodes(stock_node())
    assert plan(wrap_var(several), wrap_var({"strategy": "lower_keepalive"})) == make_plan(several, {})


def test_every_string_of_the_plan_is_marked_where_ansible_would_template_it():
    marked = type(wrap_var("text"))
    several = nodes(stock_node(), None, with_configured_tcp(stock_node(), 600))
    found = plan(several, {"middleboxes": ["aws_nlb"], "margin": 20, "enforce": True})
    assert {type(each) for each in strings_in(found)} == {marked}


def test_what_a_node_says_of_itself_is_safe_to_print_and_settings_stay():
    node = stock_node()
    node["sysctls"]["net.ipv4.tcp_keepalive_time"].update(
        state="unreadable", value=None, error="\x1b[31m \u202e \udcff"
    )
    found = plan(nodes(node), {"sysctls": {"net.ipv4.tcp_rmem": "4096\t131072\t6291456"}})
    assert "\\x1b[31m \\u202e \\udcff" in json.dumps(found, ensure_ascii=False).replace("\\\\", "\\")
    settings = [each.pop("settings") for each in found["nodes"].values()]
    found.pop("policy")
    assert all(text.isprintable() for text in strings_in(found))
    assert settings[0]["sysctls"]["net.ipv4.tcp_rmem"] == "4096 131072 6291456"


def test_the_plan_is_plain_data():
    several = nodes(stock_node())
    assert json.loads(json.dumps(plan(several))) == make_plan(several, {})


@pytest.mark.parametrize(
    ("several", "policy", "message"),
    [
        pytest.param(
            {},
            {},
            "no node was given, at least one is expected. Give a mapping of names to what node_info returned as node.",
            id="no nodes",
        ),
        pytest.param(
            nodes(stock_node()),
            [],
            "policy: [] is not a mapping. Write names and values, for example {lost_probes: 2}.",
            id="a list for a policy",
        ),
        pytest.param(
            nodes(stock_node()),
            {"tme": 300},
            "keepalive_tme: not a name of the policy. Did you mean keepalive_time?",
            id="a misspelt name",
        ),
        pytest.param(
            nodes(stock_node()),
            {"tim\x1b\x07e": 300},
            r"keepalive_tim\x1b\x07e: not a name of the policy. Did you mean keepalive_time?",
            id="a name with an escape sequence",
        ),
    ],
)
def test_what_cannot_be_planned_is_an_error_of_the_filter(several, policy, message):
    with pytest.raises(AnsibleFilterError) as caught:
        plan(several, policy)
    assert str(caught.value) == f"plan: {message}"


@pytest.mark.parametrize("own", [["w1"], "w1", 5], ids=repr)
def test_what_is_no_mapping_of_nodes_is_an_error_of_the_filter(own):
    with pytest.raises(AnsibleFilterError) as caught:
        plan(nodes(stock_node()), {}, own)
    assert str(caught.value) == (
        f"plan: own: {own!r} is not a mapping. Write the names of nodes and what each wants otherwise."
    )


def test_the_documentation_knows_every_name_of_the_policy_and_its_default():
    documented = yaml.safe_load(plugin.DOCUMENTATION)["options"]["policy"]["suboptions"]
    defaults = {name: option.get("default") for name, option in documented.items()}
    assert defaults == Policy().as_dict()
    assert list(documented) == [field.name for field in fields(Policy)]


OMITTED = object()


def in_example(settings):
    """What the example gives to node_settings for these settings, in the native types of Ansible's own templates."""
    (task,) = [each for each in yaml.safe_load(plugin.EXAMPLES) if "kubenode.connections.node_settings" in each]
    environment = NativeEnvironment()
    given = {
        option: environment.from_string(expression).render(__settings=settings, omit=OMITTED)
        for option, expression in task["kubenode.connections.node_settings"].items()
    }
    return {option: value for option, value in given.items() if value is not OMITTED}


def test_the_example_gives_nothing_back_where_the_plan_has_no_wish():
    quiet = plan(nodes(quiet_node()), {"pods": False})["nodes"]["worker1"]["settings"]
    assert in_example({**quiet, "modules": [], "sysctls": {}, "ipvs_timeouts": {}, "rps": None, "pods": None}) == {
        "ipvs_timeouts_persistent": False
    }


def test_the_example_gives_every_part_of_the_settings():
    settings = plan(nodes(stock_node()), {"ipvs_timeouts": {"udp": 60}, "rps": "always"})["nodes"]["worker1"][
        "settings"
    ]
    settings["pods"] = settings["containers"] = {"time": 600, "intvl": 30, "probes": 9}
    settings["namespace_ipvs_timeouts"] = {"ingress_sbox": {"tcp": 900}}
    assert in_example(settings) == settings


def test_the_documentation_knows_every_middlebox():
    text = " ".join(
        yaml.safe_load(plugin.DOCUMENTATION)["options"]["policy"]["suboptions"]["middleboxes"]["description"]
    )
    assert [name for name, known in KNOWN.items() if f"V({name}) {known.seconds} (" not in text] == []


def test_the_documentation_knows_every_value_returned():
    returned = yaml.safe_load(plugin.RETURN)["_value"]["contains"]
    result = plan(nodes(stock_node()))
    assert set(result) == set(returned)
    assert set(result["nodes"]["worker1"]) == set(returned["nodes"]["contains"])
    assert set(result["findings"][0]) == set(returned["findings"]["contains"])
