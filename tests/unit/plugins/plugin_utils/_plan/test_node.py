# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import NodeLimits, NotSeen
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.node import unsafe_groups, verdict_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import parse_policy
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OTHER_FILE,
    TIME,
    applied_node,
    container_node,
    nftables_node,
    plain_node,
    plan_one,
    stock_node,
    unprivileged_node,
    with_keepalive,
    with_pods,
    with_sysctl,
)


@pytest.mark.parametrize(
    ("node", "verdict", "keepalive", "why"),
    [
        pytest.param(
            nftables_node(),
            "safe",
            (7200, 75, 9),
            "7200 + 2 x 75 = 7350 s, with timer slack 8284 s, leaves 78116 s of 86400 s (conntrack established on "
            "worker1)",
            id="nftables mode: conntrack is the limit, and the kernel's keepalive is below it",
        ),
        pytest.param(
            plain_node(),
            "safe",
            None,
            "nothing was seen that forgets idle connections",
            id="no kube-proxy, no conntrack: confirmed absent",
        ),
        pytest.param(
            container_node(),
            "safe",
            None,
            "nothing was seen that forgets idle connections",
            id="a container whose namespace has nothing",
        ),
        pytest.param(
            unprivileged_node(),
            "unknown",
            (7200, 75, 9),
            "IPVS tcp could not be read: the kernel refused: Operation not permitted",
            id="not root: safe below what was seen is not safe",
        ),
        pytest.param(
            with_keepalive(unprivileged_node(), (86400, 75, 9)),
            "unsafe",
            (7200, 75, 9),
            "86400 + 2 x 75 = 86550 s, with timer slack 97541 s, is 11141 s beyond 86400 s (conntrack established "
            "on worker1)",
            id="not root, yet too late for what was seen",
        ),
        pytest.param(None, "unknown", None, "it was not observed", id="not observed"),
        pytest.param({}, "unknown", None, "it was not observed", id="observed as nothing"),
        pytest.param(
            with_sysctl(stock_node(), TIME, None),
            "unknown",
            (600, 30, 9),
            "its keepalive could not be read",
            id="keepalive unreadable",
        ),
        pytest.param(
            with_keepalive(stock_node(), (600, 30, 0)),
            "unsafe",
            (600, 30, 9),
            "keepalive 600/30/0 has a value below 1, which ends or floods idle connections",
            id="no probes at all",
        ),
    ],
)
def test_the_verdict_of_one_node(node, verdict, keepalive, why):
    plan, worker = plan_one(node)
    assert (worker["verdict"], plan["verdict"], worker["why"]) == (verdict, verdict, why)
    values = plan["keepalive"] and tuple(plan["keepalive"].values())
    assert values == keepalive


def test_a_margin_that_is_not_left_is_a_wish_and_no_risk():
    _plan, worker = plan_one(applied_node(), margin=200)
    assert (worker["verdict"], worker["spare_seconds"]) == ("safe", 156)
    assert worker["why"] == (
        "kept while 6 probes in a row are lost, but less than the 200 s of keepalive_margin are left: 600 + 2 x 30 "
        "= 660 s, with timer slack 744 s, leaves 156 s of 900 s (IPVS tcp on worker1), 44 s less than "
        "keepalive_margin 200"
    )


@pytest.mark.parametrize(
    ("keepalive", "middlebox", "survived", "spare"),
    [
        pytest.param((200, 200, 5), 350, "while no probe is lost", 124, id="two periods of 200 s are beyond 350 s"),
        pytest.param((100, 100, 5), 240, "while 1 probe is lost", 14, id="three of 100 s beyond 240 s"),
        pytest.param((400, 100, 9), 600, "while 1 probe is lost", 36, id="a short limit of somebody else"),
    ],
)
def test_a_keepalive_that_survives_too_few_lost_probes_is_safe_and_says_how_many(keepalive, middlebox, survived, spare):
    node = with_keepalive(nftables_node(), keepalive, file=OTHER_FILE)
    _plan, worker = plan_one(node, middleboxes=[{"name": "box", "seconds": middlebox}])
    assert (worker["verdict"], worker["spare_seconds"]) == ("safe", spare)
    assert worker["why"].startswith(f"kept {survived}, but keepalive_lost_probes is 2: {keepalive[0]} + 2 x")
    assert worker["changes"]


def test_one_that_lets_a_healthy_connection_be_forgotten_is_unsafe_whatever_the_policy():
    """311 s may last 351 s, 310 s only 350 s."""
    for seconds, verdict in ((310, "safe"), (311, "unsafe")):
        node = with_keepalive(nftables_node(), (seconds, 5, 9), file=OTHER_FILE)
        assert plan_one(node, lost_probes=0, middleboxes=["aws_nlb"])[1]["verdict"] == verdict
        late_intvl = with_keepalive(nftables_node(), (5, seconds, 9), file=OTHER_FILE)
        assert plan_one(late_intvl, lost_probes=9, middleboxes=["aws_nlb"])[1]["verdict"] == verdict


LIMIT = Limit(900, "IPVS tcp", "worker1")
ABSURD = NotSeen("worker1", "IPVS tcp", "shows 5 s", place="ipvs", do="", shown=Limit(5, "IPVS tcp", "worker1"))
NEXT_START = NotSeen(
    "worker1", "x", "shows 5 s", place="ipvs", do="", shown=Limit(5, "IPVS tcp after a kube-proxy restart", "worker1")
)


@pytest.mark.parametrize(
    ("keepalive", "not_seen", "limit", "verdict"),
    [
        pytest.param((738, 30, 9), (), LIMIT, "safe", id="the latest first probe that is in time"),
        pytest.param((739, 30, 9), (), LIMIT, "safe", id="one second later: not with two lost probes"),
        pytest.param((798, 30, 9), (), LIMIT, "safe", id="the latest with no lost probe"),
        pytest.param((799, 30, 9), (), LIMIT, "unsafe", id="one second after that"),
        pytest.param((30, 799, 9), (), LIMIT, "unsafe", id="an answered probe is followed too late"),
        pytest.param((600, 30, 9), (ABSURD,), LIMIT, "unsafe", id="too late for an absurd limit that is in force"),
        pytest.param((600, 30, 9), (NEXT_START,), LIMIT, "unknown", id="an absurd limit that only a restart brings"),
        pytest.param(
            (600, 30, 9),
            (NotSeen("worker1", "x", "y", place="ipvs", do=""),),
            None,
            "unknown",
            id="a limit that was not seen",
        ),
        pytest.param((0, 30, 9), (), None, "unsafe", id="a value below 1 without a limit"),
        pytest.param(None, (), LIMIT, "unknown", id="the keepalive was not seen"),
    ],
)
def test_the_verdict_of_a_keepalive(keepalive, not_seen, limit, verdict):
    triple = Keepalive(*keepalive) if keepalive else None
    assert verdict_of(triple, NodeLimits((), not_seen, ()), limit, parse_policy({}))[0] == verdict


def test_what_is_not_known_is_named():
    seen = NodeLimits((), (NotSeen("worker1", "IPVS tcp", "no right", place="ipvs", do=""), ABSURD), ())
    _verdict, why = verdict_of(Keepalive(3, 1, 9), seen, None, parse_policy({"lost_probes": 0}))
    assert why == "IPVS tcp could not be read: no right; IPVS tcp shows 5 s"


def test_namespaces_other_than_the_nodes_own_that_are_late():
    node = parse_node(with_pods(stock_node(), [((7200, 75, 9), 3), ((600, 30, 9), 2), ((600, 30, 0), 1)]))
    late = list(unsafe_groups(node, LIMIT))
    assert sorted(late) == [(Keepalive(600, 30, 0), 1), (Keepalive(7200, 75, 9), 3)]
    assert list(unsafe_groups(node, None)) == [(Keepalive(600, 30, 0), 1)]


def test_a_key_that_node_info_does_not_read_is_noted():
    _plan, worker = plan_one(applied_node(), sysctls={"vm.swappiness": 1})
    assert (
        "vm.swappiness is set, but node_info does not read it: whether it differs now is not known." in worker["notes"]
    )


def test_spare_seconds_are_those_of_the_nodes_own_keepalive():
    assert plan_one(applied_node())[1]["spare_seconds"] == 156
    assert plan_one(with_keepalive(stock_node(), (600, 30, 0)))[1]["spare_seconds"] is None
    assert plan_one(plain_node())[1]["spare_seconds"] is None
