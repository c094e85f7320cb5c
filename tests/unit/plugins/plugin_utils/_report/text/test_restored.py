# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import columns
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import LANGUAGES, language
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import Rerun
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.restored import restored_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import TIME

RUN = Rerun(("-i hosts",))
LOOK = [
    "Nobody has looked at the limits since. To see who is at risk:",
    "  ansible-playbook kubenode.connections.audit -i hosts",
]


def outcome(before="600", after="7200", file="x = 1\n", notes=(), **more):
    sides = {"before": {"sysctls": {TIME: before}, "files": {"/etc/sysctl.d/k8s.conf": file}}}
    sides["after"] = {"sysctls": {TIME: after}, "files": {"/etc/sysctl.d/k8s.conf": None}}
    return {"changed": True, **sides, "notes": list(notes), **more}


def told(outcomes, check_mode=False):
    return [plain(line) for line in restored_lines(outcomes, check_mode, 110, RUN)]


def test_what_came_back_file_by_file_and_value_by_value_and_who_is_at_risk_again():
    assert told({"w1": outcome(), "w2": outcome(), "w3": {"changed": False, "before": {}, "after": {}}}) == [
        "Restore gave 2 of 3 nodes back what they had before the first apply. 1 node had nothing to give back.",
        "",
        "  w1, w2:",
        f"    {TIME}: 600 -> 7200",
        "    /etc/sysctl.d/k8s.conf: removed",
        "",
        "May be at risk again:",
        "  w1, w2: the first probe comes after 7200 s, not 600 s",
        "What forgets a connection sooner cuts idle ones.",
        *LOOK,
    ]


@pytest.mark.parametrize(
    ("before", "after", "risk"),
    [
        ({"sysctls": {TIME: "600"}}, {"sysctls": {TIME: "300"}}, None),
        ({"ipvs_timeouts": {"tcp": 8284}}, {"ipvs_timeouts": {"tcp": 900}}, "IPVS tcp forgets after 900 s, not 8284 s"),
        ({"ipvs_timeouts": {"tcp": 900, "udp": 400}}, {"ipvs_timeouts": {"tcp": 8284, "udp": 300}}, None),
        ({"enforce": "600/30/9"}, {"enforce": None}, "keepalive is not enforced for new connections"),
        (
            {"pods": {"a/b": "600/30/9", "a/c": "600/30/9"}, "containers": {"d": "600/30/9"}},
            {"pods": {"a/b": "7200/75/9", "a/c": "7200/75/9"}, "containers": {"d": "7200/75/9"}},
            "the first probe of running pods comes after 7200 s, not 600 s",
        ),
        ({"pods": {"a/b": "600/30/9"}}, {"pods": {"a/b": "300/30/9"}}, None),
    ],
)
def test_who_may_be_at_risk_again_is_told_of_each_thing_that_protects(before, after, risk):
    lines = told({"w1": {"changed": True, "before": before, "after": after}})
    said = (
        ["May be at risk again:", f"  w1: {risk}", "What forgets a connection sooner cuts idle ones."] if risk else []
    )
    begin = len(lines) - len(LOOK) - len(said) - 1
    assert lines[begin:] == ["", *said, *LOOK]


def test_where_nothing_was_recorded_that_is_no_failure():
    idle = {"changed": False, "before": {}, "after": {}}
    assert told({"w1": idle, "w2": idle})[0] == "2 nodes had nothing to give back."
    kept = {**idle, "notes": ["It is theirs now."]}
    assert told({"w1": kept})[0] == "Restore gave 0 of 1 node back what it had before the first apply."


def test_what_stays_is_told():
    assert "    The pod keeps its own." in told({"w1": outcome(notes=["The pod keeps its own."])})


def test_who_failed_and_who_was_not_come_to():
    lines = told({"w1": {"failed": True, "msg": "read-only\x1b[2J"}, "w2": None})
    assert lines[0] == (
        "Restore gave 0 of 2 nodes back what they had before the first apply. It failed on w1. It did not touch w2."
    )
    assert "  w1: FAILED: read-only\\x1b[2J" in lines
    assert lines[-4:] == [
        "To give back what is left (remove the cause of the failure first):",
        "  ansible-playbook kubenode.connections.restore -i hosts",
        *LOOK,
    ]


def test_who_was_not_come_to_is_given_back_by_another_run():
    assert told({"w1": outcome(), "w2": None})[-4:-2] == [
        "To give back what is left:",
        "  ansible-playbook kubenode.connections.restore -i hosts",
    ]


def test_in_check_mode_it_says_what_would_come_back():
    lines = told({"w1": outcome()}, check_mode=True)
    assert lines[0] == "Check mode: restore would change 1 of 1 node; nothing was written."
    assert lines[-6:] == [
        "",
        "May be at risk again after it:",
        "  w1: the first probe comes after 7200 s, not 600 s",
        "What forgets a connection sooner cuts idle ones.",
        "To give it back:",
        "  ansible-playbook kubenode.connections.restore -i hosts",
    ]


def test_in_check_mode_nothing_is_to_be_run_where_nothing_would_come_back():
    assert told({"w1": {"changed": False, "before": {}, "after": {}}}, check_mode=True) == [
        "Check mode: restore would change 0 of 1 node; nothing was written."
    ]


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_line_is_too_wide(code):
    outcomes = {f"w{number}": outcome(notes=["A note. " * 30]) for number in range(3)}
    lines = [plain(line) for line in restored_lines(outcomes, False, 79, RUN, language(code))]
    assert max(map(columns, lines)) <= 79
