# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings on what an apply could not do, and how they stand in the report."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import SEVERITIES
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.table import RULES, findings_of_apply
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.fail_on import failure
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import cluster, document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import nodes, quiet_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report._schema import complaints

REFUSED = "pod-keepalive-refused"
DENIED = "/proc/sys/net/ipv4/tcp_keepalive_time: Permission denied"
LATE = "60 s were over before its turn came"


def pod(name, cause="rewritten", why="something else sets it", found="7200/75/9"):
    return {"pod": name, "uid": f"uid-{name}", "wanted": "600/30/9", "found": found, "cause": cause, "why": why}


def outcome(*pods):
    """What node_settings returned on a node where these pods have not what they should have."""
    return {"changed": False, "before": {}, "after": {}, "notes": [], "pods_not_taken": list(pods)}


EVERY = outcome(
    pod("shop/web-0"),
    pod("shop/db-0", "refused", DENIED),
    pod("shop/web-1", found="1000/75/9"),
    pod("shop/cart-0", "unread", LATE, None),
)
NOT_REARMED = "connections-not-rearmed"


def row(label, *left, process="java (42)", kind="pod", rearmed=0):
    """What became of connections; ``left`` are reason_id, reason and connections."""
    not_rearmed = [dict(zip(("reason_id", "reason", "connections"), each, strict=True)) for each in left]
    told = {"kind": kind, "label": label, "uid": None, "peer": "10.96.0.10:80", "process": process}
    return {**told, "rearmed": rearmed, "not_rearmed": not_rearmed}


def rearmed(*rows, more_rows=0):
    """What node_settings returned where it re-armed open connections."""
    left = sum(each["connections"] for one in rows for each in one["not_rearmed"]) + more_rows
    done = {"rearmed": sum(one["rearmed"] for one in rows), "not_rearmed": left, "rows": list(rows)}
    return {**outcome(), "open_connections": {**done, "more_rows": more_rows}}


OWN = ("own_values", "its program set a keepalive of its own.", 2)
TLS = ("tls_offload", "the kernel refused: Operation not supported.", 1)
GONE = ("gone", "it ended meanwhile", 4)
MANY = ("unlisted", "10000 others came first", 7)
LEFT = rearmed(
    row("shop/web-0", OWN, rearmed=3),
    row("the node itself", TLS, kind="node", process="kubelet (700)"),
    row("shop/db-0", TLS, GONE, process=None),
)
EXAMPLES = {REFUSED: EVERY, NOT_REARMED: LEFT}
"""An outcome that raises each rule on outcomes."""


def finding(of):
    return next((each.as_dict() for each in findings_of_apply({"worker1": of})), None)


def report(**more):
    """The report of an apply on two nodes of which there is nothing else to say; the pods of the first are hostile."""
    applied = {"worker1": EVERY, "worker2": outcome()}
    return document(nodes(quiet_node(), quiet_node()), {}, kind="apply", applied=applied, **more)


def test_each_rule_on_outcomes_has_an_example():
    assert EXAMPLES.keys() == {rule.id for rule in RULES if rule.check_applied}
    for identity, example in EXAMPLES.items():
        assert finding(example)["id"] == identity


def test_containers_are_told_as_what_they_are():
    boxes = outcome(pod("container web (docker)"), pod("container db (lxc)"))
    assert finding(boxes)["observed"] == (
        "2 containers did not keep 600/30/9: container web (docker) (has 7200/75/9), container db (lxc) (has 7200/75/9)"
    )


def test_pods_are_named_by_cause_with_what_to_do_about_each():
    found = finding(EVERY)
    assert (found["id"], found["severity"], found["scope"], found["limit"]) == (REFUSED, "warning", "worker1", None)
    assert found["observed"] == (
        "2 pods did not keep 600/30/9: shop/web-0 (has 7200/75/9), shop/web-1 (has 1000/75/9); 1 pod refused "
        f"600/30/9: shop/db-0 ({DENIED}); 1 pod could not be reached to set 600/30/9: shop/cart-0 ({LATE})"
    )
    assert found["remedy"] == (
        "Something in the pod sets another value, such as its entrypoint, an init container or "
        "securityContext.sysctls. Change it there. A pod that refuses a value (a sandbox, a user namespace, a "
        "security module) has to get it at its start: use the role pod_defaults or securityContext.sysctls, then "
        "recreate the pod. Run the playbook kubenode.connections.apply again for those that could not be reached."
    )


@pytest.mark.parametrize(
    ("cause", "todo"),
    [
        pytest.param("rewritten", "Something in the pod sets another value", id="a pod that writes its own"),
        pytest.param("refused", "A pod that refuses a value", id="a sandbox"),
        pytest.param("unread", "Run the playbook", id="no time"),
    ],
)
def test_many_pods_of_one_cause_are_bounded_and_have_one_remedy(cause, todo):
    found = finding(outcome(*(pod(f"a/{number}", cause) for number in range(9))))
    assert found["observed"].startswith("9 pods ")
    assert found["observed"].endswith(" and 3 more")
    assert found["remedy"].startswith(todo)
    assert found["remedy"] in finding(EVERY)["remedy"]


def test_connections_that_could_not_be_re_armed_are_named_by_reason_and_only_some_of_them_for_a_restart():
    found = finding(LEFT)
    assert (found["id"], found["severity"], found["limit"]) == (NOT_REARMED, "warning", None)
    assert found["observed"] == (
        "2 open connections, its program set a keepalive of its own: shop/web-0 (java (42)) to 10.96.0.10:80: 2; "
        "2 open connections, the kernel refused: Operation not supported: the node itself (kubelet (700)) to "
        "10.96.0.10:80: 1, shop/db-0 to 10.96.0.10:80: 1"
    )
    assert found["why"].endswith("they are forgotten. 3 others were re-armed in place.")
    assert found["remedy"] == (
        "Restart kubelet (700), shop/db-0, or have them connect again. Nothing else needs it. What a program has "
        "set itself is left alone: change it there."
    )


def test_what_a_program_wishes_is_named_for_no_restart_and_what_ended_or_is_busy_for_nothing():
    others = [(reason, "a reason", 5) for reason in ("busy", "gone")]
    found = finding(rearmed(row("shop/web-0", ("user_timeout", "a user timeout", 1), *others)))
    assert found["observed"] == "1 open connection, a user timeout: shop/web-0 (java (42)) to 10.96.0.10:80: 1"
    assert found["remedy"] == "What a program has set itself is left alone: change it there."
    assert finding(rearmed(row("shop/web-0", *others))) is None


def test_connections_beyond_what_one_run_does_are_for_the_next():
    found = finding(rearmed(row("shop/web-0", MANY, rearmed=1), more_rows=3))
    assert found["observed"].endswith(
        "shop/web-0 (java (42)) to 10.96.0.10:80: 7; 3 more rows that the node did not list"
    )
    assert "1 other was re-armed" in found["why"]
    assert (
        found["remedy"] == "Run the playbook kubenode.connections.apply again for those that were too many for one run."
    )
    assert found["steps"] == [{"kind": "playbook", "what": "apply"}]


@pytest.mark.parametrize(
    "of",
    [
        pytest.param(rearmed(row("a/b", rearmed=9)), id="every connection was re-armed"),
        pytest.param(rearmed(row("a/b", GONE)), id="connections that ended meanwhile"),
        pytest.param({"open_connections": {"rows": [{"not_rearmed": 7}], "rearmed": "x"}}, id="hostile rows"),
        pytest.param(outcome(), id="every pod has taken it"),
        pytest.param(None, id="it did not run"),
        pytest.param({"failed": True, "msg": "no"}, id="it failed"),
        pytest.param({"pods_not_taken": "web"}, id="something else"),
    ],
)
def test_there_is_nothing_to_say_where(of):
    assert finding(of) is None


def test_what_a_hostile_node_returns_is_a_finding_with_nothing_of_it_taken_for_granted():
    found = finding({"pods_not_taken": [7, {"pod": "x" * 10000, "cause": ["rewritten"]}]})
    assert found["observed"].startswith("2 pods could not be reached to set ?: ? (no reason was given), xxx")
    assert len(found["observed"]) < 1000


def test_it_stands_in_every_form_of_the_report():
    made = report()
    assert complaints(made) == []
    (first, second) = sorted(made["nodes"], key=lambda node: node["name"])
    assert [each["pod"] for each in first["applied"]["pods_not_taken"]] == [
        "shop/web-0",
        "shop/db-0",
        "shop/web-1",
        "shop/cart-0",
    ]
    assert second["applied"]["pods_not_taken"] == []
    assert [(each["id"], each["scope"]) for each in made["findings"] if each["severity"] == "warning"] == [
        (REFUSED, "worker1")
    ]
    assert made["counts"]["findings"]["warning"] == 1
    assert REFUSED in {rule["id"] for rule in made["rules"]}
    assert f"WARNING {REFUSED}: worker1" in "\n".join(plain(line).strip() for line in text_lines(made, 100))
    page = render_html(made)
    assert REFUSED in page
    assert "shop/web-1 (has 1000/75/9)" in page


def test_it_stands_among_the_findings_of_the_plan_by_its_severity():
    made = document(cluster(), {}, kind="apply", applied={"worker1": EVERY})
    severities = [each["severity"] for each in made["findings"]]
    assert REFUSED in {each["id"] for each in made["findings"]}
    assert severities == sorted(severities, key=SEVERITIES.index)


def test_it_can_fail_a_run_and_can_be_silenced():
    assert REFUSED in failure(report(), "warning")
    silenced = report(silences=parse_silences([{"id": REFUSED, "reason": "its owner knows"}]))
    assert failure(silenced, "warning") is None
    assert (silenced["counts"]["findings"]["warning"], silenced["counts"]["silenced"]) == (0, 1)
