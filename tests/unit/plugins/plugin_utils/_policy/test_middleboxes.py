# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middleboxes import (
    KNOWN,
    Middlebox,
    parse_middleboxes,
)


@pytest.mark.parametrize("name", KNOWN)
def test_a_known_name_has_the_vendors_default(name):
    assert parse_middleboxes([name]) == (Middlebox(KNOWN[name].label, KNOWN[name].seconds, KNOWN[name].proxy),)


@pytest.mark.parametrize("text", ["aws_nlb,azure_lb", " aws_nlb , azure_lb, "])
def test_text_is_names_with_commas_between_them(text):
    assert parse_middleboxes(text) == parse_middleboxes(["aws_nlb", "azure_lb"])


@pytest.mark.parametrize("value", [5, True, {"name": "f5", "seconds": 9}])
def test_what_is_neither_list_nor_text_is_refused(value):
    with pytest.raises(PlanError, match=r"^keepalive_middleboxes: .* is not a list\. Write a list of names, or of "):
        parse_middleboxes(value)


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param({"name": "aws_nlb", "seconds": 6000}, Middlebox("AWS NLB", 6000), id="a known one set otherwise"),
        pytest.param(
            {"name": "our firewall", "seconds": "600"}, Middlebox("our firewall", 600), id="one of the user's"
        ),
        pytest.param({"name": "haproxy", "seconds": 50}, Middlebox("HAProxy", 50, proxy=True), id="a known proxy"),
        pytest.param(
            {"name": "our relay", "seconds": 60, "proxy": "true"},
            Middlebox("our relay", 60, proxy=True),
            id="one of the user's that is a proxy",
        ),
    ],
)
def test_a_mapping_has_its_own_seconds(item, expected):
    assert parse_middleboxes([item]) == (expected,)


MAPPING = "Write one of its known names, or a mapping of name and seconds."


@pytest.mark.parametrize(
    ("item", "message"),
    [
        pytest.param(
            "aws_nbl",
            "'aws_nbl' is not known by name. Did you mean aws_nlb? Others: {name: ..., seconds: ...}.",
            id="a misspelt name",
        ),
        pytest.param(
            "vultr_nat",
            f"'vultr_nat' is not known by name. Known are {', '.join(sorted(KNOWN))}. "
            "Others: {name: ..., seconds: ...}.",
            id="an unknown name lists the known",
        ),
        pytest.param(350, f"350 is not a middlebox. {MAPPING}", id="a bare number"),
        pytest.param({"name": "f5"}, f"{{'name': 'f5'}} is not a middlebox. {MAPPING}", id="no seconds"),
        pytest.param(
            {"name": "f5", "seconds": 9, "port": 1},
            "{'name': 'f5', 'seconds': 9, 'port': 1} is not a middlebox. " + MAPPING,
            id="a key too many",
        ),
        pytest.param(
            {"name": 5, "seconds": 9}, f"{{'name': 5, 'seconds': 9}} is not a middlebox. {MAPPING}", id="no name"
        ),
    ],
)
def test_what_is_no_middlebox_is_refused(item, message):
    with pytest.raises(PlanError) as caught:
        parse_middleboxes([item])
    assert str(caught.value) == f"keepalive_middleboxes: {message}"


def test_seconds_must_be_positive():
    with pytest.raises(
        PlanError,
        match=r"^keepalive_middleboxes: seconds of f5: 0 is below 1 \(an idle limit has at least one second\)",
    ):
        parse_middleboxes([{"name": "f5", "seconds": 0}])


@pytest.mark.parametrize(
    ("name", "seconds", "message"),
    [
        ("azure_lb", 30, "30 is below 240. Did you mean 1800 (30 minutes)? Azure LB takes from 240 to 6000 s."),
        ("azure_nat_gateway", "4", "4 is below 240. Did you mean 240 (4 minutes)? "),
        ("azure_nat_gateway", 2, "2 is below 240. Did you mean 7200 (2 hours)? "),
        ("aws_nlb", 350000, "350000 is above 6000. Did you mean 350 (350000 milliseconds)? AWS NLB takes from 60 to "),
        ("aws_nlb", 7200, "7200 is above 6000. AWS NLB takes from 60 to 6000 s."),
        ("aws_nat_gateway", 400, "AWS NAT gateway is fixed at 350 s, not 400. Leave seconds out."),
    ],
)
def test_seconds_that_the_device_does_not_take_are_refused_and_their_unit_is_guessed(name, seconds, message):
    with pytest.raises(PlanError) as caught:
        parse_middleboxes([{"name": name, "seconds": seconds}])
    assert str(caught.value).startswith(f"keepalive_middleboxes: seconds of {name}: {message}")


@pytest.mark.parametrize("name", KNOWN)
def test_a_device_takes_both_ends_of_its_range(name):
    ends = [KNOWN[name].lowest or 1, KNOWN[name].highest or 2147483]
    assert [box.seconds for box in parse_middleboxes([{"name": name, "seconds": each} for each in ends])] == ends


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"name": "aws_nlb", "seconds": 350, "proxy": True},
            "proxy of aws_nlb: AWS NLB counts the probes of keepalive. Leave proxy out.",
        ),
        (
            {"name": "haproxy", "seconds": 50, "proxy": False},
            "proxy of haproxy: HAProxy does not count the probes of keepalive. Leave proxy out.",
        ),
        (
            {"name": "f5", "seconds": 50, "proxy": "perhaps"},
            "proxy of f5: 'perhaps' is neither true nor false. Write one of them.",
        ),
    ],
)
def test_proxy_is_for_what_is_not_known(item, message):
    with pytest.raises(PlanError) as caught:
        parse_middleboxes([item])
    assert str(caught.value) == f"keepalive_middleboxes: {message}"


def test_a_proxy_can_be_given_again_as_it_was_understood():
    boxes = parse_middleboxes(["haproxy", {"name": "our relay", "seconds": 60, "proxy": True}])
    assert parse_middleboxes([box.as_dict() for box in boxes]) == boxes


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("cilium", True),
        ("calico_ebpf", True),
        ({"name": "our data plane", "seconds": 900}, True),
        ({"name": "our relay", "seconds": 900, "proxy": True}, False),
        ("aws_nlb", False),
        ("haproxy", False),
    ],
)
def test_what_may_forward_services(item, expected):
    (box,) = parse_middleboxes([item])
    assert box.may_forward_services is expected
