# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._kube_proxy.fields import (
    BY_PATH,
    FIELDS,
    parse_wishes,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.writers import IPVS_FIELDS


def test_the_fields_have_the_names_that_findings_say():
    assert {name: str(field) for name, field in FIELDS["ipvs_timeouts"].items()} == IPVS_FIELDS


def test_a_path_leads_to_one_field():
    assert len(BY_PATH) == sum(map(len, FIELDS.values())) == 10
    assert BY_PATH["conntrack.tcpBeLiberal"] is FIELDS["conntrack"]["be_liberal"]


def test_only_an_option_that_is_given_is_a_wish():
    assert parse_wishes({"conntrack": {}, "state": "present"}) == {"conntrack": {}}
    assert parse_wishes({"ipvs_timeouts": None, "conntrack": {"udp": "30", "min": None, "be_liberal": "Yes"}}) == {
        "conntrack": {"udp": 30, "be_liberal": True}
    }


@pytest.mark.parametrize(
    ("option", "name", "written", "meaning"),
    [
        pytest.param("ipvs_timeouts", "tcp", None, 0, id="not set"),
        pytest.param("conntrack", "tcp_established", None, 86400, id="not set, with a default of kube-proxy's"),
        pytest.param("conntrack", "be_liberal", None, False, id="a flag that is not set"),
        pytest.param("conntrack", "be_liberal", "true", None, id="the text of a flag"),
        pytest.param("conntrack", "be_liberal", True, True, id="a flag"),
        pytest.param("conntrack", "min", True, None, id="a flag for a number"),
        pytest.param("conntrack", "min", 9, 9, id="a number"),
        pytest.param("ipvs_timeouts", "tcp", "1m30s", 90, id="a duration"),
        pytest.param("ipvs_timeouts", "tcp", 90, None, id="a number for a duration"),
    ],
)
def test_a_field_means_what_kube_proxy_takes_it_for(option, name, written, meaning):
    found = FIELDS[option][name].means(written)
    assert (found, type(found)) == (meaning, type(meaning))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"ipvs_timeouts": {"tpc": 1}},
            "ipvs_timeouts: tpc is not one of its names. Did you mean tcp?",
            id="a misspelt name",
        ),
        pytest.param(
            {"ipvs_timeouts": {"tcp": -1}},
            "ipvs_timeouts: tcp: -1 is below 0 (which leaves the value alone). Write a whole number from 0 to 2147483.",
            id="below zero",
        ),
        pytest.param(
            {"ipvs_timeouts": {"tcp": "15m"}},
            "ipvs_timeouts: tcp: '15m' is not a whole number. Write a whole number from 0 to 2147483.",
            id="a duration",
        ),
        pytest.param(
            {"conntrack": {"min": 2**31}},
            "conntrack: min: 2147483648 is above 2147483647 (int32 in kube-proxy's configuration). "
            "Write a whole number from 0 to 2147483647.",
            id="too large a number",
        ),
        pytest.param(
            {"conntrack": {"be_liberal": 2}},
            "conntrack: be_liberal: 2 is neither true nor false. Write one of them.",
            id="no flag",
        ),
        pytest.param(
            {"conntrack": [1]},
            "conntrack: [1] is not a mapping of names and values. Write one, for example {}.",
            id="a list",
        ),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(PlanError) as refused:
        parse_wishes(options)
    assert str(refused.value) == message
