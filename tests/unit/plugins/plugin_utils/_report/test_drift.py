# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.drift import drift, read_earlier
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import cluster, document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OUR_FILE,
    altered,
    quiet_node,
    stock_node,
    with_counters,
    with_ipvs_tcp,
    with_keepalive,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report._schema import complaints

HOW = "Give the report.json of an earlier run."
PATH = "/var/lib/reports/report.json"


def between(before, now, **more):
    """What changed between the reports of these nodes, as it is in a valid document."""
    earlier, report = document(before, {}, made_at="2026-11-20T03:40:00Z"), document(now, {}, **more)
    report["drift"] = drift(json.loads(json.dumps(earlier)), report, PATH)
    assert complaints(report) == []
    return report["drift"]


def test_of_the_same_cluster_nothing_changed():
    assert between(cluster(), cluster()) == {
        "since": "2026-11-20T03:40:00Z",
        "nodes_new": [],
        "nodes_gone": [],
        "changes": [],
        "findings_new": [],
        "findings_gone": [],
        "counters": [],
    }


def test_a_node_that_was_cured():
    cured = with_keepalive(stock_node(), (600, 30, 9), file=OUR_FILE)
    found = between({"worker1": stock_node()}, {"worker1": cured})
    assert found["changes"] == [
        {"scope": "plan", "scope_kind": "plan", "what": "verdict", "from": "unsafe", "to": "safe"},
        {"scope": "worker1", "scope_kind": "node", "what": "verdict", "from": "unsafe", "to": "safe"},
        {"scope": "worker1", "scope_kind": "node", "what": "verdict after a reboot", "from": "unsafe", "to": "safe"},
        {"scope": "worker1", "scope_kind": "node", "what": "keepalive", "from": "7200/75/9", "to": "600/30/9"},
        {
            "scope": "worker1",
            "scope_kind": "node",
            "what": "keepalive after a reboot",
            "from": "7200/75/9",
            "to": "600/30/9",
        },
    ]
    assert "keepalive-too-late" in [each["id"] for each in found["findings_gone"]]
    assert found["findings_new"] == []


def test_a_limit_that_fell():
    found = between({"worker1": quiet_node()}, {"worker1": with_ipvs_tcp(quiet_node(), 300)})
    assert {
        "scope": "plan",
        "scope_kind": "plan",
        "what": "limit",
        "from": "900 s (IPVS tcp)",
        "to": "300 s (IPVS tcp)",
    } in found["changes"]
    assert {
        "scope": "worker1",
        "scope_kind": "node",
        "what": "limits",
        "from": "900 s (IPVS tcp), 86400 s (conntrack established)",
        "to": "300 s (IPVS tcp), 86400 s (conntrack established)",
    } in found["changes"]
    assert "keepalive-too-late" in [each["id"] for each in found["findings_new"]]


def test_pods_and_connections_that_were_cured():
    now = cluster()
    now["worker1"]["pods"]["rows"] = now["worker1"]["pods"]["rows"][1:]
    now["worker1"]["pods"]["totals"].update(without_keepalive=0)
    assert between(cluster(), now)["changes"] == [
        {"scope": "worker1", "scope_kind": "node", "what": "pods at risk", "from": "2", "to": "1"},
        {"scope": "worker1", "scope_kind": "node", "what": "connections at risk", "from": "16", "to": "10"},
    ]


def test_nodes_that_came_and_went_bring_no_findings_of_their_own():
    found = between({"gone": stock_node(), "stays": quiet_node()}, {"new": stock_node(), "stays": quiet_node()})
    assert (found["nodes_new"], found["nodes_gone"]) == (["new"], ["gone"])
    assert (found["findings_new"], found["findings_gone"]) == ([], [])


def test_a_finding_that_is_silenced_now_is_gone():
    silences = parse_silences([{"id": "keepalive-too-late", "reason": "known"}])
    found = between({"worker1": stock_node()}, {"worker1": stock_node()}, silences=silences)
    assert [each["id"] for each in found["findings_gone"]] == ["keepalive-too-late"]


@pytest.mark.parametrize(
    ("before", "now", "changes"),
    [
        pytest.param("warning", "critical", [("warning", "critical")], id="it became worse"),
        pytest.param("critical", "info", [("critical", "info")], id="it became less"),
        pytest.param("warning", "warning", [], id="it stayed"),
    ],
)
def test_the_severity_of_a_finding_that_was_there_before(before, now, changes):
    earlier, report = document({"worker1": stock_node()}, {}), document({"worker1": stock_node()}, {})
    for each, severity in ((earlier, before), (report, now)):
        each["findings"][0]["severity"] = severity
    report["drift"] = drift(earlier, report, PATH)
    what = f"severity of {report['findings'][0]['id']}"
    assert complaints(report) == []
    assert report["drift"]["changes"] == [
        {"scope": "worker1", "scope_kind": "node", "what": what, "from": was, "to": became} for was, became in changes
    ]
    assert (report["drift"]["findings_new"], report["drift"]["findings_gone"]) == ([], [])


def test_a_rule_that_says_more_than_before():
    offered = altered(quiet_node(), kube_proxy={"version": "v1.30.2"})
    off = altered(quiet_node(), kube_proxy={"version": "v1.40.0"})
    found = between({"worker1": offered}, {"worker1": off})
    assert {
        "scope": "worker1",
        "scope_kind": "node",
        "what": "severity of ipvs-mode-deprecated",
        "from": "info",
        "to": "warning",
    } in found["changes"]


@pytest.mark.parametrize(
    ("before", "now", "grown"),
    [
        pytest.param(4, 10, {"from": 4, "to": 10, "grown": 6}, id="it grew"),
        pytest.param(4, 4, None, id="it stayed"),
        pytest.param(10, 4, {"from": 10, "to": 4, "grown": 4}, id="it began anew with a reboot"),
    ],
)
def test_counters_of_conntrack(before, now, grown):
    nodes = [{"worker1": with_counters(quiet_node(), {"invalid": value})} for value in (before, now)]
    expected = [{"node": "worker1", "counter": "invalid", **grown}] if grown else []
    assert between(*nodes)["counters"] == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(
            b"{",
            f"keepalive_report_compare: {PATH} is not JSON (line 1, column 2). {HOW}",
            id="half a file",
        ),
        pytest.param(b"\xff\xfe\x00", f"keepalive_report_compare: {PATH} is not JSON. {HOW}", id="no text"),
        pytest.param(b"[" * 100000, f"keepalive_report_compare: {PATH} is not JSON. {HOW}", id="nested without end"),
        pytest.param(
            b"[]",
            f"keepalive_report_compare: {PATH} is not a report of this collection. {HOW}",
            id="another kind of JSON",
        ),
        pytest.param(
            b'{"schema_version": 2}',
            f"keepalive_report_compare: {PATH} has schema_version 2, this collection reads 1. "
            "Write a new report and compare with that from then on.",
            id="of a later release",
        ),
    ],
)
def test_what_is_no_report_is_refused(data, message):
    with pytest.raises(PlanError) as caught:
        read_earlier(data, PATH)
    assert str(caught.value) == message


def test_a_report_is_read_as_it_was_written():
    report = document()
    assert read_earlier(json.dumps(report).encode(), PATH) == report


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda report: report.pop("nodes"), id="without nodes"),
        pytest.param(lambda report: report.update(nodes=None), id="nodes that are none"),
        pytest.param(lambda report: report.update(limit=3), id="a limit that is a number"),
        pytest.param(lambda report: report["nodes"][0].update(keepalive=[]), id="a keepalive that is a list"),
        pytest.param(lambda report: report["findings"][0].pop("silenced"), id="a finding without its silence"),
        pytest.param(
            lambda report: report["nodes"][0]["conntrack"]["counters"].update(invalid="x"), id="a counter that is text"
        ),
    ],
)
def test_a_report_that_lacks_something_is_refused(spoil):
    earlier = copy.deepcopy(document())
    spoil(earlier)
    with pytest.raises(PlanError, match=rf"^keepalive_report_compare: {PATH} is not a whole report \(\w+: .*\)\. Give"):
        drift(earlier, document(), PATH)


def test_a_host_named_plan_is_not_the_plan():
    found = between({"plan": stock_node()}, {"plan": quiet_node()})
    verdicts = [(each["scope"], each["scope_kind"]) for each in found["changes"] if each["what"] == "verdict"]
    assert verdicts == [("plan", "plan"), ("plan", "node")]
    assert {each["scope_kind"] for each in found["findings_gone"]} == {"node"}


def test_what_is_new_of_the_plan_is_told_beside_a_new_host_of_that_name():
    earlier, report = (
        document({"worker1": stock_node()}, {}),
        document({"worker1": stock_node(), "plan": stock_node()}, {"profile": "article"}),
    )
    found = [(each["id"], each["scope_kind"]) for each in drift(earlier, report, PATH)["findings_new"]]
    assert ("keepalive-undecided", "plan") in found
    assert "node" not in dict(found).values()


def test_everything_that_is_compared_of_a_node_and_of_the_plan():
    report, now = document({"worker1": stock_node()}, {}), document({"worker1": stock_node()}, {})
    three = {"time": 1, "intvl": 2, "probes": 3}
    now["nodes"][0].update(observed=False, verdict="safe", verdict_after_boot="unknown", mode="none", kernel=None)
    now["nodes"][0].update(limits=[], keepalive={"live": three, "at_boot": None})
    now.update(verdict="unknown", limit=None, keepalive=None)
    changes = drift(report, now, PATH)["changes"]
    assert [(each["scope_kind"], each["what"], each["from"], each["to"]) for each in changes] == [
        ("plan", "verdict", "unsafe", "unknown"),
        ("plan", "limit", "900 s (IPVS tcp)", None),
        ("plan", "keepalive planned", "600/30/9", None),
        ("node", "observed", "yes", "no"),
        ("node", "verdict", "unsafe", "safe"),
        ("node", "verdict after a reboot", "unsafe", "unknown"),
        ("node", "limits", "900 s (IPVS tcp), 86400 s (conntrack established)", None),
        ("node", "keepalive", "7200/75/9", "1/2/3"),
        ("node", "keepalive after a reboot", "7200/75/9", None),
        ("node", "mode", "ipvs", "none"),
        ("node", "kernel", "6.1.0-56-cloud-amd64", None),
    ]


def test_an_earlier_report_that_tells_the_plan_by_its_name_only():
    policy = {"profile": "article"}
    several = {"worker1": stock_node()}
    earlier, report = document(several, policy, made_at="2026-11-20T03:40:00Z"), document(several, policy)
    for finding in earlier["findings"]:
        del finding["scope_kind"]
    found = drift(earlier, report, PATH)
    assert (found["findings_new"], found["findings_gone"], found["changes"]) == ([], [], [])


def test_an_earlier_report_that_does_not_say_the_sum_of_sockets_at_risk():
    earlier, report = document(made_at="2026-11-20T03:40:00Z"), document()
    for node in earlier["nodes"]:
        if node["pods"]:
            del node["pods"]["totals"]["at_risk"]
    assert drift(earlier, report, PATH)["changes"] == []
