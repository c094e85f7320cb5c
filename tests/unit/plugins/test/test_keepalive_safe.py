# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible.errors import AnsibleTemplateError

from ansible_collections.kubenode.connections.plugins.test.keepalive_safe import TestModule as Plugin

keepalive_safe = Plugin().tests()["keepalive_safe"]

DERIVED = {"time": 600, "intvl": 30, "probes": 9}


@pytest.mark.parametrize(
    ("keepalive", "limit", "options", "safe"),
    [
        pytest.param(DERIVED, 900, {}, True, id="below the IPVS timeout"),
        pytest.param({"time": "600", "intvl": "30", "probes": "9"}, "900", {}, True, id="text of numbers"),
        pytest.param({**DERIVED, "namespaces": 3, "own": True}, 900, {}, True, id="a group of namespaces"),
        pytest.param({"time": 7200, "intvl": 75, "probes": 9}, 900, {}, False, id="the kernel's own"),
        pytest.param(DERIVED, 744, {}, True, id="just enough"),
        pytest.param(DERIVED, 743, {}, False, id="one second short"),
        pytest.param(DERIVED, 900, {"lost_probes": 6}, True, id="six lost probes fit"),
        pytest.param(DERIVED, 900, {"lost_probes": 7}, False, id="seven lost probes do not"),
        pytest.param(DERIVED, 900, {"margin": 157}, False, id="a margin that is not left"),
        pytest.param({**DERIVED, "probes": 0}, 900, {}, False, id="no probes"),
        pytest.param(DERIVED, 0, {}, False, id="a limit of 0"),
    ],
)
def test_a_keepalive_below_a_limit(keepalive, limit, options, safe):
    assert keepalive_safe(keepalive, limit, **options) is safe


EXAMPLE = "Write one, for example {time: 600, intvl: 30, probes: 9}."


@pytest.mark.parametrize(
    ("keepalive", "limit", "options", "message"),
    [
        pytest.param(
            600,
            900,
            {},
            f"keepalive: 600 is not a mapping of time, intvl and probes with whole numbers. {EXAMPLE}",
            id="a number",
        ),
        pytest.param(
            {"time": 600, "intvl": 30},
            900,
            {},
            "keepalive: {'time': 600, 'intvl': 30} is not a mapping of time, intvl and probes with whole numbers. "
            + EXAMPLE,
            id="no probes given",
        ),
        pytest.param(
            DERIVED, "soon", {}, "limit: 'soon' is not a whole number. Write seconds, for example 900.", id="a word"
        ),
        pytest.param(
            DERIVED,
            900,
            {"lost_probes": -1},
            "lost_probes: -1 is below 0 (fewer cannot be lost). Write a whole number from 0 to 126.",
            id="an option out of range",
        ),
        pytest.param(
            DERIVED, 900, {"lost": 1}, "lost: not an option here. Did you mean lost_probes?", id="a short name"
        ),
    ],
)
def test_what_is_no_keepalive_is_an_error_of_the_test(keepalive, limit, options, message):
    with pytest.raises(AnsibleTemplateError) as caught:
        keepalive_safe(keepalive, limit, **options)
    assert str(caught.value) == f"keepalive_safe: {message}"
