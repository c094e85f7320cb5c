# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.kubenode.connections.plugins.filter import safe_keepalive as plugin

safe_keepalive = plugin.FilterModule().filters()["safe_keepalive"]


@pytest.mark.parametrize(
    ("limit", "options", "expected"),
    [
        pytest.param(900, {}, (600, 30, 9), id="IPVS"),
        pytest.param("900", {}, (600, 30, 9), id="text of a number"),
        pytest.param(86400, {}, (7200, 75, 9), id="conntrack"),
        pytest.param(350, {"lost_probes": "4"}, (233, 11, 9), id="four lost probes behind a load balancer"),
        pytest.param(900, {"margin": 300, "intvl_ceiling": 10}, (400, 10, 9), id="a margin and a ceiling"),
        pytest.param(86400, {"time_ceiling": 32767}, (32767, 75, 9), id="a higher ceiling"),
    ],
)
def test_the_keepalive_below_a_limit(limit, options, expected):
    time, intvl, probes = expected
    assert safe_keepalive(limit, **options) == {"time": time, "intvl": intvl, "probes": probes}


@pytest.mark.parametrize(
    ("limit", "options", "message"),
    [
        pytest.param(
            9,
            {},
            "limit: 9 s is below 10 s (the shortest idle limit that keepalive in whole seconds can stay below). "
            "Raise it.",
            id="too short a limit",
        ),
        pytest.param(
            -900,
            {},
            "limit: -900 s is below 10 s (the shortest idle limit that keepalive in whole seconds can "
            "stay below). Raise it.",
            id="a negative limit",
        ),
        pytest.param("15m", {}, "limit: '15m' is not a whole number. Write seconds, for example 900.", id="a unit"),
        pytest.param(True, {}, "limit: True is not a whole number. Write seconds, for example 900.", id="a boolean"),
        pytest.param(
            {"seconds": 900},
            {},
            "limit: {'seconds': 900} is not a whole number. Write seconds, for example 900.",
            id="a mapping",
        ),
        pytest.param(
            900, {"lost_probe": 1}, "lost_probe: not an option here. Did you mean lost_probes?", id="a misspelt option"
        ),
        pytest.param(
            900, {"time": 1}, "time: not an option here. Did you mean time_ceiling?", id="an option of the policy only"
        ),
        pytest.param(
            900,
            {"lost_probes": 127},
            "lost_probes: 127 is above 126 (one less than TCP_KEEPCNT takes). Write a whole number from 0 to 126.",
            id="an option out of range",
        ),
        pytest.param(
            100,
            {"lost_probes": 126},
            "lost_probes: 126 is too many: 1 + 126 x 1 = 127 s, with timer slack 144 s, is 44 s beyond 100 s (the "
            "limit). "
            "Lower lost_probes.",
            id="nothing fits",
        ),
        pytest.param(
            900,
            {"margin": 895},
            "margin: 895 s leaves 5 s of 900 s (the limit), below 10 s (the shortest idle limit that keepalive in "
            "whole "
            "seconds can stay below). Lower margin.",
            id="a margin that leaves nothing",
        ),
    ],
)
def test_what_cannot_be_is_an_error_of_the_filter(limit, options, message):
    with pytest.raises(AnsibleFilterError) as caught:
        safe_keepalive(limit, **options)
    assert str(caught.value) == f"safe_keepalive: {message}"


def test_the_documented_defaults_are_the_defaults():
    options = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    defaults = {name: option["default"] for name, option in options.items() if "default" in option}
    assert set(defaults) == {"lost_probes", "margin", "time_ceiling", "intvl_ceiling"}
    assert safe_keepalive(86400, **defaults) == safe_keepalive(86400)
    assert safe_keepalive(900, **defaults) == safe_keepalive(900)
