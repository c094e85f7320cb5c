# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.applied import describe_applied


def values(before, after):
    described = describe_applied({"changed": True, "before": before, "after": after}, None)
    return [tuple(each.values()) for each in described["values"]]


@pytest.mark.parametrize("outcome", [None, {}, [], "changed"])
def test_where_nothing_ran_there_is_nothing(outcome):
    assert describe_applied(outcome, "unsafe") is None


@pytest.mark.parametrize(
    ("outcome", "error"),
    [
        pytest.param({"failed": True, "msg": "read-only /proc/sys"}, "read-only /proc/sys", id="with its reason"),
        pytest.param({"failed": True, "msg": 7}, "node_settings failed", id="without one"),
        pytest.param({"failed": False, "msg": "fine"}, None, id="no failure"),
        pytest.param({"failed": "no", "msg": "fine"}, None, id="what is no flag"),
    ],
)
def test_a_failure(outcome, error):
    assert describe_applied(outcome, "unsafe")["error"] == error


def test_each_part_with_its_kind_what_was_and_what_is():
    before = {"modules": {"ip_vs": False}, "sysctls": {"a.b": "1", "c.d": "2"}, "files": {"/etc/x": None}}
    after = {"modules": {"ip_vs": True}, "sysctls": {"a.b": "1"}, "files": {"/etc/x": "y"}, "pods": {"a/b": "1/1/1"}}
    assert values(before, after) == [
        ("module", "ip_vs", "not loaded", "loaded", True),
        ("sysctl", "a.b", "1", "1", False),
        ("sysctl", "c.d", "2", None, True),
        ("pod", "a/b", None, "1/1/1", True),
        ("file", "/etc/x", None, "y", True),
    ]
    assert values({"ipvs_timeouts": {"tcp": 900}}, {"ipvs_timeouts": {"tcp": 8284}}) == [
        ("ipvs timeout", "tcp", "900", "8284", True)
    ]
    inside = [{"namespace_ipvs_timeouts": {"container web (docker)": {"tcp": seconds}}} for seconds in (900, 8284)]
    assert values(*inside) == [("ipvs timeout", "tcp in container web (docker)", "900", "8284", True)]
    boxes = [{"containers": {"container web (docker)": text}} for text in ("7200/75/9", "600/30/9")]
    assert values(*boxes) == [("container", "container web (docker)", "7200/75/9", "600/30/9", True)]


@pytest.mark.parametrize(("before", "shown"), [("unsafe", "unsafe"), ("fine", None), (None, None)])
def test_the_verdict_of_before_is_a_verdict_or_none(before, shown):
    assert describe_applied({"changed": False}, before)["verdict_before"] == shown


def test_a_long_file_is_cut_and_notes_are_text():
    described = describe_applied({"after": {"files": {"/etc/x": "y" * 4001}}, "notes": ["a", 7, None]}, None)
    assert described["values"][0]["after"] == "y" * 4000 + "... (4001 characters)"
    assert (described["changed"], described["notes"]) == (False, ["a"])
