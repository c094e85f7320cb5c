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


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("aws_nlb", 350),
        ("aws_gwlb", 350),
        ("aws_nat_gateway", 350),
        ("aws_vpc_endpoint", 350),
        ("aws_network_firewall", 350),
        ("azure_lb", 240),
        ("azure_outbound", 240),
        ("gcp_firewall", 600),
        ("gcp_cloud_nat", 1200),
        ("ibm_public_gateway", 240),
        ("cilium", 8000),
        ("calico_ebpf", 3600),
    ],
)
def test_a_known_name_has_the_vendors_default(name, seconds):
    assert parse_middleboxes([name]) == (Middlebox(KNOWN[name].label, seconds),)


@pytest.mark.parametrize("text", ["aws_nlb,azure_lb", " aws_nlb , azure_lb, "])
def test_text_is_names_with_commas_between_them(text):
    assert parse_middleboxes(text) == parse_middleboxes(["aws_nlb", "azure_lb"])


@pytest.mark.parametrize("value", [5, True, {"name": "f5", "seconds": 9}])
def test_what_is_neither_list_nor_text_is_refused(value):
    with pytest.raises(PlanError, match=r"^keepalive_middleboxes: .* is not a list\. Write a list of names, or of "):
        parse_middleboxes(value)


def test_every_known_name_is_in_the_table_above():
    assert len(KNOWN) == 12


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        pytest.param({"name": "aws_nlb", "seconds": 6000}, Middlebox("AWS NLB", 6000), id="a known one set otherwise"),
        pytest.param(
            {"name": "our firewall", "seconds": "600"}, Middlebox("our firewall", 600), id="one of the user's"
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
            "f5",
            "'f5' is not known by name. Known are aws_gwlb, aws_nat_gateway, aws_network_firewall, aws_nlb, "
            "aws_vpc_endpoint, azure_lb, azure_outbound, calico_ebpf, cilium, gcp_cloud_nat, gcp_firewall, "
            "ibm_public_gateway. "
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
