# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.alike import (
    alike,
    drift_of,
    findings_of,
    notes_of,
)


def finding(scope, **more):
    return {"severity": "warning", "id": "a", "why": "w", "remedy": "r", "silenced": None, "scope": scope, **more}


def scopes(groups):
    return [[each["scope"] for each in same] for same in groups]


def test_what_looks_the_same_is_together_in_the_order_of_the_first():
    assert alike(["b1", "a1", "b2", "c1", "a2"], lambda text: text[0]) == [["b1", "b2"], ["a1", "a2"], ["c1"]]


def test_findings_of_the_same_words_are_one_whatever_was_seen():
    document = {"findings": [finding("n1", observed="1"), finding("n2", id="b"), finding("n3", observed="2")]}
    assert scopes(findings_of(document, silenced=False)) == [["n1", "n3"], ["n2"]]


@pytest.mark.parametrize("word", ["severity", "id", "why", "remedy"])
def test_another_word_is_another_finding(word):
    document = {"findings": [finding("n1"), finding("n2", **{word: "other"})]}
    assert scopes(findings_of(document, silenced=False)) == [["n1"], ["n2"]]


def test_silenced_findings_are_apart_by_their_reasons():
    reasons = {"n1": None, "n2": "known", "n3": "later", "n4": "known", "n5": ""}
    document = {"findings": [finding(scope, silenced=reason) for scope, reason in reasons.items()]}
    assert scopes(findings_of(document, silenced=False)) == [["n1"]]
    assert scopes(findings_of(document, silenced=True)) == [["n2", "n4"], ["n3"], ["n5"]]


def node(name, problems=(), not_seen=(), notes=()):
    return {"name": name, "problems": problems, "coverage": {"not_seen": not_seen}, "notes": notes}


def test_notes_of_several_nodes_are_one():
    problem = {"what": "sysctl", "why": "not root.", "do": "Set become."}
    unseen = {"name": "IPVS tcp", "why": "no netlink."}
    document = {
        "nodes": [
            node("n1", problems=[problem], notes=["Linux 4.4 is old."]),
            node("n2", problems=[{**problem, "do": ""}], not_seen=[unseen]),
            node("n3", problems=[problem], not_seen=[unseen]),
        ]
    }
    assert notes_of(document) == [
        (["n1", "n3"], "sysctl: not root. Set become."),
        (["n1"], "Linux 4.4 is old."),
        (["n2"], "sysctl: not root."),
        (["n2", "n3"], "IPVS tcp: no netlink."),
    ]


def test_what_changed_alike_on_several_nodes_is_one():
    def change(scope, to="safe"):
        return {"scope": scope, "what": "verdict", "from": "unsafe", "to": to}

    gone = [{**finding(scope), "observed": "7200"} for scope in ("n1", "n2")]
    counters = [{"node": scope, "counter": "invalid", "from": 1, "to": to} for scope, to in (("n1", 3), ("n2", 4))]
    drift = {
        "changes": [change("n1"), change("n2", "unknown"), change("n3")],
        "findings_new": [],
        "findings_gone": gone,
        "counters": counters,
    }
    found = drift_of({"drift": drift})
    assert scopes(found["changes"]) == [["n1", "n3"], ["n2"]]
    assert scopes(found["findings_gone"]) == [["n1", "n2"]]
    assert [len(same) for same in found["counters"]] == [1, 1]
    assert found["findings_new"] == []


def test_without_an_earlier_report_nothing_changed():
    assert drift_of({"drift": None}) == {"changes": [], "findings_new": [], "findings_gone": [], "counters": []}
