# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS as KEEPALIVE_KEYS
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import boot_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings import _rows_owners
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    quiet_node,
    stock_node,
    with_keepalive,
    with_sysctl,
)

MAX = "net.netfilter.nf_conntrack_max"
RETRIES2 = "net.ipv4.tcp_retries2"
TIME, _INTVL, PROBES = KEEPALIVE_KEYS


def with_file(node, key, live, value):
    """The node with a live value, and a line that sets another one at boot, in time."""
    return with_sysctl(node, key, live, value=value, file="/etc/sysctl.d/x.conf", line=7, in_time=True)


def with_written(node, key, live, written, value=None):
    """The node with a line in a file that the kernel refuses, or takes for another value."""
    return with_sysctl(node, key, live, value=value, written=written, file="/etc/sysctl.d/x.conf", line=7, in_time=True)


RAISED = [
    *_rule_cases.of_room(boot_lines, _rows_owners.RAISED),
    pytest.param(
        "boot-value-refused",
        with_written(with_keepalive(quiet_node(), (600, 30, 9)), TIME, "600", "600;"),
        {},
        {
            "severity": "warning",
            "observed": f"/etc/sysctl.d/x.conf:7 sets {TIME} to 600;",
            "remedy": "Write the number alone.",
        },
        id="a semicolon",
    ),
    pytest.param(
        "boot-value-refused",
        with_written(with_written(quiet_node(), MAX, "1", "1e6"), PROBES, "9", '"9"'),
        {},
        {"observed": f'/etc/sysctl.d/x.conf:7 sets {PROBES} to "9"; /etc/sysctl.d/x.conf:7 sets {MAX} to 1e6'},
        id="quotes, and a number with an exponent",
    ),
    pytest.param(
        "boot-value-cut",
        with_written(quiet_node(), TIME, "600", "600 # ten minutes", "600"),
        {},
        {"severity": "info", "observed": f"/etc/sysctl.d/x.conf:7 sets {TIME} to 600 # ten minutes, taken as 600"},
        id="a comment behind the number",
    ),
    pytest.param(
        "boot-value-cut",
        with_written(quiet_node(), RETRIES2, "8", "010", "8"),
        {},
        {"observed": f"/etc/sysctl.d/x.conf:7 sets {RETRIES2} to 010, taken as 8"},
        id="base 8",
    ),
    pytest.param(
        "boot-order-differs",
        with_sysctl(
            quiet_node(), "net.ipv4.tcp_retries2", "8", value="8", file="/etc/sysctl.d/a.conf", procps_value="15"
        ),
        {},
        {
            "severity": "info",
            "observed": "net.ipv4.tcp_retries2 8 at boot, 15 by sysctl --system",
            "why": "systemd-sysctl and procps read different files, in a different order.",
            "remedy": "Keep each key in one file only.",
        },
        id="procps reads another file last",
    ),
    pytest.param(
        "boot-lines-unreadable",
        altered(
            quiet_node(), boot_problems=[{"file": "/etc/sysctl.d/x.conf", "line": n, "what": "no ="} for n in range(8)]
        ),
        {},
        {
            "severity": "info",
            "observed": "/etc/sysctl.d/x.conf:0: no =; /etc/sysctl.d/x.conf:1: no =; /etc/sysctl.d/x.conf:2: no =; "
            "/etc/sysctl.d/x.conf:3: no =; /etc/sysctl.d/x.conf:4: no =; /etc/sysctl.d/x.conf:5: no = and 2 more",
            "why": "The boot skips such lines, so a setting may be missing.",
            "remedy": "Correct or remove them.",
        },
        id="lines without an equals sign",
    ),
]

NOT_RAISED = [
    *_rule_cases.of_room(boot_lines, _rows_owners.NOT_RAISED),
    pytest.param("boot-value-refused", with_file(stock_node(), RETRIES2, "15", "8"), {}, id="a number"),
    pytest.param(
        "boot-value-refused", with_written(stock_node(), TIME, "600", "600 # x", "600"), {}, id="cut, not refused"
    ),
    pytest.param("boot-value-cut", with_file(stock_node(), RETRIES2, "15", "8"), {}, id="all of it counts"),
    pytest.param("boot-value-cut", with_written(stock_node(), TIME, "7200", "600;"), {}, id="refused, not cut"),
    pytest.param("boot-order-differs", stock_node(), {}, id="both leave the same"),
    pytest.param("boot-lines-unreadable", stock_node(), {}, id="every line can be read"),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert _rule_cases.finding_of(identity, node, policy) is None


def test_every_rule_of_the_room_is_tested_both_ways():
    ids = {rule.id for rule in boot_lines.RULES}
    assert {row.values[0] for row in RAISED} == {row.values[0] for row in NOT_RAISED} == ids
