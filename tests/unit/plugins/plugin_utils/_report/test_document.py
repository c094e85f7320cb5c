# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, bare
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_nodes
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import make_document
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.fail_on import failure
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import language
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.node import rows_for_each
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.verdict import word
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import (
    MADE_AT,
    POLICY,
    VERSION,
    applied,
    cluster,
    document,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OUR_FILE,
    altered,
    applied_node,
    container_node,
    idle,
    nftables_node,
    nodes,
    plain_node,
    quiet_node,
    stock_node,
    unprivileged_node,
    with_configured_tcp,
    with_ipvs_tcp,
    with_keepalive,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report._schema import SCHEMA, complaints
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._text_examples import (
    EXAMPLES as REPORTS,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._text_examples import (
    OF_PAGES,
)

EXAMPLES = sorted((Path(__file__).resolve().parents[5] / "docs" / "examples").glob("*.json"))

NODES = {
    "a stock node": stock_node(),
    "a node that was never reached": None,
    "a node that returned nothing": {},
    "a node read without root": unprivileged_node(),
    "a container": container_node(),
    "a machine without Kubernetes": plain_node(),
    "a node in nftables mode": nftables_node(),
    "a node after an apply": applied_node(),
    "a node of which nothing is to be said": quiet_node(),
    "a node whose kube-proxy sets another limit": with_configured_tcp(stock_node(), 600),
    "a node whose kube-proxy would set 5 s": with_configured_tcp(quiet_node(), 5),
    "a node whose kernel has 5 s": with_ipvs_tcp(quiet_node(), 5),
    "a node with a deadly keepalive": with_keepalive(stock_node(), (7200, 75, 0)),
}

# What a hostile or broken node may return anywhere: any JSON, with text that is not even Unicode.
text = st.text(st.characters(), max_size=8)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def part(report, name):
    return next(node for node in report["nodes"] if node["name"] == name)


def paths(value, path=()):
    """Every place in a node's data."""
    yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from paths(item, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    value = copy.copy(value)
    value[path[0]] = replaced(value[path[0]], path[1:], new)
    return value


def test_the_schema_is_one_and_refuses_what_it_does_not_know():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    report = document()
    report["nodes"][0]["surprise"] = 1
    assert complaints(report) == ["$.nodes[0]: Additional properties are not allowed ('surprise' was unexpected)"]


def test_every_property_of_the_schema_is_required_and_no_object_is_open_by_accident():
    def objects(schema):
        if isinstance(schema, dict):
            if schema.get("type") == "object":
                yield schema
            for each in schema.values():
                yield from objects(each)
        elif isinstance(schema, list):
            for each in schema:
                yield from objects(each)

    fixed = [each for each in objects(SCHEMA) if "properties" in each]
    optional = [sorted(set(each["properties"]) - set(each.get("required", []))) for each in fixed]
    assert [names for names in optional if names] == [["300", "60", "900"]] * 2
    assert [each["description"] for each in fixed if each.get("additionalProperties") is not False] == [
        "The role's variables without keepalive_, as understood, defaults filled in."
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_examples_in_docs_are_valid(path):
    assert complaints(json.loads(path.read_bytes())) == []


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
def test_the_document_of_each_kind_of_node_is_valid(node):
    report = document(nodes(node), {})
    assert complaints(report) == []
    assert (report["schema_version"], report["made_at"]) == (1, MADE_AT)
    assert report["collection"] == {"name": "kubenode.connections", "version": VERSION}


@pytest.mark.parametrize(
    "policy",
    [{"strategy": "raise_ipvs"}, {"profile": "article"}, {"middleboxes": ["aws_nlb"]}, {"margin": 100}],
    ids=lambda policy: " ".join(str(each) for pair in policy.items() for each in pair),
)
def test_the_document_of_each_policy_is_valid(policy):
    assert complaints(document(nodes(stock_node(), quiet_node()), policy)) == []


@given(data=st.data())
def test_a_node_that_returns_anything_anywhere_gives_a_valid_document(data):
    node = cluster()["worker1"]
    for _time in range(data.draw(st.integers(1, 3))):
        node = replaced(node, data.draw(st.sampled_from(list(paths(node)))), data.draw(anything))
        if not isinstance(node, dict):
            break
    several = {"worker1": node, "worker2": quiet_node()}
    try:
        make_plan(several, POLICY)
    except PlanError:
        reject()  # such as an idle limit that is too short to keep
    assert complaints(document(several)) == []


@given(result=anything, before=anything)
def test_whatever_an_apply_returned_gives_a_valid_document(result, before):
    wrong = {"changed": True, "before": before, "after": result, "notes": before}
    for each in (result, wrong, {"failed": True, "msg": result}):
        report = document(applied={"worker1": each}, verdicts_before={"worker1": before}, kind="apply")
        assert complaints(report) == []


def test_the_worst_node_comes_first():
    slow = with_keepalive(stock_node(), (30000, 75, 9))
    several = {"fine": quiet_node(), "late": stock_node(), "later": slow, "gone": None, "a": quiet_node()}
    assert [node["name"] for node in document(several)["nodes"]] == ["later", "late", "gone", "a", "fine"]


def test_a_node_says_what_it_has_now_after_a_reboot_and_once_applied():
    lost = with_keepalive(stock_node(), (600, 30, 9), (7200, 75, 9), file=OUR_FILE)
    node = part(document(nodes(lost), {}), "worker1")
    assert (node["verdict"], node["verdict_after_boot"], node["spare_seconds"]) == ("safe", "unsafe", 156)
    values = {"time": 600, "intvl": 30, "probes": 9}
    assert node["keepalive"]["live"] == {
        **values,
        "silence_seconds": 660,
        "latest_seconds": 744,
        "given_up_seconds": 870,
    }
    assert node["keepalive"]["planned"] == node["keepalive"]["live"]
    assert node["keepalive"]["at_boot"]["latest_seconds"] == 8284
    assert node["keepalive"]["boot_sources"] == [f"{OUR_FILE}:{line}" for line in (3, 4, 5)]


def test_a_node_that_needs_nothing_keeps_what_it_has():
    node = part(document(nodes(with_keepalive(quiet_node(), (500, 20, 8), file="/etc/sysctl.d/own.conf"))), "worker1")
    assert node["changes"] == []
    assert node["keepalive"]["planned"] == node["keepalive"]["live"]
    assert node["keepalive"]["live"]["time"] == 500


def test_pods_stand_to_the_limit_by_their_keepalive_and_by_their_sockets():
    pods = part(document(), "worker1")["pods"]
    assert (pods["count"], pods["at_risk"], pods["verdict"]) == (2, 2, "unsafe")
    late = "keepalive 7200/75/9: 7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond 900 s "
    late += "(IPVS tcp on worker1)"
    assert [(row["label"], row["verdict"], row["why"]) for row in pods["rows"]] == [
        ("shop/checkout-7d9f8c6b5-x2x7p", "unsafe", f"{late}; 6 connections without SO_KEEPALIVE"),
        ("shop/orders-0", "unsafe", f"{late}; 10 connections with a timer beyond the limit"),
        ("the node itself", "unsafe", late),
    ]
    assert [(row["without_keepalive"], row["late"], row["undecided"]) for row in pods["rows"]] == [
        (6, 0, 0),
        (0, 10, 0),
        (0, 0, 0),
    ]
    assert pods["rows"][1]["services"][0]["gaps"] == [
        {"seconds": 3840, "connections": 2},
        {"seconds": 7200, "connections": 8},
    ]


def test_a_keepalive_that_ends_connections_after_a_reboot_is_unsafe_without_any_limit():
    node = with_keepalive(plain_node(), (7200, 75, 9), (7200, 75, 0), file=OUR_FILE)
    assert part(document(nodes(node), {}), "worker1")["verdict_after_boot"] == "unsafe"


def test_the_node_itself_is_no_pod_at_risk():
    node = cluster()["worker1"]
    node["pods"]["rows"][2].update(services=node["pods"]["rows"][0]["services"], to_services=6, without_keepalive=6)
    pods = document({"worker1": node}, {})["nodes"][0]["pods"]
    assert pods["rows"][2]["without_keepalive"] == 6
    assert pods["at_risk"] == 2


def test_of_many_gaps_and_services_the_worst_are_shown():
    node = cluster()["worker1"]
    service = node["pods"]["rows"][1]["services"][0]
    service["gaps"] = [[seconds, 1] for seconds in range(100, 130)]
    node["pods"]["rows"][1]["services"] = [service] * 25
    row = document({"worker1": node}, {})["nodes"][0]["pods"]["rows"][1]
    assert [gap["seconds"] for gap in row["services"][0]["gaps"]] == list(range(110, 130))
    assert (len(row["services"]), row["services_omitted"]) == (20, 5)


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        pytest.param([idle(40), idle(300)], [idle(40), idle(300)], id="as they were seen"),
        pytest.param([idle(40, idle_seconds=None)], [idle(40, idle_seconds=None)], id="since when is not known"),
        pytest.param([idle(40, client=None)], [idle(40, client="?")], id="a client that is no text"),
        pytest.param([idle(-1, idle_seconds=860)], [idle(0, idle_seconds=860)], id="a time below zero"),
        pytest.param({"client": "x"}, [], id="no list"),
        pytest.param(None, [], id="the table was not read"),
    ],
)
def test_the_connections_that_are_idle_longest(seen, shown):
    report = document(nodes(altered(stock_node(), ipvs={"idlest": seen})), {})
    assert complaints(report) == []
    assert part(report, "worker1")["ipvs"]["idlest"] == shown


def test_of_many_nodes_few_idle_connections_each_are_shown():
    node = altered(stock_node(), ipvs={"idlest": [idle(seconds) for seconds in range(20)]})
    report = document({f"worker{number}": node for number in range(500)}, {})
    assert {len(each["ipvs"]["idlest"]) for each in report["nodes"]} == {5}


def test_a_pod_whose_values_are_safe_is_at_risk_by_its_open_connections_only():
    node = cluster()["worker1"]
    for row in node["pods"]["rows"]:
        row["keepalive"] = {"time": 600, "intvl": 30, "probes": 9}
    pods = document({"worker1": node}, {})["nodes"][0]["pods"]
    assert [row["verdict"] for row in pods["rows"]] == ["unsafe", "unsafe", "safe"]
    assert pods["at_risk"] == 2


def test_with_many_nodes_each_shows_its_worst_pods_and_counts_the_others():
    node = cluster()["worker1"]
    node["pods"]["rows"] *= 40
    alone = document({"worker1": node})
    assert len(alone["nodes"][0]["pods"]["rows"]) == 120
    many = document({f"worker{number}": node for number in range(100)})
    pods = many["nodes"][0]["pods"]
    assert (len(pods["rows"]), pods["omitted"], pods["at_risk"]) == (25, 95, 80)
    assert [rows_for_each(nodes) for nodes in (0, 1, 12, 13, 500, 5000)] == [200, 200, 200, 192, 5, 5]


def test_the_counts_leave_out_what_is_silenced():
    silences = parse_silences([{"id": "keepalive-too-late", "reason": "replaced on Monday", "nodes": ["worker1"]}])
    report = document(silences=silences)
    assert report["findings"][0]["id"] == "keepalive-too-late"
    assert report["findings"][0]["silenced"] == "replaced on Monday"
    assert report["counts"]["findings"]["critical"] == 1
    assert report["counts"]["silenced"] == 1
    assert report["verdict"] == "unsafe"


def test_the_counts_of_the_cluster():
    counts = document()["counts"]
    assert counts["nodes"] == {"unsafe": 1, "unknown": 1, "safe": 1}
    assert counts["pods"] == {"seen": 2, "at_risk": 2}
    assert counts["sockets"] == {
        "connections": 41,
        "to_services": 16,
        "without_keepalive": 6,
        "in_flight": 0,
        "late": 10,
        "undecided": 0,
        "kept_by_server": 0,
        "at_risk": 16,
        "to_outside": 0,
        "outside_without_keepalive": 0,
        "outside_at_risk": 0,
        "outside_undecided": 0,
        "outside_kept_by_server": 0,
    }
    assert counts["namespaces"] == {"of_no_pod": 0, "unnamed": 0}
    assert counts["safe_until_reboot"] == 0


def test_every_rule_that_found_something_is_described_once():
    report = document()
    assert {rule["id"] for rule in report["rules"]} == {finding["id"] for finding in report["findings"]}
    assert report["rules"][0] == {
        "id": "keepalive-too-late",
        "severity": "critical",
        "when": "The node's keepalive comes after something on the path has forgotten the connection.",
        "help": "https://github.com/kubenode/connections/blob/main/docs/findings.md#keepalive-too-late",
    }


def test_before_and_after_of_an_apply():
    report = document(kind="apply", applied=applied(), verdicts_before={"worker1": "unsafe"})
    done = part(report, "worker1")["applied"]
    assert (done["changed"], done["error"], done["verdict_before"]) == (True, None, "unsafe")
    time, _intvl, _probes, pod, file = done["values"]
    assert time == {
        "kind": "sysctl",
        "what": "net.ipv4.tcp_keepalive_time",
        "before": "7200",
        "after": "600",
        "changed": True,
    }
    assert (pod["kind"], pod["before"], pod["after"]) == ("pod", "7200/75/9", "600/30/9")
    assert (file["kind"], file["what"], file["before"]) == ("file", OUR_FILE, None)
    assert file["after"].startswith("net.ipv4.tcp_keepalive_time = 600\n")
    assert part(report, "worker2")["applied"]["values"] == []
    assert part(report, "worker3")["applied"] is None


def test_an_apply_that_failed_says_why():
    report = document(kind="apply", applied={"worker1": {"failed": True, "msg": "read-only /proc/sys"}})
    assert part(report, "worker1")["applied"]["error"] == "read-only /proc/sys"


def test_nodes_that_were_parsed_give_the_same_document():
    several = {**cluster(), "worker4": {"not_observed": "Missing sudo password."}}
    parsed = parse_nodes(several.items())
    plan = make_plan(parsed, {})
    assert plan == make_plan(several, {})
    documents = [make_document(plan, nodes, made_at=MADE_AT, collection_version=VERSION) for nodes in (several, parsed)]
    assert documents[0] == documents[1]


def test_the_same_input_gives_the_same_document_and_stays_as_it_was():
    several = cluster()
    plan = make_plan(several, {})
    before = json.dumps([plan, several])
    first, second = (make_document(plan, several, made_at=MADE_AT, collection_version=VERSION) for _time in range(2))
    assert first == second
    assert json.dumps([plan, several]) == before


@pytest.mark.parametrize(
    ("plan", "several", "message"),
    [
        pytest.param(
            [], {}, "report: plan and nodes must be mappings, not list and dict. ", id="a plan that is a list"
        ),
        pytest.param(
            {"nodes": {}}, {"worker1": None}, "report: this is not a plan with its nodes (KeyError: ", id="no plan"
        ),
        pytest.param(
            make_plan(nodes(None), {}),
            {"other": None},
            "report: this is not a plan with its nodes (KeyError: 'worker1'). ",
            id="a plan of other nodes",
        ),
    ],
)
def test_what_is_no_plan_with_its_nodes_is_refused(plan, several, message):
    with pytest.raises(PlanError) as caught:
        make_document(plan, several, made_at=MADE_AT, collection_version=VERSION)
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith(
        "Give the result of the filter kubenode.connections.plan and the nodes that it was made from."
    )


def test_counters_are_those_since_the_module_was_loaded_and_their_growth_apart():
    node = part(document(), "worker1")
    assert node["conntrack"]["counters"]["invalid"] == 16
    assert node["growth"]["conntrack"]["invalid"] == 3
    assert part(document(nodes({**stock_node(), "growth": {"seconds": float("inf")}})), "worker1")["growth"] is None
    without = altered(stock_node(), conntrack={"statistics": []})
    assert part(document(nodes(without)), "worker1")["conntrack"]["counters"] is None


@pytest.mark.parametrize(
    ("absurd", "said"),
    [
        pytest.param(with_configured_tcp(quiet_node(), 5), "UNKNOWN", id="what kube-proxy would set"),
        pytest.param(with_ipvs_tcp(quiet_node(), 5), "UNSAFE", id="what the kernel has"),
    ],
)
def test_a_report_with_a_node_that_is_set_apart_is_not_fine(absurd, said):
    several = nodes(quiet_node(), absurd, quiet_node())
    document = make_document(make_plan(several, {}), several, made_at=MADE_AT, collection_version=VERSION)
    assert complaints(document) == []
    verdicts = {node["name"]: node["verdict"] for node in document["nodes"]}
    assert verdicts == {"worker1": "safe", "worker2": said.lower(), "worker3": "safe"}
    assert word(document) == said
    assert "worker2" in failure(document, "critical")
    assert "worker1" not in failure(document, "critical")


OF_THE_PLAN = ("why", "limits", "limit_reason", "coverage", "changes", "notes", "owners", "reasons", "sum", "left_out")
"""The fields that have the plan's sentences; those of findings have their own tests."""


def _sentences(value: object, wanted: bool = False) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in ("findings", "drift", "problems"):
                yield from _sentences(each, wanted or key in OF_THE_PLAN)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _sentences(each, wanted)
    elif isinstance(value, str) and wanted:
        yield value


def _of_nodes(report: dict[str, Any]) -> list[str]:
    """What the nodes themselves say stays as they say it."""
    applied_notes = [each for node in report["nodes"] if node["applied"] for each in node["applied"]["notes"]]
    return [*applied_notes, *(bare(problem["why"]) for node in report["nodes"] for problem in node["problems"])]


@pytest.mark.parametrize("name", OF_PAGES)
def test_the_plan_leaves_no_english_in_chinese(name: str) -> None:
    report = REPORTS[name]()

    said = [language("zh").say(each) for each in _sentences(report)]
    for theirs in _of_nodes(report):
        said = [each.replace(theirs, "") for each in said]

    assert len(said) > 10
    assert not [each for each in said if re.search(r"\b[a-z]{2,}(?: [a-z]{2,}){2,}", each)]


def test_sentences_keep_what_they_were_made_of() -> None:
    report = document()
    node = report["nodes"][0]

    kept = [report["limit_reason"], report["keepalive"]["sum"], node["why"], node["changes"][0]["why"]]
    assert [type(each) for each in kept] == [Message] * 4
    assert language("zh").say(node["changes"][0]["why"]).endswith("的三分之二")
