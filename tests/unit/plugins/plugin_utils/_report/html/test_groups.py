# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.groups import (
    groups_of,
    picture_of,
    scale_for,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import (
    POLICY,
    applied,
    cluster,
    document,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nftables_node,
    nodes,
    quiet_node,
    stock_node,
    with_keepalive,
    with_pods,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import SAFE, row, with_rows


def lanes_of(report, node="worker1"):
    """What is drawn of a node: title, whose, time, and the limits with the deciding one first."""
    group = next(group for group in groups_of(report) if node in [each["name"] for each in group.nodes])
    return [(lane.title, lane.whose, lane.keepalive and lane.keepalive["time"]) for lane in group.lanes]


def limits_of(report, node="worker1", lane=0):
    group = next(group for group in groups_of(report) if node in [each["name"] for each in group.nodes])
    return [(mark.seconds, mark.name, mark.decides) for mark in group.lanes[lane].limits]


def test_alike_nodes_are_one_group():
    report = document(nodes(stock_node(), quiet_node(), stock_node(), stock_node()))
    assert [group.names for group in groups_of(report)] == [["worker1", "worker3", "worker4"], ["worker2"]]


def test_counters_and_kernels_do_not_part_what_is_drawn_alike():
    other = stock_node()
    other["kernel"], other["conntrack"]["count"] = "7.2.12", 9
    assert len(groups_of(document(nodes(stock_node(), other)))) == 1


def test_a_stock_node_is_drawn_now_and_as_planned():
    assert lanes_of(document(nodes(stock_node()), {})) == [
        ("Now", "the node's own and that of 23 other network namespaces", 7200),
        ("Planned", "the node's own, once the plan is applied", 600),
    ]


def test_a_node_without_other_namespaces_is_drawn_with_its_own_only():
    assert lanes_of(document(nodes(with_pods(quiet_node(), [])), {})) == [("Now", "the node's own", 600)]


def test_a_safe_node_is_drawn_once():
    assert lanes_of(document(nodes(quiet_node()), {})) == [
        ("Now", "the node's own and that of 23 other network namespaces", 600)
    ]


def test_pods_with_another_keepalive_have_a_line_of_their_own():
    node = with_pods(quiet_node(), [((7200, 75, 9), 3), ((600, 30, 9), 20)])
    assert lanes_of(document(nodes(node), {})) == [
        ("Now", "the node's own and that of 20 other network namespaces", 600),
        ("Other namespaces now", "3 other network namespaces", 7200),
    ]


def test_pods_are_apart_from_what_is_no_pod_where_all_are_listed():
    rows = [row("a/b"), row("a/c"), row("process x (7)", kind="other"), row("box", kind="container"), row("a/d", SAFE)]
    report = document(nodes(with_rows(quiet_node(), *rows)), {})
    assert lanes_of(report) == [
        ("Now", "the node's own and that of 1 pod", 600),
        ("Pods now", "2 pods", 7200),
        ("Containers now", "1 container", 7200),
        ("Processes, not pods", "1 network namespace of no pod", 7200),
    ]
    report["nodes"][0]["pods"]["omitted"] = 1
    assert ("Other namespaces now", "4 other network namespaces", 7200) in lanes_of(report)


def test_a_row_of_a_safe_node_that_is_not_safe_has_a_sentence():
    node = with_keepalive(with_pods(quiet_node(), [((7200, 75, 9), 2)]), (600, 30, 9), boot=(7200, 75, 9))
    report = document(nodes(node), {})
    report["nodes"][0]["verdict"] = "safe"
    (group,) = groups_of(report)
    assert list(group.exceptions) == [
        (
            "The keepalive of 2 other network namespaces is 7200/75/9, too late by 7384 s. The verdict here is on the "
            "node's own."
        ),
        "After a reboot the keepalive is 7200/75/9: too late by 7384 s.",
    ]


def test_of_no_pod_it_is_said_when_it_counts():
    report = document(nodes(with_rows(quiet_node(), row("process x (7)", kind="other"))), {})
    (exception,) = groups_of(report)[0].exceptions
    assert exception == (
        "The keepalive of 1 network namespace of no pod is 7200/75/9, too late by 7384 s. It counts only where such a "
        "namespace has a connection at risk."
    )


def test_a_node_at_risk_needs_no_such_sentence():
    assert [list(group.exceptions) for group in groups_of(document(nodes(stock_node()), {}))] == [[]]


def test_alike_nodes_say_how_many_namespaces_the_fewest_and_the_most_of_them_have():
    several = [with_pods(stock_node(), [((7200, 75, 9), same), ((5, 1, 3), 1)]) for same in (7, 1, 3)]
    assert lanes_of(document(nodes(*several), {}))[:2] == [
        ("Now", "the node's own and that of 1 to 7 other network namespaces", 7200),
        ("Other namespaces now", "1 other network namespace", 5),
    ]


def test_nodes_with_and_without_other_namespaces_are_apart():
    several = [with_pods(stock_node(), [((7200, 75, 9), same)] if same else []) for same in (0, 2)]
    assert len(groups_of(document(nodes(*several), {}))) == 2


def test_a_value_that_does_not_stay_is_drawn_for_after_a_reboot():
    node = with_keepalive(stock_node(), (600, 30, 9), boot=(7200, 75, 9))
    assert ("After a reboot", "the node's own, as things stand", 7200) in lanes_of(document(nodes(node), {}))


def test_an_apply_is_drawn_before_and_after():
    after = cluster()
    after["worker1"] = with_pods(with_keepalive(after["worker1"], (600, 30, 9)), [((7200, 75, 9), 3)])
    report = document(after, applied=applied(), kind="apply")
    assert lanes_of(report)[:3] == [
        ("Before", "the node's own, before the apply", 7200),
        ("Now", "the node's own", 600),
        ("Pods now", "2 pods", 7200),
    ]


def test_a_node_that_was_not_observed_has_no_keepalive():
    assert lanes_of(document(nodes(None, stock_node())), "worker1") == [("Now", "the node's own", None)]


def test_the_lowest_limit_decides_and_says_on_which_other_node_it_is():
    report = document(nodes(stock_node(), nftables_node()), POLICY)
    assert limits_of(report) == [
        (900, "IPVS tcp", True),
        (3600, "corporate firewall", False),
        (86400, "conntrack established", False),
    ]
    assert limits_of(report, "worker2")[0] == (900, "IPVS tcp on worker1", True)


def test_a_raised_limit_is_drawn_raised_in_the_plan():
    report = document(nodes(stock_node()), {"strategy": "raise_ipvs"})
    assert limits_of(report)[0] == (900, "IPVS tcp", True)
    assert limits_of(report, lane=1)[0] == (8284, "IPVS tcp", True)
    assert scale_for(report, groups_of(report)).bend == 8284


def test_limits_of_the_same_length_share_a_line():
    policy = {"middleboxes": ["aws_nlb", "aws_nat_gateway"]}
    assert limits_of(document(nodes(stock_node()), policy))[0] == (350, "AWS NAT gateway, AWS NLB", True)


def test_without_any_limit_there_is_none_to_draw():
    report = document(nodes(with_keepalive(stock_node(), (7200, 75, 9))), {})
    report.update(limit=None, planned_limit=None, limits=[])
    report["nodes"][0].update(limits=[], limit=None, planned_limit=None)
    assert limits_of(report) == []


def kinds(*sizes):
    """A report of as many kinds of nodes at risk, each with that many nodes; no two are drawn alike."""
    several = [
        with_keepalive(stock_node(), (901 + kind, 60, 9)) for kind, size in enumerate(sizes) for _node in range(size)
    ]
    return document(nodes(*several), {})


def test_all_are_drawn_where_they_are_few():
    picture = picture_of(kinds(*[2] * 30))
    assert (len(picture.groups), picture.more_nodes, picture.more_groups) == (30, 0, 0)


def test_of_many_the_worst_and_the_largest_are_drawn_in_the_order_of_the_report():
    report = kinds(*[3, 1] * 15, *[1] * 15)
    every = [group.names for group in groups_of(report)]
    picture = picture_of(report)
    assert [len(names) for names in every] == [1] * 15 + [1, 3] * 15
    assert [group.names for group in picture.groups] == every[:15] + every[16::2]
    assert (picture.more_nodes, picture.more_groups) == (15, 15)


def test_the_limits_of_a_picture_are_those_of_all_its_rows():
    report = document(nodes(stock_node()), {"strategy": "raise_ipvs"})
    (group,) = groups_of(report)
    assert [(mark.seconds, mark.name, mark.decides) for mark in group.limits] == [
        (900, "IPVS tcp", True),
        (8284, "IPVS tcp", True),
        (86400, "conntrack established", False),
    ]


def test_the_legend_has_the_marks_that_are_there():
    assert picture_of(document(nodes(quiet_node()), {})).legend == [
        "dot",
        "losing",
        "slack",
        "verdict",
        "beyond",
        "spare",
    ]
    assert picture_of(document(nodes(stock_node(), quiet_node()), {"margin": 9})).legend == [
        "dot",
        "dot late",
        "losing",
        "slack",
        "verdict",
        "margin",
        "beyond",
        "late",
        "spare",
    ]
    assert picture_of(document(nodes(None), {})).legend == []
