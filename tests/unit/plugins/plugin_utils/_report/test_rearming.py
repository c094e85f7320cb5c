# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report import rearming
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import FULL
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.drift import drift
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import (
    POLICY,
    able,
    enforcing,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nodes,
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
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report._schema import complaints

LATE = row("a/b", SAFE, service(without=2, gaps=[(7200, 3)]))
LEFT = {"reason_id": "own_values", "reason": "its program set them", "connections": 2}
ROW = {"kind": "pod", "label": "a/b", "uid": None, "peer": "10.96.0.10:80", "process": None, "rearmed": 3}
DONE = {"rearmed": 3, "not_rearmed": 2, "rows": [{**ROW, "not_rearmed": [LEFT]}], "more_rows": 0}
OUTCOME = {"changed": True, "before": {"enforce": None}, "after": {"enforce": "600/30/9"}, "open_connections": DONE}


def text(report):
    lines = "\n".join(plain(line).strip() for line in text_lines(report, 110, detail=FULL))
    assert complaints(report) == []
    return lines


def page_words(report):
    return " ".join(render_html(report).split())


@pytest.mark.parametrize(
    ("rearmed", "left", "check_mode", "words"),
    [
        (0, 0, False, ""),
        (1, 0, False, "1 open connection re-armed in place"),
        (3, 2, False, "3 open connections re-armed in place, 2 could not be"),
        (0, 2, False, "0 open connections re-armed in place, 2 could not be"),
        (3, 1, True, "3 open connections would be re-armed in place, 1 cannot be"),
    ],
)
def test_what_became_of_them_in_words(rearmed, left, check_mode, words):
    assert rearming.rearmed_words(rearmed, left, check_mode) == words


def test_reports_of_earlier_releases_say_nothing_of_it():
    assert (rearming.to_rearm({"nodes": [{"name": "w1"}]}), rearming.number({"nodes": [{"name": "w1"}]})) == ({}, 0)


def test_what_an_apply_would_re_arm_stands_in_every_form():
    report = document(nodes(with_rows(able(quiet_node()), LATE), quiet_node()), {"open_connections": "all"})
    told = "3 with a timer beyond the limit, 2 without SO_KEEPALIVE (keepalive_open_connections all)"
    assert f"To re-arm in place: 5 open connections on 1 node\nworker1: {told}" in text(report)
    words = page_words(report)
    assert "Open connections to be re-armed in place" in words
    assert "3 with a timer beyond the limit, 2 without " in words


def test_an_apply_is_offered_where_it_has_nothing_but_connections_to_re_arm():
    report = document(nodes(with_rows(able(quiet_node()), LATE)), {})
    assert report["counts"]["changes"] == 0
    assert "counts 3 open connections to re-arm and touches none; without --check --diff it re-arms them." in " ".join(
        text(report).split()
    )


def test_what_was_re_armed_and_enforced_stands_in_one_line_each():
    report = document(nodes(quiet_node()), {}, kind="apply", applied={"worker1": OUTCOME})
    shown = text(report)
    assert "keepalive enforced for new connections: not there -> 600/30/9" in shown
    assert "3 open connections re-armed in place, 2 could not be" in shown
    assert "3 open connections re-armed in place, 2 could not be." in page_words(report)


def test_check_mode_says_what_would_be_re_armed():
    report = document(nodes(quiet_node()), {}, kind="apply", check_mode=True, applied={"worker1": OUTCOME})
    assert "3 open connections would be re-armed in place, 2 cannot be" in text(report)


def test_enforcement_is_a_change_like_others():
    report = document(nodes(able(quiet_node())), POLICY)
    assert "keepalive enforced for new connections: none -> 600/30/9; programs that never ask" in text(report)
    assert "keepalive enforced for new connections" in page_words(report)


def test_what_is_enforced_is_shown_of_the_node_and_of_its_pods():
    at_risk = row("a/b", KERNEL, service(without=1))
    report = document(nodes(with_rows(enforcing(quiet_node()), at_risk)), POLICY)
    shown = text(report)
    assert "600/30/9 for new connections, now and after a reboot" in shown
    assert "a/b: keepalive 7200/75/9, 600/30/9 enforced for new connections" in shown
    assert "7200/75/9, 600/30/9 enforced" in page_words(report)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (enforcing(quiet_node(), None), "nothing now; 600/30/9 for new connections after a reboot"),
        (enforcing(quiet_node(), boot=None), "600/30/9 for new connections, now, not surely after a reboot"),
    ],
)
def test_what_is_not_certain_is_said(node, words):
    assert words in " ".join(text(document(nodes(node), POLICY)).split())


def test_drift_tells_that_enforcement_came_and_went():
    before, now = document(nodes(stock_node()), {}), document(nodes(enforcing(stock_node())), {})
    for earlier, later, was, is_now in ((before, now, None, "600/30/9"), (now, before, "600/30/9", None)):
        found = [each for each in drift(earlier, later, "x")["changes"] if each["what"] == "keepalive enforced"]
        assert [(each["from"], each["to"]) for each in found] == [(was, is_now)]


def test_drift_reads_a_report_that_says_nothing_of_it():
    report = document(nodes(stock_node()), {})
    earlier = {**report, "nodes": [{k: v for k, v in node.items() if k != "enforcement"} for node in report["nodes"]]}
    assert drift(earlier, report, "x")["changes"] == []
