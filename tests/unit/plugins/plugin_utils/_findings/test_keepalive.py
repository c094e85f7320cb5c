# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import keepalive
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import able
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OTHER_FILE,
    OUR_FILE,
    applied_node,
    nftables_node,
    plain_node,
    quiet_node,
    stock_node,
    with_keepalive,
)

IPVS_LIMIT = "900 s (IPVS tcp on worker1)"
APPLY = "Run the playbook kubenode.connections.apply"
ENOUGH = "Or, if that is enough for you, set keepalive_lost_probes:"
TIMERS = "Open sockets keep their old timer until it fires: restart what cannot wait."

NLB = {"middleboxes": ["aws_nlb"]}
TWO_LOST_TOO_MANY = with_keepalive(nftables_node(), (200, 200, 5), file=OTHER_FILE)

RAISED = [
    pytest.param(
        "keepalive-too-late",
        stock_node(),
        {},
        {
            "severity": "critical",
            "scope": "worker1",
            "limit": IPVS_LIMIT,
            "observed": "keepalive 7200/75/9: 7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond "
            + IPVS_LIMIT,
            "why": "After 900 s without a packet the connection is forgotten and neither end is told. "
            "The next request gets 'Connection reset by peer', or no answer at all.",
            "remedy": f"{APPLY}: it sets 600/30/9. {TIMERS}",
        },
        id="a stock node",
    ),
    pytest.param(
        "keepalive-too-late",
        able(stock_node()),
        {},
        {"remedy": f"{APPLY}: it sets 600/30/9."},
        id="a node that can re-arm, with no late connection: nothing to restart",
    ),
    pytest.param(
        "keepalive-too-late",
        able(stock_node()),
        {"open_connections": "never"},
        {"remedy": f"{APPLY}: it sets 600/30/9. {TIMERS}"},
        id="a node that can re-arm and must not",
    ),
    pytest.param(
        "keepalive-too-late",
        stock_node(),
        {"strategy": "raise_ipvs"},
        {"severity": "critical", "remedy": f"{APPLY}: it raises the IPVS tcp timeout."},
        id="a stock node, to be cured by IPVS",
    ),
    pytest.param(
        "keepalive-lost-probes",
        TWO_LOST_TOO_MANY,
        NLB,
        {
            "severity": "warning",
            "limit": "350 s (AWS NLB)",
            "observed": "keepalive 200/200/5: kept while no probe is lost, but keepalive_lost_probes is 2: 200 + 2 x "
            "200 = 600 s, with timer slack 677 s, is 327 s beyond 350 s (AWS NLB)",
            "remedy": f"{APPLY}: it sets 200/11/9. {TIMERS} {ENOUGH} 0.",
        },
        id="two periods are beyond the limit",
    ),
    pytest.param(
        "keepalive-lost-probes",
        with_keepalive(nftables_node(), (100, 100, 5), file=OTHER_FILE),
        {"middleboxes": ["azure_lb"], "lost_probes": 3},
        {
            "observed": "keepalive 100/100/5: kept while 1 probe is lost, but keepalive_lost_probes is 3: 100 "
            "+ 3 x 100 = 400 s, with timer slack 451 s, is 211 s beyond 240 s (Azure LB)",
            "remedy": f"{APPLY}: it sets 100/8/9. {TIMERS} {ENOUGH} 1.",
        },
        id="one may be lost",
    ),
    pytest.param(
        "keepalive-lost-probes",
        applied_node(),
        {"margin": 200},
        {"severity": "warning", "remedy": f"{APPLY}: it sets 466/23/9. {TIMERS}"},
        id="a margin that is not left",
    ),
    pytest.param(
        "keepalive-deadly",
        with_keepalive(stock_node(), (600, 30, 0)),
        {},
        {
            "severity": "critical",
            "observed": "keepalive 600/30/0 (time/intvl/probes)",
            "limit": "1",
            "why": "The kernel takes values below 1. With 0 probes it resets a healthy idle connection at its first "
            "timer; "
            "a time or intvl below 1 fires at once, again and again.",
            "remedy": f"{APPLY}.",
        },
        id="no probes",
    ),
    pytest.param(
        "keepalive-deadly",
        with_keepalive(plain_node(), (0, 75, 9)),
        {},
        {"remedy": "Set keepalive_time, keepalive_intvl and keepalive_probes."},
        id="a time of 0 where nothing forgets",
    ),
    pytest.param(
        "keepalive-few-probes",
        with_keepalive(quiet_node(), (600, 30, 2), file=OUR_FILE),
        {},
        {
            "severity": "warning",
            "observed": "net.ipv4.tcp_keepalive_probes 2, with keepalive_lost_probes 2",
            "limit": "3 (keepalive_lost_probes 2 and one more)",
            "remedy": f"{APPLY}.",
            "why": "After 2 unanswered probes the kernel resets the connection, a healthy one too.",
        },
        id="as many probes as may be lost",
    ),
    pytest.param(
        "keepalive-undecided",
        stock_node(),
        {"profile": "article"},
        {
            "severity": "warning",
            "scope": "plan",
            "limit": IPVS_LIMIT,
            "observed": "keepalive 600/30/10: 600 + 10 x 30 = 900 s, not below 900 s",
            "why": "A healthy connection is kept. A dead peer is given up only after the path has forgotten the "
            "connection.",
            "remedy": "Use keepalive_profile: derived.",
        },
        id="the article",
    ),
    pytest.param(
        "keepalive-undecided",
        stock_node(),
        {"time": 600, "intvl": 60, "probes": 9},
        {"remedy": "Lower keepalive_time or keepalive_intvl or keepalive_probes."},
        id="the user's values",
    ),
    pytest.param(
        "keepalive-undecided",
        with_keepalive(quiet_node(), (600, 30, 10), file=OUR_FILE),
        {"strategy": "raise_ipvs"},
        {"remedy": "Set keepalive_ipvs_timeouts: {tcp: 901}."},
        id="the values in use, below an IPVS timeout that is just enough",
    ),
    pytest.param(
        "node-keepalive-undecided",
        with_keepalive(quiet_node(), (600, 30, 10), file="/etc/sysctl.d/10-x.conf"),
        {},
        {"severity": "info", "remedy": "Nothing has to be done. Fewer probes would decide in time."},
        id="the article's values, by somebody else",
    ),
]

NOT_RAISED = [
    pytest.param("keepalive-too-late", applied_node(), {}, id="soon enough"),
    pytest.param("keepalive-too-late", plain_node(), {}, id="nothing forgets"),
    pytest.param("keepalive-too-late", TWO_LOST_TOO_MANY, NLB, id="200/200/5 is in time for 350 s"),
    pytest.param("keepalive-lost-probes", stock_node(), {}, id="too late, lost probes or not"),
    pytest.param("keepalive-lost-probes", TWO_LOST_TOO_MANY, {**NLB, "lost_probes": 0}, id="none is to be survived"),
    pytest.param("keepalive-lost-probes", with_keepalive(stock_node(), (600, 30, 0)), {}, id="a deadly one"),
    pytest.param("keepalive-deadly", stock_node(), {}, id="all values are positive"),
    pytest.param("keepalive-few-probes", stock_node(), {}, id="nine probes"),
    pytest.param("keepalive-undecided", stock_node(), {}, id="derived values decide in time"),
    pytest.param("node-keepalive-undecided", quiet_node(), {}, id="870 s below 900 s"),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert _rule_cases.finding_of(identity, node, policy) is None


def test_every_rule_of_the_room_is_tested_both_ways():
    ids = {rule.id for rule in keepalive.RULES}
    assert {row.values[0] for row in RAISED} == {row.values[0] for row in NOT_RAISED} == ids
