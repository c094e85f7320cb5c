# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._enforcing import (
    POLICY,
    able,
    enforcing,
    unable,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    KEEPALIVE_KEYS,
    OTHER_FILE,
    OUR_FILE,
    OURS,
    nodes,
    plain_node,
    plan_one,
    quiet_node,
    stock_node,
    with_ipvs_tcp,
    with_keepalive,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import row, with_rows

WHAT = "keepalive enforced for new connections"
WHY = "programs that never ask for keepalive, and pods to come, then probe in time too; keepalive_enforce"
PLANNED = {"time": 600, "intvl": 30, "probes": 9, "exclude_ports": [], "exclude_cgroups": []}
SSHD = "/system.slice/sshd.service"
NOTHING = {"sysctls": {OUR_FILE: list(OURS)}, "modules": {}, "ipvs_timeouts": [], "ipvs_unit": False, "rps": False}


def enforce_of(node, **policy):
    """The option of node_settings, and the changes of enforcement as (what, from, to)."""
    planned = plan_one({**node, "ours": NOTHING}, **policy)[1]
    changes = [each for each in planned["changes"] if each["key"] == "enforce"]
    shown = [(each["what"], each["from"], each["to"]) for each in changes]
    return planned["settings"].get("enforce"), shown


def test_it_is_asked_for_by_its_variable_alone():
    assert enforce_of(able(stock_node())) == (None, [])
    assert enforce_of(able(stock_node()), **POLICY) == (PLANNED, [(WHAT, "none", "600/30/9")])


def test_the_change_is_a_sentence_with_its_reason():
    node = plan_one(able(stock_node()), **POLICY)[1]
    (change,) = [each for each in node["changes"] if each["key"] == "enforce"]
    assert change["sentence"] == f"{WHAT}: none becomes 600/30/9; {WHY}."
    assert (node["reasons"]["enforce"], change["after_reboot"], change["pods"]) == (WHY, False, False)


def test_what_is_left_out_is_part_of_it():
    policy = {**POLICY, "enforce_exclude_ports": [2379, 22], "enforce_exclude_cgroups": [SSHD]}
    wanted = {**PLANNED, "exclude_ports": [22, 2379], "exclude_cgroups": [SSHD]}
    after = f"600/30/9 (not: ports 22, 2379 and {SSHD})"
    assert enforce_of(able(stock_node()), **policy) == (wanted, [(WHAT, "none", after)])
    assert enforce_of(enforcing(stock_node()), **policy) == (wanted, [(WHAT, "600/30/9", after)])


def test_a_node_that_has_it_as_wanted_needs_nothing_and_is_not_contacted():
    node = {**enforcing(quiet_node()), "ours": NOTHING}
    assert enforce_of(node, **POLICY) == (PLANNED, [])
    assert plan_one(node, **POLICY)[1]["to_converge"] is False


@pytest.mark.parametrize(
    ("node", "policy", "change"),
    [
        pytest.param(
            enforcing(stock_node(), exact=False),
            {},
            (WHAT, "600/30/9 by another program", "600/30/9"),
            id="the program of another version",
        ),
        pytest.param(enforcing(stock_node(), (233, 11, 9)), {}, (WHAT, "233/11/9", "600/30/9"), id="other values"),
        pytest.param(enforcing(stock_node(), None), {}, (WHAT, "none", "600/30/9"), id="only at the next boot"),
        pytest.param(
            enforcing(stock_node(), boot=None), {}, (f"{WHAT} after a reboot", "none", "600/30/9"), id="only until then"
        ),
        pytest.param(
            enforcing(stock_node(), enabled=False),
            {},
            (f"{WHAT} after a reboot", "none (its unit is not enabled)", "600/30/9"),
            id="a unit that is not enabled",
        ),
        pytest.param(
            enforcing(stock_node(), boot=(233, 11, 9)),
            {},
            (f"{WHAT} after a reboot", "233/11/9", "600/30/9"),
            id="other values at boot",
        ),
        pytest.param(
            enforcing(stock_node()), {"middleboxes": ["aws_nlb"]}, (WHAT, "600/30/9", "233/11/9"), id="a lower limit"
        ),
    ],
)
def test_what_differs_is_changed(node, policy, change):
    assert enforce_of(node, **POLICY, **policy)[1] == [change]


def test_a_group_that_was_made_anew_is_excluded_again():
    policy = {**POLICY, "enforce_exclude_cgroups": [SSHD]}
    node = enforcing(stock_node(), cgroups=(SSHD,), exclude_cgroups=[])
    assert enforce_of(node, **policy)[1] == [(WHAT, "600/30/9", f"600/30/9 (not: {SSHD})")]
    assert enforce_of(enforcing(stock_node(), cgroups=(SSHD,)), **policy)[1] == []


def test_a_group_that_is_excluded_only_after_a_reboot_is_a_change():
    node = enforcing(stock_node(), cgroups=(SSHD,), exclude_cgroups=[])
    assert enforce_of(node, **POLICY)[1] == [(f"{WHAT} after a reboot", f"600/30/9 (not: {SSHD})", "600/30/9")]


def test_without_systemd_nothing_differs_after_a_reboot_for_ever():
    assert enforce_of(enforcing(stock_node(), boot=None, systemd=False), **POLICY) == (PLANNED, [])


@pytest.mark.parametrize(
    ("node", "change"),
    [
        pytest.param(enforcing(stock_node()), (WHAT, "600/30/9", "none"), id="attached"),
        pytest.param(enforcing(stock_node(), boot=None), (WHAT, "600/30/9", "none"), id="attached without a unit"),
        pytest.param(
            enforcing(stock_node(), None), (f"{WHAT} after a reboot", "600/30/9", "none"), id="a unit that attaches it"
        ),
    ],
)
def test_what_an_earlier_run_attached_is_given_back(node, change):
    assert enforce_of(node) == ({}, [change])


def test_how_many_rest_on_it_is_told_before_it_is_given_back():
    back = "an earlier run attached it, and keepalive_enforce is false"
    box = row("container web", kind="container")
    for rows, told in [
        ([row("a/b"), row("a/c", (3600, 75, 9)), box], "; on it alone rests what 2 pods and 1 container will open"),
        ([row("a/b", (600, 30, 9)), row("a/c", sandbox="gvisor")], ""),
        ([], ""),
    ]:
        node = plan_one(with_rows(enforcing(quiet_node()), *rows))[1]
        assert node["reasons"]["enforce"] == back + told
        (change,) = [each for each in node["changes"] if each["key"] == "enforce"]
        assert change["sentence"] == f"{WHAT}: 600/30/9 becomes none; {back}{told}."


@pytest.mark.parametrize(
    "node",
    [
        pytest.param(unable(stock_node()), id="a node that cannot"),
        pytest.param(stock_node(), id="a node_info that did not look"),
        pytest.param(able(plain_node()), id="a node on whose path nothing forgets a connection"),
    ],
)
def test_it_is_left_as_it_is_on(node):
    assert enforce_of(node, **POLICY) == (None, [])


def test_a_node_of_which_nobody_knows_whether_it_can_is_tried():
    seen = able(stock_node(), possible=None, reason="not root")
    assert enforce_of(seen, **POLICY) == (PLANNED, [(WHAT, "unknown", "600/30/9")])


def test_values_of_the_user_are_enforced_as_they_are():
    assert enforce_of(able(stock_node()), **POLICY, time=300, intvl=20, probes=5)[0]["time"] == 300


def test_with_raise_ipvs_the_keepalive_in_use_is_enforced_as_far_as_a_socket_takes_it():
    wanted = enforce_of(able(stock_node()), **POLICY, strategy="raise_ipvs")[0]
    assert (wanted["time"], wanted["intvl"], wanted["probes"]) == (7200, 75, 9)


def test_with_raise_ipvs_a_node_keeps_what_it_has_whatever_others_have():
    """Each node is judged by itself after its converge."""
    both = nodes(able(quiet_node()), stock_node())
    planned = make_plan(both, {**POLICY, "strategy": "raise_ipvs"})
    assert planned["keepalive"]["time"] == 7200
    assert planned["nodes"]["worker1"]["settings"]["enforce"]["time"] == 600


BEFORE_6_1 = {"kernel": "5.10.0-30-amd64"}


@pytest.mark.parametrize(
    ("own", "rows", "values"),
    [
        pytest.param((600, 30, 9), [], (600, 30, 9), id="nothing sooner"),
        pytest.param((60, 10, 6), [], (60, 10, 6), id="the node has sooner values without us"),
        pytest.param((600, 30, 9), [(1, 1, 1)], (600, 30, 9), id="a pod decides for nobody else"),
    ],
)
def test_nothing_is_made_later_by_a_kernel_that_replaces_it(own, rows, values):
    spaces = [row(f"a/{number}", each) for number, each in enumerate(rows)]
    node = with_rows(able(with_keepalive(quiet_node(), own, file=OUR_FILE if own[0] == 600 else OTHER_FILE)), *spaces)
    assert tuple(enforce_of({**node, **BEFORE_6_1}, **POLICY)[0].values())[:3] == values
    assert enforce_of(node, **POLICY)[0]["time"] == 600 or own[0] < 600


def test_what_an_earlier_run_gave_the_node_itself_is_not_its_own_there():
    node = with_rows(able(with_keepalive(quiet_node(), (233, 11, 9), file=OUR_FILE)))
    before = {"originals": dict(zip(KEEPALIVE_KEYS, ("7200", "75", "9"), strict=True))}
    planned = plan_one({**node, **BEFORE_6_1, "ours": {**NOTHING, **before}}, **POLICY)[1]
    assert planned["settings"]["enforce"]["time"] == 600


def test_sooner_values_of_an_earlier_run_stay_while_no_kube_proxy_answers():
    node = enforcing(with_ipvs_tcp(stock_node(), 3600))
    assert enforce_of(node, **POLICY)[0]["time"] == 2400
    node["kube_proxy"].update(running=None, mode=None)
    assert enforce_of(node, **POLICY) == (PLANNED, [])
