# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.rule import (
    APPLY,
    Found,
    Remedy,
    Rules,
    one_by_one,
    remedy,
    variable,
)

RPS = variable("keepalive_rps: auto")


def test_a_remedy_is_its_words_and_each_step_among_them_once():
    assert remedy(
        "Set {rps}. {then} {apply}.", rps=RPS, then=remedy("{apply}: it writes.", apply=APPLY), apply=APPLY
    ) == (
        Remedy(
            "Set keepalive_rps: auto. Run the playbook kubenode.connections.apply: it writes. "
            "Run the playbook kubenode.connections.apply.",
            (RPS, APPLY),
        )
    )
    assert remedy("Nothing has to be done.") == Remedy("Nothing has to be done.", ())


def test_remedies_stand_one_by_one_with_the_steps_of_each_and_empty_ones_nowhere():
    set_it = remedy("Set {rps}.", rps=RPS)
    assert one_by_one("", set_it, "Wait.", remedy("{apply}.", apply=APPLY)) == Remedy(
        "Set keepalive_rps: auto. Wait. Run the playbook kubenode.connections.apply.", (RPS, APPLY)
    )
    assert one_by_one("", "") == Remedy("", ())


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
