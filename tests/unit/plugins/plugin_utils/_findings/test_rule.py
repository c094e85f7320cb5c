# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import (
    APPLY,
    Found,
    Remedy,
    Rules,
    say,
    variable,
)

RPS = variable("keepalive_rps: auto")


def test_a_remedy_is_its_words_and_each_step_among_them_once():
    assert say("Set ", RPS, ". ", say(APPLY, ": it writes."), " ", APPLY, ".") == Remedy(
        "Set keepalive_rps: auto. Run the playbook kubenode.connections.apply: it writes. "
        "Run the playbook kubenode.connections.apply.",
        (RPS, APPLY),
    )
    assert say("Nothing has to be done.") == Remedy("Nothing has to be done.", ())


def test_a_rule_is_in_the_table_of_its_room_with_its_docstring_in_one_line():
    rules = Rules()

    @rules.plan("some-id", "warning")
    def check(_plan):
        """When it
        applies.
        """
        yield None, Found("seen", "why", "do")

    assert [(rule.id, rule.severity, rule.description) for rule in rules] == [
        ("some-id", "warning", "When it applies.")
    ]
    assert rules[0].check is check
