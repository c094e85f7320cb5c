# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._report import query
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import document

HELP = "An example: \"findings[?severity=='critical'].[scope,observed]\". See https://jmespath.org."


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        pytest.param("verdict", "unsafe", id="a value"),
        pytest.param("limit", {"seconds": 900, "name": "IPVS tcp", "node": "worker1"}, id="a mapping"),
        pytest.param("nodes[?verdict!='safe'].name", ["worker1", "worker3"], id="a list"),
        pytest.param(
            "nodes[].pods.rows[?verdict=='unsafe'].label | [0][0]", "shop/checkout-7d9f8c6b5-x2x7p", id="a pod"
        ),
        pytest.param("nothing", None, id="nothing"),
        pytest.param("length(nodes)", 3, id="a function"),
        pytest.param("nodes[?contains(why, 'beyond')].name", ["worker1"], id="a function of a sentence"),
    ],
)
def test_an_expression_finds_a_part_of_the_report(expression, found):
    assert query.query(document(), expression) == found


def test_what_is_found_is_plain() -> None:
    assert {type(each) for each in query.query(document(), "nodes[].why")} == {str}


@pytest.mark.parametrize(
    ("expression", "what"),
    [
        pytest.param("nodes[", 'Invalid jmespath expression: Incomplete expression: "nodes[" ^', id="incomplete"),
        pytest.param("no_such(@)", "Unknown function: no_such()", id="an unknown function"),
        pytest.param(
            "length(check_mode)",
            "In function length(), invalid type for value: False, expected one of: ['string', 'array', 'object'], "
            'received: "boolean"',
            id="a value of the wrong type",
        ),
        pytest.param(" ", 'Invalid jmespath expression: Incomplete expression: " " ^', id="empty"),
        pytest.param("ceil(to_number('1e999'))", "cannot convert float infinity to integer", id="no number"),
        pytest.param(
            "{a: &verdict}", "Object of type _Expression is not JSON serializable", id="an expression as a value"
        ),
        pytest.param("nodes[::0]", "slice step cannot be zero", id="what jmespath itself does not expect"),
    ],
)
def test_a_bad_expression_is_named_with_what_is_wrong_and_an_example(expression, what):
    with pytest.raises(PlanError) as caught:
        query.query(document(), expression)
    assert str(caught.value) == (
        f"keepalive_report_query: {expression!r} is not a JMESPath expression that fits a report: {what}. {HELP}"
    )


def test_without_jmespath_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(query, "HAS_JMESPATH", False)
    with pytest.raises(PlanError) as caught:
        query.query(document(), "verdict")
    assert str(caught.value) == (
        "keepalive_report_query: the Python package jmespath is missing on the machine where the playbook runs. "
        "Install it beside ansible-core: pip install jmespath."
    )


def test_what_was_found_is_printed_as_json_without_control_characters():
    text = query.result_text({"name": "a\033[2J\udc80é"})
    assert text.isascii()
    assert "\033" not in text
    assert text.splitlines()[0] == "{"
    assert text.splitlines()[1].startswith('  "name": "a\\u001b')
    assert json.loads(text) == {"name": "a\033[2J\udc80é"}
