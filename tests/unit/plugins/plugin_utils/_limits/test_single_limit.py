# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.single_limit import (
    derive_for_seconds,
    is_safe_for_seconds,
)

SAFE = {"time": 600, "intvl": 30, "probes": 9}


def test_the_shortest_limit_there_is_a_keepalive_for():
    assert derive_for_seconds(10, {}) == Keepalive(6, 1, 3)
    with pytest.raises(PlanError, match=r"^limit: 9 s is below 10 s \(.*\)\. Raise it\.$"):
        derive_for_seconds(9, {})


def test_text_of_numbers_is_taken_for_numbers():
    assert derive_for_seconds("900", {"lost_probes": "2", "margin": "300", "intvl_ceiling": "10"}) == Keepalive(
        400, 10, 9
    )
    assert is_safe_for_seconds({name: str(value) for name, value in SAFE.items()}, "744", {})


@pytest.mark.parametrize(
    ("limit", "options", "safe"),
    [(744, {}, True), (743, {}, False), (900, {"margin": 156}, True), (900, {"margin": 157}, False)],
)
def test_a_keepalive_is_safe_up_to_the_second(limit, options, safe):
    assert is_safe_for_seconds(SAFE, limit, options) is safe


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda: is_safe_for_seconds(SAFE, 900, {"time_ceiling": 1}),
            "time_ceiling: not an option here. Known are lost_probes, margin.",
            id="an option of the other",
        ),
        pytest.param(
            lambda: derive_for_seconds(900, {"margin": -1}),
            "margin: -1 is below 0 (a margin is never negative). Write a whole number from 0 to 2147483.",
            id="without the prefix of the role's variables",
        ),
        pytest.param(
            lambda: derive_for_seconds(900, []),
            "policy: [] is not a mapping. Write names and values, for example {lost_probes: 2}.",
            id="options that are none",
        ),
        pytest.param(
            lambda: is_safe_for_seconds({**SAFE, "probes": None}, 900, {}),
            "keepalive: {'time': 600, 'intvl': 30, 'probes': None} is not a mapping of time, intvl and probes with "
            "whole numbers. Write one, for example {time: 600, intvl: 30, probes: 9}.",
            id="no number",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(call, message):
    with pytest.raises(PlanError) as refused:
        call()
    assert str(refused.value) == message
