# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.changes import (
    Changes,
    diff_lines,
    part,
    value_rows,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import applied, document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OTHER_FILE,
    OUR_FILE,
    applied_node,
    nodes,
    quiet_node,
    stock_node,
    with_configured_tcp,
    with_keepalive,
    with_module,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.html._page_words import section


def articles(report):
    """The text of each group of alike nodes."""
    shown = re.findall(r'<article class="change">(.*?)</article>', section(report, "changes"), re.DOTALL)
    return [re.sub(r"<[^>]*>", "", each) for each in shown]


def headings(report):
    return [
        re.findall(r"<bdi[^>]*>([^<]*)</bdi>", each) for each in re.findall(r"<h4>.*?</h4>", section(report, "changes"))
    ]


def verdicts(report):
    """What is shown before and after, without the signs."""
    shown = re.findall(r'<p class="badges">(.*?)</p>', section(report, "changes"))
    unsigned = [re.sub(r'<span class="sign"[^>]*>.</span>', "", each) for each in shown]
    return [re.sub(r"<[^>]*>", "", each) for each in unsigned]


def planned(*files):
    """Nodes whose keepalive is the same and too late, set by these files."""
    return document(nodes(*(with_keepalive(stock_node(), (7200, 75, 9), file=file) for file in files)), {})


def after_apply(several, *before):
    """Nodes that an apply changed in the same way, with their verdicts of before."""
    outcomes = dict.fromkeys(several, applied()["worker1"])
    verdicts_before = dict(zip(several, before, strict=True))
    return document(several, {}, kind="apply", applied=outcomes, verdicts_before=verdicts_before)


def test_nodes_whose_values_somebody_else_sets_are_apart():
    report = planned(OUR_FILE, OTHER_FILE, OUR_FILE)
    assert headings(report) == [["worker1", "worker3"], ["worker2"]]
    first, second = articles(report)
    assert (f"{OUR_FILE}:3" in first, f"{OTHER_FILE}:3" in first) == (True, False)
    assert (f"{OUR_FILE}:3" in second, f"{OTHER_FILE}:3" in second) == (False, True)


def test_owners_of_values_that_stay_do_not_part_nodes():
    report = planned(OUR_FILE, OUR_FILE)
    report["nodes"][0]["owners"]["IPVS udp"] = "keepalived at its next start"
    assert headings(report) == [["worker1", "worker2"]]


def owner_cells(report):
    """What the table says in its last column, by the name of the value."""
    rows = re.findall(r"<tr>(.*?)</tr>", section(report, "changes"), re.DOTALL)
    cells = [[re.sub(r"<[^>]*>", "", each) for each in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]
    return {row[0]: row[-1] for row in cells[1:]}


def test_who_sets_a_value_is_said_where_it_comes_back_after_a_reboot_too():
    lost = with_keepalive(stock_node(), (600, 30, 9), (7200, 75, 9), OTHER_FILE)
    report = document(nodes(with_configured_tcp(lost, 900)), {"ipvs_timeouts": {"tcp": 1800}})
    assert owner_cells(report) == {
        "net.ipv4.tcp_keepalive_time after a reboot": f"{OTHER_FILE}:3",
        "net.ipv4.tcp_keepalive_intvl after a reboot": f"{OTHER_FILE}:4",
        "IPVS tcp": "kube-proxy at its next start (ipvs.tcpTimeout 900s)",
    }


def test_where_nobody_is_known_there_is_a_dash():
    node = with_module(stock_node(), "br_netfilter", loaded=False)
    report = document(nodes(node), {"bridge_nf_call": "always"})
    assert owner_cells(report)["module br_netfilter"] == "\N{EN DASH}"


def test_nodes_with_another_verdict_before_are_apart():
    report = after_apply(nodes(*[applied_node()] * 3), "unsafe", "safe", "unsafe")
    assert headings(report) == [["worker1", "worker3"], ["worker2"]]
    assert verdicts(report) == ["unsafe → safe", "safe → safe"]


def test_nodes_with_another_verdict_after_are_apart():
    report = after_apply(nodes(applied_node(), stock_node()), "unsafe", "unsafe")
    assert headings(report)[:2] == [["worker2"], ["worker1"]]
    assert verdicts(report) == ["unsafe → unsafe", "unsafe → safe"]


def test_without_an_apply_and_without_changes_there_is_no_such_part():
    report = document(nodes(quiet_node()), {})
    assert (part(report), section(report, "changes")) == (None, "")


def test_what_was_changed_is_apart_from_what_is_to_be():
    report = after_apply(nodes(applied_node(), stock_node()), "unsafe", "unsafe")
    one, other = report["nodes"]
    assert part(report) == Changes(applied=[[one], [other]], planned=[[one]])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(None, "a\nb\n", [("added", "+a"), ("added", "+b")], id="new"),
        pytest.param("a\n", None, [("removed", "-a")], id="removed"),
        pytest.param("a\nb\n", "a\nc\n", [("kept", " a"), ("removed", "-b"), ("added", "+c")], id="a line of it"),
        pytest.param("--- a\n", "+++ b\n", [("removed", "---- a"), ("added", "++++ b")], id="lines like a head"),
        pytest.param("a\n", "a\n", [], id="the same"),
    ],
)
def test_lines_of_a_file(before, after, expected):
    assert list(diff_lines({"before": before, "after": after})) == expected


def value(kind, what, before="7200/75/9", after="600/30/9", changed=True):
    return {"kind": kind, "what": what, "before": before, "after": after, "changed": changed}


def test_pods_that_were_changed_in_the_same_way_are_one_row():
    values = [
        value("sysctl", "a.b"),
        value("pod", "a/b"),
        value("sysctl", "a.c"),
        value("pod", "a/c"),
        value("pod", "a/d", after="5/1/3"),
        value("container", "box"),
        value("pod", "a/e", changed=False),
        value("file", "/etc/a"),
    ]
    rows = [[each["what"] for each in same] for same in value_rows({"values": values})]
    assert rows == [["a.b"], ["a/b", "a/c"], ["a.c"], ["a/d"], ["box"]]


def test_of_many_groups_the_first_are_seen_at_once_and_the_last_are_counted_only():
    several = nodes(*(with_keepalive(stock_node(), (7200 + number, 75, 9)) for number in range(70)))
    markup = section(document(several, {}), "changes")
    assert markup.count('<article class="change">') == 60
    assert "<summary>62 nodes more</summary>" in markup
    assert "10 nodes more are not on this page; the report in JSON has them." in markup
