# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middlebox_names import whether_meant
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middlebox_table import KNOWN


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aws_nbl", "Did you mean aws_nlb?"),
        ("aws_nlb_udp", "Did you mean aws_nlb?"),
        ("azure_natgw", "Did you mean azure_nat_gateway?"),
        ("gcp_nat", "Did you mean gcp_cloud_nat?"),
        ("AWS_NLB", "Did you mean aws_nlb?"),
        ("haprox", "Did you mean haproxy?"),
        ("azure_firewal", "Did you mean azure_firewall?"),
        ("tencent_lb", "Did you mean tencent_gwlb or tencent_clb?"),
    ],
)
def test_a_misspelt_name(name, expected):
    assert whether_meant(name) == expected


def test_what_may_mean_several_names_them_all_the_lowest_limit_first():
    assert whether_meant("aws_elb").startswith("Did you mean aws_alb or aws_clb or aws_nlb")


@pytest.mark.parametrize("name", ["vultr_nat_gateway", "digitalocean_lb", "nat_gateway", "nlb"])
def test_a_vendor_that_is_not_known_is_not_taken_for_another(name):
    assert whether_meant(name) == f"Known are {', '.join(sorted(KNOWN))}."


def test_a_known_vendor_without_such_a_device_lists_those_that_it_has():
    assert whether_meant("ibm_mainframe") == "Known of ibm are ibm_public_gateway."


def _misspelt(name):
    """The name with each letter left out, doubled or swapped with the next, and with a word more at its end."""
    vendor, _underscore, rest = name.partition("_")
    for at in range(len(rest)):
        yield f"{vendor}_{rest[:at]}{rest[at + 1 :]}"
        yield f"{vendor}_{rest[:at]}{rest[at]}{rest[at:]}"
        yield f"{vendor}_{rest[:at]}{rest[at + 1 : at + 2]}{rest[at]}{rest[at + 2 :]}"
    yield f"{name}_v2"


@pytest.mark.parametrize("name", KNOWN)
def test_no_misspelt_name_is_answered_with_higher_limits_alone(name):
    for wrong in _misspelt(name):
        answer = whether_meant(wrong)
        if wrong in KNOWN or not answer.startswith("Did you mean "):
            continue
        names = answer[len("Did you mean ") : -1].split(" or ")
        assert name in names or min(KNOWN[each].seconds for each in names) <= KNOWN[name].seconds, wrong
