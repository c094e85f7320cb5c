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
        "Restore gave 2 of 3 nodes back what they had before the first apply.",
        "",
        "  w1, w2:",
        f"    {TIME}: 600 -> 7200",
        "    /etc/sysctl.d/k8s.conf: removed",
        "",
        "AT RISK AGAIN: w1, w2. The first probe comes after 7200 s as before the first apply, no longer after 600 s.",
        "What forgets a connection sooner cuts idle ones again.",
        *LOOK,
    ]


def test_where_keepalive_is_not_later_nobody_is_called_at_risk():
    assert told({"w1": outcome(before="600", after="300")})[-3:] == ["", *LOOK]


def test_what_stays_is_told():
    assert "    The pod keeps its own." in told({"w1": outcome(notes=["The pod keeps its own."])})


def test_who_failed_and_who_was_not_come_to():
    lines = told({"w1": {"failed": True, "msg": "read-only\x1b[2J"}, "w2": None})
    assert lines[0] == (
        "Restore gave 0 of 2 nodes back what they had before the first apply. It failed on w1. It did not touch w2."
    )
    assert "  w1: FAILED: read-only\\x1b[2J" in lines


def test_in_check_mode_it_says_what_would_come_back():
    lines = told({"w1": outcome()}, check_mode=True)
    assert lines[0] == "Check mode: restore would change 1 of 1 node; nothing was written."
    assert not [line for line in lines if "AT RISK" in line]


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_line_is_too_wide(code):
    outcomes = {f"w{number}": outcome(notes=["A note. " * 30]) for number in range(3)}
    lines = [plain(line) for line in restored_lines(outcomes, False, 79, RUN, language(code))]
    assert max(map(columns, lines)) <= 79
