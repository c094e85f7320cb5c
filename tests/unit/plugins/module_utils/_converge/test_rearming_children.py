# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._converge import rearming_children
from ansible_collections.kubenode.connections.plugins.module_utils._converge.rearming import Part
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.attribution import Attributed
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pods_with_connections import lines_of

TOTAL, PART, PROBLEM, END = range(4)


def told(*values):
    found = rearming_children.Told()
    for kind, value in values:
        found.add(kind, value)
    return found


def test_what_was_told_before_the_end_is_kept_and_the_rest_is_unlisted():
    found = told((TOTAL, 9), (PART, ["peer", "python3", 7, 3, {"gone": ["closed", 1]}]))
    assert found.ended is False
    found.end("it hung")
    assert (found.ended, found.problem) == (True, None)
    assert found.parts == [
        Part("peer", "python3", 7, 3, {"gone": ("closed", 1)}),
        Part(None, None, None, 0, {"unlisted": ("it hung", 5)}),
    ]


def test_of_a_namespace_of_which_nothing_was_told_nobody_knows_how_many_there_are():
    found = told()
    found.end("it hung")
    assert (found.ended, found.problem, found.parts) == (True, "it hung", [])


@pytest.mark.parametrize(("values", "problem"), [([(PROBLEM, "why")], "why"), ([(TOTAL, 0), (END, None)], None)])
def test_a_namespace_ends_well_or_with_a_problem(values, problem):
    found = told(*values)
    assert (found.ended, found.problem, found.parts) == (True, problem, [])


# What befalls the child in the namespace of the first pod, before it finds sockets and after.
TWO = """
hostile, good = pod(UID, 'late'), pod(OTHER_UID, 'late')
inode = os.stat('/proc/%d/ns/net' % hostile.pid).st_ino
def befall(room, name):
    real = getattr(room, name)
    def read(*given):
        if os.stat('/proc/self/ns/net').st_ino == inode:
            act()
        return real(*given)
    setattr(room, name, read)
"""
AT_RISK, REARMING = "rearming_children.at_risk, 'read'", "rearming_children.rearming, 'rearm'"
BAD = [
    pytest.param("time.sleep(600)", "took longer than 2 s", id="it hangs"),
    pytest.param("os._exit(3)", "ended with wait status 768", id="it ends"),
    pytest.param("raise KeyError('x')", "failed: KeyError: 'x'", id="a mistake of ours"),
]


@pytest.mark.parametrize(("act", "why"), BAD)
def test_what_befalls_one_namespace_does_not_stop_the_others(tmp_path, act, why):
    code = TWO + f"def act():\n    {act}\nbefall({AT_RISK})\nrearming_children._CHILD_SECONDS = 2\n"
    code += "rearm()\nprint(gaps(hostile))\nprint(gaps(good))"
    (rearmed, plain, notes), hostile, good = lines_of(tmp_path, code)
    assert (rearmed, plain["not_rearmed"], hostile, good) == (1, 0, [7200], [600])
    assert notes == [
        (
            "open connections of shop/web-0 were not looked at "
            f"(the process that enters its network namespace {why}). Run this again."
        )
    ]


@pytest.mark.parametrize(("act", "why"), BAD)
def test_what_was_at_risk_there_is_counted(tmp_path, act, why):
    code = TWO + f"def act():\n    {act}\nbefall({REARMING})\nrearming_children._CHILD_SECONDS = 2\n"
    code += "rearm()\nprint(gaps(hostile))\nprint(gaps(good))"
    (rearmed, plain, _notes), hostile, good = lines_of(tmp_path, code)
    assert (rearmed, plain["not_rearmed"], hostile, good) == (1, 1, [7200], [600])
    (left,) = [row for row in plain["rows"] if row["not_rearmed"]]
    assert (left["label"], left["peer"], left["process"]) == ("shop/web-0", None, None)
    assert left["not_rearmed"] == [
        {
            "reason_id": "unlisted",
            "reason": f"the process that enters its network namespace {why}",
            "connections": 1,
        }
    ]


def test_when_all_time_is_over_the_rest_is_told(tmp_path):
    code = "rearming_children._ALL_SECONDS = 0\nweb = pod(UID, 'late')\nrearm()\nprint(gaps(web))"
    (rearmed, _plain, notes), after = lines_of(tmp_path, code)
    assert (rearmed, after) == (0, [7200])
    assert notes == [
        (
            "open connections of the node itself, shop/web-0 were not looked at "
            "(0 s were over before their turn came). Run this again."
        )
    ]


def test_a_namespace_that_ended_meanwhile_is_no_problem(tmp_path):
    code = (
        "web = pod(UID, 'late')\nreal = rearming_children._ways\n"
        "def end(*given):\n    os.kill(web.pid, 9)\n"
        "    while os.path.exists('/proc/%d/ns/net' % web.pid): time.sleep(0.01)\n    return real(*given)\n"
        "rearming_children._ways = end\nrearm()"
    )
    assert lines_of(tmp_path, code) == [[0, {"rearmed": 0, "not_rearmed": 0, "rows": [], "more_rows": 0}, []]]


def test_more_than_can_be_looked_at_is_counted(tmp_path):
    code = "rearming_children.at_risk.MAX_SOCKETS = 1\nweb = pod(UID, 'late', 'late', 'late')\nrearm()"
    ((rearmed, plain, notes),) = lines_of(tmp_path, code)
    assert (rearmed, plain["not_rearmed"]) == (1, 2)
    assert notes == [
        (
            "2 open connections at risk were not re-armed, "
            "because more than 1 of one network namespace are not looked at in one run: shop/web-0 (2). Run this again."
        )
    ]


def test_the_time_for_one_namespace_is_bounded(tmp_path):
    code = "rearming_children._SPACE_SECONDS = -1\nweb = pod(UID, 'late')\nrearm()\nprint(gaps(web))"
    (rearmed, plain, _notes), after = lines_of(tmp_path, code)
    assert (rearmed, plain["not_rearmed"], after) == (0, 1, [7200])
    assert plain["rows"][0]["not_rearmed"][0]["reason_id"] == "unlisted"


def test_a_namespace_that_hangs_takes_its_own_time_only(tmp_path):
    code = TWO + f"def act():\n    time.sleep(600)\nbefall({AT_RISK})\nrearming_children._CHILD_SECONDS = 2\n"
    code += "rearming_children._ALL_SECONDS = 4\nrearm()\nprint(gaps(good))"
    (rearmed, _plain, _notes), good = lines_of(tmp_path, code)
    assert (rearmed, good) == (1, [600])


def test_of_many_processes_in_a_namespace_few_parts_come_out_of_the_child(tmp_path):
    code = (
        "rearmed_rows.MAX_ROWS_OF_ONE = 2\nweb = pod(UID, 'late')\ncounts = []\n"
        "rearming_children.rearming.rearm = lambda *given: iter(\n"
        "    [rearming_children.Part('peer', 'x', number, 1, {}) for number in range(9)])\n"
        "add = rearming_children.Told.add\n"
        "rearming_children.Told.add = lambda told, kind, value: (counts.append(kind), add(told, kind, value))\n"
        "rearm(WISH._replace(kinds=['pod']))\nprint(counts.count(rearming_children._PART))"
    )
    (rearmed, plain, _notes), parts = lines_of(tmp_path, code)
    assert (rearmed, plain["rearmed"], len(plain["rows"]), parts) == (9, 9, 3, 3)


def test_each_run_begins_with_another_namespace_after_the_nodes_own():
    def target(inode, own=False):
        return Attributed(Space(inode, own, [], [], None, None, None, None), (None, None), [])

    first, second, own = target(1), target(2), target(3, True)
    turns = [rearming_children._in_turn([first, second, own], start) for start in range(3)]
    assert turns == [[own, first, second], [own, second, first], [own, first, second]]
    assert rearming_children._in_turn([own], 5) == [own]
