# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._converge import rearmed_rows
from ansible_collections.kubenode.connections.plugins.module_utils._converge.rearmed_rows import Of, Row
from ansible_collections.kubenode.connections.plugins.module_utils._converge.rearming import Part

WEB, DB, NODE = Of("pod", "shop/web-0", "0b1c"), Of("pod", "shop/db-0", "1b1c"), Of("node", "the node itself", None)
PEER = "10.96.0.10:80"


def part(rearmed=0, peer=PEER, pid=7, name="python3", **left):
    return Part(peer, name, pid, rearmed, {reason: (f"text of {reason}", number) for reason, number in left.items()})


def merged(*parts):
    found = rearmed_rows.Merged()
    for each in parts:
        found.add(each)
    return found.parts


def test_parts_of_the_same_process_and_peer_are_one():
    assert merged(part(1, gone=1), part(2, gone=2, own_values=1), part(4, pid=8), part(8, peer="other")) == [
        part(3, gone=3, own_values=1),
        part(4, pid=8),
        part(8, peer="other"),
    ]


def test_adding_changes_nothing_of_what_was_added():
    first, second = part(1, gone=1), part(1, gone=1)
    merged(first, second)
    assert (first, second) == (part(1, gone=1), part(1, gone=1))


def test_of_many_parts_those_beyond_the_bound_are_one_without_peer_and_process(monkeypatch):
    monkeypatch.setattr(rearmed_rows, "MAX_ROWS_OF_ONE", 2)
    found = merged(*(part(1, pid=pid, gone=1) for pid in range(5)), part(1, pid=0))
    assert found == [
        part(2, pid=0, gone=1),
        part(1, pid=1, gone=1),
        part(3, peer=None, pid=None, name=None, gone=3),
    ]


def test_many_parts_are_few_before_they_are_told(monkeypatch):
    monkeypatch.setattr(rearmed_rows, "MAX_ROWS_OF_ONE", 2)
    found = list(rearmed_rows.bounded(part(1, pid=pid, gone=1) for pid in range(5)))
    assert found == [
        part(1, pid=0, gone=1),
        part(1, pid=1, gone=1),
        part(3, peer=None, pid=None, name=None, gone=3),
    ]
    assert list(rearmed_rows.bounded([part(1)])) == [part(1)]


def test_the_worst_come_first_in_an_order_that_does_not_depend_on_how_they_came():
    rows = [
        Row(WEB, part(9)),
        Row(DB, part(2)),
        Row(WEB, part(2)),
        Row(WEB, part(1, gone=1)),
        Row(DB, part(0, refused=2)),
    ]
    expected = [rows[4], rows[3], rows[0], rows[1], rows[2]]
    assert rearmed_rows.worst(rows) == rearmed_rows.worst(reversed(rows)) == expected


def test_totals_count_every_connection_once():
    assert rearmed_rows.totals([Row(WEB, part(3, gone=1, refused=2)), Row(DB, part(4))]) == (7, 3)


def test_a_row_as_plain_data():
    assert rearmed_rows.as_plain(Row(WEB, part(3, own_values=2)), None) == {
        "kind": "pod",
        "label": "shop/web-0",
        "uid": "0b1c",
        "peer": PEER,
        "process": {"name": "python3", "pid": 7, "pod": None},
        "rearmed": 3,
        "not_rearmed": [{"reason_id": "own_values", "reason": "text of own_values", "connections": 2}],
    }


def test_a_row_without_a_process():
    plain = rearmed_rows.as_plain(Row(WEB, part(peer=None, pid=None, name=None, unlisted=5)), None)
    assert (plain["peer"], plain["process"]) == (None, None)


def test_where_all_were_re_armed_or_closed_nothing_is_told():
    assert rearmed_rows.notes([Row(WEB, part(3)), Row(DB, part(1, gone=2))]) == []


def test_the_notes_name_the_pods_by_the_reason_and_processes_of_the_node():
    rows = [
        Row(WEB, part(3, own_values=2)),
        Row(WEB, part(0, pid=8, own_values=1)),
        Row(DB, part(5)),
        Row(NODE, part(0, kernel=1)),
        Row(NODE, part(0, peer=None, pid=None, name=None, unlisted=7)),
    ]
    assert rearmed_rows.notes(rows) == [
        (
            "1 open connection at risk was not re-armed, because text of kernel: process python3 (7) (1). "
            "Restart them, or have them connect again, where that matters."
        ),
        (
            "3 open connections at risk were not re-armed, because text of own_values: shop/web-0 (3). "
            "Change them in the program's own settings where that is not wanted."
        ),
        "7 open connections at risk were not re-armed, because text of unlisted: the node itself (7). Run this again.",
    ]


def test_of_many_pods_the_first_are_named():
    rows = [Row(WEB._replace(label=f"shop/web-{number:02}"), part(0, refused=1 + number)) for number in range(12)]
    assert rearmed_rows.notes(rows) == [
        (
            "78 open connections at risk were not re-armed, because text of refused: shop/web-11 (12), "
            "shop/web-10 (11), shop/web-09 (10), shop/web-08 (9), shop/web-07 (8), shop/web-06 (7), shop/web-05 (6), "
            "shop/web-04 (5), "
            "shop/web-03 (4), shop/web-02 (3) and 2 more. Restart them, or have them connect again, where that matters."
        )
    ]


def test_namespaces_that_were_not_looked_at_are_named_by_the_problem():
    names = [f"shop/web-{number}" for number in range(12)]
    assert rearmed_rows.not_looked_at({"it hung": ["shop/db-0"], "no time": names}) == [
        "open connections of shop/db-0 were not looked at (it hung). Run this again.",
        f"open connections of {', '.join(names[:10])} and 2 more were not looked at (no time). Run this again.",
    ]
