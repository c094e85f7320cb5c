# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import enforcement
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import (
    OLD_KERNEL,
    POLICY,
    able,
    enforcing,
    unable,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    plain_node,
    quiet_node,
    stock_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    row,
    service,
    with_rows,
)

APPLY = "Run the playbook kubenode.connections.apply"
LIMIT = "900 s (IPVS tcp on worker1)"
WHY = (
    "A small program in the kernel (BPF, sock_ops) gives each new connection of the node the planned keepalive and "
    "SO_KEEPALIVE, for programs that never ask for it and for pods to come, too. Connections that are open are not its "
    "business."
)
OLD = {"possible": False, "reason": OLD_KERNEL, "obstacle": "kernel"}
TAKES_AWAY = "With false it takes away what is there."


def at_risk(node, *more):
    """Two pods with the kernel's values, one of them with three connections that never probe."""
    return with_rows(node, row("a/b"), row("a/c", KERNEL, service(without=3)), *more)


RAISED = [
    pytest.param(
        "enforce-possible",
        at_risk(able(quiet_node())),
        {},
        {
            "severity": "info",
            "scope": "worker1",
            "observed": "it would cure 2 pods with a keepalive that is too late and 3 connections without "
            "SO_KEEPALIVE, once their programs connect again",
            "why": WHY,
            "remedy": f"Set keepalive_enforce: true. {APPLY}. See docs/enforce.md.",
            "limit": LIMIT,
        },
        id="a node that could",
    ),
    pytest.param(
        "enforce-possible",
        at_risk(able({**quiet_node(), "kernel": "5.10.0-30-amd64"})),
        {},
        {"why": f"{WHY} Before Linux 6.1 options which a program sets before it connects are replaced."},
        id="a kernel that replaces what a socket has",
    ),
    pytest.param(
        "enforce-possible",
        with_rows(able(quiet_node(), others=1), row("container web (docker)", kind="container")),
        {},
        {
            "observed": "it would cure 1 container with a keepalive that is too late",
            "why": f"{WHY} 1 program of others, attached in the same place, stays there.",
        },
        id="with a program of others in the same place",
    ),
    pytest.param(
        "enforce-impossible",
        at_risk(unable(quiet_node())),
        POLICY,
        {
            "severity": "warning",
            "observed": OLD_KERNEL.rstrip("."),
            "why": "Without it, programs that never ask for keepalive and pods to come are at risk on this node as "
            "before.",
            "remedy": "Give pods theirs by the role pod_defaults, and have programs ask for keepalive themselves. With "
            "keepalive_enforce: false for this host this is no finding.",
            "limit": None,
        },
        id="an old kernel",
    ),
    pytest.param(
        "enforce-impossible",
        unable(quiet_node(), None, None),
        POLICY,
        {"severity": "warning", "observed": "no reason was given"},
        id="nobody said why",
    ),
    pytest.param(
        "enforce-impossible",
        quiet_node(),
        POLICY,
        {
            "severity": "unknown",
            "observed": "whether the node can is not known: node_info did not look",
            "remedy": "Run again with node_info of this version.",
        },
        id="an older node_info",
    ),
    pytest.param(
        "enforce-impossible",
        able(quiet_node(), possible=None, reason="not root.", obstacle="rights"),
        POLICY,
        {
            "severity": "unknown",
            "observed": "whether the node can is not known: not root",
            "remedy": "Run again as root (-e keepalive_become=true). An apply that cannot do it changes nothing.",
        },
        id="without root",
    ),
    pytest.param(
        "enforce-impossible",
        able(quiet_node(), possible=None, reason="a backport.", obstacle="unknown"),
        POLICY,
        {
            "severity": "unknown",
            "observed": "whether the node can is not known: a backport",
            "remedy": "Only an apply tells. Where it fails, which changes nothing, set keepalive_enforce: false for "
            "this host.",
        },
        id="a kernel with backports",
    ),
    pytest.param(
        "enforce-not-in-force",
        enforcing(quiet_node(), None, **OLD),
        POLICY,
        {
            "observed": "nothing is attached; the unit of this collection would attach 600/30/9",
            "remedy": f"Set keepalive_enforce: false for this host. {APPLY}: it takes away what is there.",
        },
        id="an old kernel was booted",
    ),
    pytest.param(
        "enforce-not-in-force",
        enforcing(quiet_node(), None, **OLD),
        {},
        {"remedy": f"{APPLY}: it takes away what is there."},
        id="an old kernel was booted, and it is not asked for",
    ),
    pytest.param(
        "enforce-possible",
        with_rows(
            able(quiet_node()),
            row("a/b"),
            row("a/c", KERNEL, service(without=3), sandbox="gvisor"),
            row("a/d", SAFE, service("10.96.0.77:80", without=4), service(without=2)),
        ),
        {"middleboxes": [{"name": "haproxy", "destinations": ["10.96.0.77"]}]},
        {
            "observed": "it would cure 1 pod with a keepalive that is too late and 2 connections without SO_KEEPALIVE, "
            "once their programs connect again"
        },
        id="neither a sandbox nor a proxy is promised anything",
    ),
    pytest.param(
        "enforce-not-at-boot",
        enforcing(quiet_node(), boot=None),
        POLICY,
        {
            "severity": "warning",
            "observed": "600/30/9 now; after a reboot nothing: no unit attaches it",
            "why": "A program in the kernel is gone after a reboot. A systemd unit attaches it again.",
            "remedy": f"{APPLY}: it writes and enables the unit.",
        },
        id="no unit",
    ),
    pytest.param(
        "enforce-not-at-boot",
        enforcing(quiet_node(), boot=(233, 11, 9)),
        {},
        {
            "observed": "600/30/9 now; after a reboot 233/11/9",
            "remedy": f"Set keepalive_enforce: true. {APPLY}: it writes and enables the unit. {TAKES_AWAY}",
        },
        id="other values at boot, and the variable is off",
    ),
    pytest.param(
        "enforce-not-at-boot",
        enforcing(quiet_node(), enabled=False),
        POLICY,
        {"observed": "600/30/9 now; after a reboot nothing: the unit that attaches it is not enabled"},
        id="a unit that is not enabled",
    ),
    pytest.param(
        "enforce-not-at-boot",
        enforcing(quiet_node(), boot=None, systemd=False),
        POLICY,
        {
            "observed": "600/30/9 now; after a reboot nothing: the node has no systemd",
            "remedy": "Run /etc/kubenode.connections/enforce.py at boot, before kubelet and the container runtime.",
        },
        id="no systemd",
    ),
    pytest.param(
        "enforce-not-in-force",
        enforcing(quiet_node(), None),
        POLICY,
        {
            "severity": "warning",
            "observed": "nothing is attached; the unit of this collection would attach 600/30/9",
            "why": "New connections of programs that never ask for keepalive, and of pods to come, are at risk as "
            "without it.",
            "remedy": f"{APPLY}: it attaches it.",
            "limit": LIMIT,
        },
        id="somebody detached it",
    ),
    pytest.param(
        "enforce-not-in-force",
        enforcing(quiet_node(), None, enabled=False, systemd=False),
        POLICY,
        {
            "severity": "warning",
            "observed": "nothing is attached; the script of this collection would attach 600/30/9",
            "why": "New connections of programs that never ask for keepalive, and of pods to come, are at risk as "
            "without it.",
            "remedy": f"{APPLY}: it attaches it.",
            "limit": LIMIT,
        },
        id="after a reboot without systemd",
    ),
    pytest.param(
        "enforce-not-in-force",
        enforcing(quiet_node(), exact=False, ports=(22,)),
        {},
        {
            "observed": "600/30/9 (not: ports 22), but not by the program of this version with these values",
            "remedy": f"Set keepalive_enforce: true. {APPLY}: it attaches it. {TAKES_AWAY}",
        },
        id="another program",
    ),
    pytest.param(
        "enforce-not-in-force",
        enforcing(quiet_node(), (3000, 75, 9), (3000, 75, 9)),
        POLICY,
        {
            "observed": "3000/75/9: 3000 + 2 x 75 = 3150 s, with timer slack 3550 s, is 2650 s beyond 900 s (IPVS tcp "
            "on worker1)"
        },
        id="values that are too late",
    ),
]

NOT_RAISED = [
    pytest.param("enforce-possible", at_risk(quiet_node()), {}, id="an older node_info"),
    pytest.param("enforce-possible", at_risk(unable(quiet_node())), {}, id="a node that cannot"),
    pytest.param("enforce-possible", at_risk(able(quiet_node(), possible=None)), {}, id="nobody knows"),
    pytest.param("enforce-possible", at_risk(able(quiet_node())), POLICY, id="it is asked for"),
    pytest.param("enforce-possible", at_risk(enforcing(quiet_node(), boot=None)), {}, id="it is there"),
    pytest.param("enforce-possible", with_rows(able(quiet_node()), row("a/b", SAFE)), {}, id="nothing to cure"),
    pytest.param("enforce-possible", able(stock_node()), {}, id="nobody looked for pods"),
    pytest.param("enforce-possible", with_rows(able(plain_node()), row("a/b")), {}, id="no limit"),
    pytest.param(
        "enforce-possible",
        with_rows(able(quiet_node()), row("a/b", KERNEL, sandbox="gvisor")),
        {},
        id="a sandbox that it does not reach",
    ),
    pytest.param("enforce-impossible", unable(quiet_node()), {}, id="it is not asked for"),
    pytest.param("enforce-impossible", able(quiet_node()), POLICY, id="a node that can"),
    pytest.param("enforce-impossible", enforcing(quiet_node(), possible=None), POLICY, id="it is there"),
    pytest.param("enforce-not-at-boot", enforcing(quiet_node()), {}, id="a unit with the same values"),
    pytest.param("enforce-not-at-boot", enforcing(quiet_node(), None), {}, id="nothing attached"),
    pytest.param("enforce-not-at-boot", quiet_node(), {}, id="an older node_info"),
    pytest.param("enforce-not-in-force", enforcing(quiet_node()), POLICY, id="it is as wanted"),
    pytest.param("enforce-not-in-force", enforcing(quiet_node(), boot=None), POLICY, id="it is until a reboot"),
    pytest.param("enforce-not-in-force", able(quiet_node()), POLICY, id="nothing was ever attached"),
    pytest.param("enforce-not-in-force", quiet_node(), {}, id="an older node_info"),
    pytest.param(
        "enforce-not-in-force",
        enforcing(quiet_node(), None, possible=None),
        POLICY,
        id="nobody could see what there is",
    ),
    pytest.param(
        "enforce-not-in-force",
        enforcing(quiet_node(), None, possible=False, obstacle="rights"),
        {},
        id="who may not attach sees nothing",
    ),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert _rule_cases.finding_of(identity, node, policy) is None


def test_every_rule_of_the_room_is_tested_both_ways():
    ids = {rule.id for rule in enforcement.RULES}
    assert {row.values[0] for row in RAISED} == {row.values[0] for row in NOT_RAISED} == ids
