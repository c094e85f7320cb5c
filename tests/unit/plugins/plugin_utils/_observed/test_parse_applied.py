# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse_applied import (
    REFUSED,
    UNREAD,
    LeftOpen,
    NotTaken,
    OpenConnections,
    Rearmed,
    open_connections,
    pods_not_taken,
)

POD = {"pod": "shop/web-0", "uid": "u", "wanted": "600/30/9", "found": "7200/75/9", "cause": "refused", "why": "EPERM"}


def test_a_pod_that_did_not_take_it():
    taken = NotTaken("shop/web-0", "u", "600/30/9", "7200/75/9", REFUSED, "EPERM")
    assert pods_not_taken({"pods_not_taken": [POD]}) == (taken,)


@pytest.mark.parametrize("pod", [7, {}, dict.fromkeys(POD, 7), {"cause": ["refused"]}, {"cause": "else"}])
def test_what_says_nothing_could_not_be_read(pod):
    nothing = NotTaken("?", None, "?", None, UNREAD, "no reason was given")
    assert pods_not_taken({"pods_not_taken": [pod]}) == (nothing,)


@pytest.mark.parametrize("outcome", [None, {}, {"failed": True}, {"pods_not_taken": "web"}, {"pods_not_taken": {}}])
def test_an_outcome_without_such_pods(outcome):
    assert pods_not_taken(outcome) == ()


LEFT = {"reason_id": "own_values", "reason": "its program set a keepalive of its own.", "connections": 2}
ROW = {"kind": "pod", "label": "shop/web-0", "uid": "u", "peer": "10.96.0.10:80", "process": "java (42)", "rearmed": 3}


def test_what_became_of_open_connections():
    outcome = {"rearmed": 3, "not_rearmed": 2, "rows": [{**ROW, "not_rearmed": [LEFT]}], "more_rows": 4}
    left = LeftOpen("own_values", "its program set a keepalive of its own", 2)
    row = Rearmed("pod", "shop/web-0", "u", "10.96.0.10:80", "java (42)", 3, (left,))
    assert open_connections({"open_connections": outcome}) == OpenConnections(3, 2, (row,), 4)


@pytest.mark.parametrize("outcome", [None, {}, {"open_connections": None}, {"open_connections": []}, {"failed": True}])
def test_no_open_connection_was_to_be_touched(outcome):
    assert open_connections(outcome) is None


def test_a_process_may_be_told_with_its_number():
    rows = [{"process": {"name": "java", "pid": 42}}, {"process": {"name": "java"}}, {"process": 7}, {}]
    found = open_connections({"open_connections": {"rows": rows}})
    assert [each.process for each in found.rows] == ["java (42)", "java", None, None]


@pytest.mark.parametrize("hostile", [7, "x", [[]], {"kind": "else", "not_rearmed": [{"connections": -1}]}])
def test_hostile_rows_count_nothing(hostile):
    found = open_connections({"open_connections": {"rearmed": hostile, "rows": [hostile]}})
    assert (found.rearmed, found.not_rearmed, found.more_rows) == (7 if hostile == 7 else 0, 0, 0)
    (row,) = found.rows
    assert (row.kind, row.label, row.rearmed) == ("other", "?", 0)
    assert all(each == LeftOpen("unknown", "no reason was given", 0) for each in row.not_rearmed)
