# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import Fault
from ansible_collections.kubenode.connections.plugins.module_utils._observe.problems import Problems, first_of, sentence


def added(*faults):
    problems = Problems()
    problems.add_faults("x", "a thing", [Fault(*each) for each in faults])
    return problems.found


def test_what_could_all_be_read_is_no_problem():
    assert added() == []


def test_one_problem_with_each_reason_and_each_remedy_once():
    faults = [("a: broken", "Mend it."), ("b: broken", "Mend it."), ("a: broken", "Run as root.")]
    assert added(*faults) == [
        {"id": "x", "what": "a thing", "why": "a: broken; b: broken", "do": "Mend it. Run as root."}
    ]


def test_three_reasons_are_named_and_that_there_are_more_is_said():
    three, four = ([(name, "Mend it.") for name in names] for names in ("abc", "abcd"))
    assert [each["why"] for each in added(*three) + added(*four)] == ["a; b; c", "a; b; c; …"]
    assert first_of(["a", "b", "c", "d"]) == "a; b; c"


def test_a_place_in_a_file_is_named_with_its_line_where_it_has_one():
    assert sentence(Problem("/etc/x", 7, "it is odd")) == "/etc/x:7: it is odd"
    assert sentence(Problem("/etc/x", 0, "it is odd")) == "/etc/x: it is odd"
