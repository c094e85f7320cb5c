# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.risks import risks_of
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nodes,
    quiet_node,
    stock_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    outside,
    row,
    service,
    with_rows,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.html._page_words import section

LATE = "keepalive 7200/75/9: 7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond 900 s (IPVS tcp on {})"


def causes_of(report, number=0):
    """Of a node: why, and of each kind the title and the labels."""
    return [
        (cause.why, [(kind.title, [each["label"] for each in kind.rows]) for kind in cause.kinds])
        for cause in risks_of(report)[number].causes
    ]


def test_rows_of_a_node_are_apart_by_cause_and_then_by_kind():
    rows = [
        row("process chrome (812)", KERNEL, kind="other"),
        row("a/late", KERNEL, service(gaps=[(7200, 2)])),
        row("a/own", (1800, 60, 5)),
        row("a/quiet", KERNEL),
    ]
    report = document(nodes(with_rows(stock_node(), *rows)), {})
    first, second = causes_of(report)
    assert first == (
        LATE.format("worker1"),
        [
            ("Pods", ["a/late", "a/quiet"]),
            ("The node itself", ["the node itself"]),
            ("Processes, not pods", ["process chrome (812)"]),
        ],
    )
    assert (second[0][:20], second[1]) == ("keepalive 1800/60/5:", [("Pods", ["a/own"])])


def test_what_could_not_be_read_is_one_cause_whatever_the_reason():
    rows = [row(f"a/{number}", None, error=f"/proc/{number}/ns/net: Permission denied") for number in (7, 8)]
    report = document(nodes(with_rows(quiet_node(), *rows)), {})
    assert causes_of(report) == [("the keepalive could not be read", [("Pods", ["a/7", "a/8"])])]


def test_a_cause_has_the_worst_verdict_and_the_connections_of_its_rows():
    rows = [row("a/b", SAFE, service(gaps=[(600, 4)], in_flight=2)), row("a/c", SAFE, service(gaps=[(7200, 1)]))]
    (cause,) = risks_of(document(nodes(with_rows(quiet_node(), *rows)), {}))[0].causes
    assert (cause.verdict, cause.connections) == ("unsafe", "1 with a late timer, 2 not decided")


def test_what_the_verdict_does_not_count_is_said():
    said = "The verdict does not count this: no connection with these values is at risk."
    for rows, counted in (
        ([row("process x (1)", KERNEL, kind="other")], False),
        ([row("process x (1)", KERNEL, service(gaps=[(7200, 1)]), kind="other")], True),
        ([row("process x (1)", KERNEL, kind="other"), row("a/b", KERNEL)], True),
    ):
        report = document(nodes(with_rows(quiet_node(), *rows)), {})
        assert risks_of(report)[0].causes[0].counts is counted
        assert (said in section(report, "pods")) is not counted


def test_nodes_without_a_risk_are_left_out():
    report = document(nodes(quiet_node(), with_rows(quiet_node(), row("a/b", SAFE)), stock_node(), None), {})
    assert risks_of(report) == []


def test_a_report_of_an_earlier_release_has_no_reason_of_the_keepalive_alone():
    report = document(nodes(with_rows(stock_node(), row("a/b", KERNEL, service(gaps=[(7200, 2)])))), {})
    for each in report["nodes"][0]["pods"]["rows"]:
        del each["keepalive_why"]
    assert [why for why, _kinds in causes_of(report)] == [LATE.format("worker1")]


def test_counts_are_there_folded_or_not():
    pod = {**row("a/b", (233, 11, 9), service()), **outside(service("192.0.2.2:5432", 3))}
    late = row("a/c", KERNEL, service(gaps=[(7200, 2)]))
    box = row("box", KERNEL, kind="container")
    report = document(nodes(with_rows(quiet_node(), pod, late, box)), {"middleboxes": ["aws_nat_gateway"]})
    assert risks_of(report)[0].counts == (
        "2 of 2 pods, 1 of 1 container, 2 of 2 connections to services, 3 of 3 connections to other addresses at risk"
    )


def many(*sizes):
    """Nodes with so many pods at risk."""
    return document(nodes(*(with_rows(quiet_node(), *(row(f"a/{n}") for n in range(size))) for size in sizes)), {})


def test_of_many_rows_of_a_kind_the_first_are_seen_at_once():
    (kind,) = risks_of(many(20))[0].causes[0].kinds
    assert (len(kind.seen), len(kind.folded)) == (8, 12)
    assert [len(kind.folded) for kind in risks_of(many(8))[0].causes[0].kinds] == [0]
    markup = section(many(20), "pods")
    assert '<h4>Pods <span class="times">20</span></h4>' in markup
    assert "<summary>12 more</summary>" in markup
    assert len(re.findall("<li data-kind", markup)) == 20


def test_nodes_are_open_while_few_rows_are_seen():
    assert [each.opened for each in risks_of(many(8, 8, 8, 8, 1))] == [True, True, True, False, False]
    assert [each.opened for each in risks_of(many(*[1] * 30))] == [True] * 24 + [False] * 6
    markup = section(many(8, 8, 8, 8), "pods")
    assert (markup.count("data-group open><summary>"), markup.count('class="risks"')) == (0, 4)
    assert re.findall('<details class="risks" data-group( open)?>', markup) == [" open"] * 3 + [""]
