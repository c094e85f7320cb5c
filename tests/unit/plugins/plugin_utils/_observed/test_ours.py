# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.ours import Ours, parse_ours

FILE = "/etc/sysctl.d/k8s.conf"
NONE = Ours({}, {}, frozenset(), False, False, {}, "")


def test_what_node_info_saw():
    seen = {
        "sysctls": {FILE: ["net.ipv4.tcp_keepalive_time"]},
        "modules": {"/etc/modules-load.d/k8s.conf": ["br_netfilter", "ip_vs"]},
        "ipvs_timeouts": ["tcp"],
        "ipvs_unit": True,
        "originals": {"net.ipv4.tcp_keepalive_time": "7200"},
        "rps": True,
        "plan_id": "12-5f0c93ab",
    }
    assert parse_ours(seen) == Ours(
        {FILE: frozenset({"net.ipv4.tcp_keepalive_time"})},
        {"/etc/modules-load.d/k8s.conf": frozenset({"br_netfilter", "ip_vs"})},
        frozenset({"tcp"}),
        True,
        True,
        {"net.ipv4.tcp_keepalive_time": "7200"},
        "12-5f0c93ab",
    )


@pytest.mark.parametrize("seen", [None, [], "x", 5, True])
def test_what_is_no_mapping_is_unknown_not_nothing(seen):
    assert parse_ours(seen) is None


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param({}, NONE, id="nothing"),
        pytest.param({"sysctls": [FILE], "modules": "x", "ipvs_timeouts": {"tcp": 1}}, NONE, id="other shapes"),
        pytest.param(
            {"sysctls": {FILE: [5, None, ["x"]]}}, Ours({FILE: frozenset()}, {}, frozenset(), False, False, {}, "")
        ),
        pytest.param({"ipvs_unit": 1, "rps": "yes"}, NONE, id="flags that are none"),
        pytest.param({"originals": {"a": 5, "b": None}}, NONE, id="values that are no text"),
        pytest.param({"plan_id": "12-5f0c93ab\n"}, NONE, id="a plan and a line"),
        pytest.param({"plan_id": "{{ 7 * 7 }}"}, NONE, id="a template"),
        pytest.param({"plan_id": 12}, NONE, id="a number for a plan"),
    ],
)
def test_hostile_shapes(seen, expected):
    assert parse_ours(seen) == expected
