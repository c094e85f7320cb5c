# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.fail_on import failure

REMEDY = "Do what the findings say, or silence one with its reason in keepalive_silence."


def finding(severity, identity, scope, silenced=None):
    return {"id": identity, "severity": severity, "scope": scope, "silenced": silenced}


FINDINGS = [
    finding("critical", "keepalive-too-late", "worker1"),
    finding("critical", "keepalive-too-late", "worker2"),
    finding("warning", "expire-nodest-off", "worker1"),
    finding("warning", "conntrack-drops", "worker1", silenced="known"),
    finding("unknown", "node-not-observed", "worker3"),
    finding("info", "ip-vs-idle", "worker1"),
]
CRITICAL = "critical keepalive-too-late on worker1, worker2"
WARNING = f"{CRITICAL}; warning expire-nodest-off on worker1"
UNKNOWN = f"{WARNING}; unknown node-not-observed on worker3"


@pytest.mark.parametrize(
    ("fail_on", "message"),
    [
        ("never", None),
        ("critical", f"2 findings of severity critical: {CRITICAL}"),
        ("warning", f"3 findings of severity critical or warning: {WARNING}"),
        ("unknown", f"4 findings of severity critical or warning or unknown: {UNKNOWN}"),
        (
            "info",
            f"5 findings of severity critical or warning or unknown or info: {UNKNOWN}; info ip-vs-idle on worker1",
        ),
    ],
)
def test_the_play_fails_by_severity_and_names_what_is_not_silenced(fail_on, message):
    expected = message and f"{message} (keepalive_audit_fail_on: {fail_on}). {REMEDY}"
    assert failure({"findings": FINDINGS}, fail_on) == expected


@pytest.mark.parametrize(("fail_on", "fails"), [("critical", False), ("warning", True)])
def test_a_warning_does_not_fail_what_only_critical_findings_fail(fail_on, fails):
    assert bool(failure({"findings": [finding("warning", "expire-nodest-off", "worker1")]}, fail_on)) is fails


def test_what_is_silenced_does_not_fail_the_play():
    findings = [finding("critical", "keepalive-too-late", "worker1", silenced="known")]
    assert failure({"findings": findings}, "info") is None


def test_many_nodes_are_counted_and_hostile_names_made_visible():
    names = [f"worker{number}\033[2J" for number in range(8)]
    message = failure({"findings": [finding("critical", "keepalive-too-late", name) for name in names]}, "critical")
    assert message.startswith("8 findings of severity critical: critical keepalive-too-late on worker0\\x1b[2J, ")
    assert "and 2 more" in message
    assert "\033" not in message
