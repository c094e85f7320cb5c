# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import pod_notes
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.pod_keepalive import NotTaken


def pods(number, cause="refused", found="7200/75/9"):
    return [NotTaken(f"shop/p{each:02}", str(each), "600/30/9", found, cause, "why") for each in range(number)]


def test_many_pods_of_a_cause_are_one_note():
    (note,) = pod_notes.not_taken(list(reversed(pods(12, found=None))), False)
    names = ", ".join(f"shop/p{each:02}" for each in range(10))
    assert note == f"keepalive of 12 running pods could not be written (why), so it was left alone: {names} and 2 more."


def test_each_cause_has_a_note_of_its_own():
    notes = pod_notes.not_taken([*pods(1, "rewritten"), *pods(2), *pods(1, "unread", None)], True)
    kept = ", and what was there before stays recorded"
    assert [note.split(":")[0] for note in notes] == [
        f"keepalive of 1 running pod could not be read (why), so it was left as it is{kept}",
        f"keepalive of 2 running pods could not be written (why), so it was left alone{kept}",
        "keepalive of 1 running pod was given back and did not stay",
    ]


def test_what_an_undo_left_is_bounded():
    left = pod_notes.left(pods(1000, found=None))
    assert (len(left), left[0], left[-1]) == (
        11,
        "keepalive of shop/p00: nobody knows it, before it was 600/30/9 (why).",
        "990 running pods more.",
    )


def test_of_many_pods_with_open_connections_some_are_named():
    numbers = dict({f"shop/p{each:02}": "3" for each in range(12)}, **{"shop/none": ""})
    (note,) = pod_notes.armed_late(numbers)
    assert note.endswith(f": {', '.join(f'shop/p{each:02} (3 open)' for each in range(10))} and 2 more.")
    assert pod_notes.armed_late({"shop/none": ""}) == []
