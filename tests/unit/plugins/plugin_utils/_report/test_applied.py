# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.applied import OUTCOMES, describe_applied


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


ENFORCED = "keepalive enforced for new connections"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        pytest.param(None, None, [], id="nothing"),
        pytest.param(None, "600/30/9", [("enforcement", ENFORCED, None, "600/30/9", True)], id="as text"),
        pytest.param(
            {"keepalive": "600/30/9", "exclude_ports": [22], "exclude_cgroups": ["/a"]},
            {"time": 600, "intvl": 30, "probes": 9, "exclude_ports": []},
            [("enforcement", ENFORCED, "600/30/9 (not: ports 22 and /a)", "600/30/9", True)],
            id="with what is left out",
        ),
        pytest.param("600/30/9", None, [("enforcement", ENFORCED, "600/30/9", None, True)], id="taken away"),
        pytest.param({"keepalive": [7]}, {"time": "x"}, [], id="hostile shapes"),
    ],
)
def test_enforcement_is_a_value(before, after, shown):
    assert values({"enforce": before}, {"enforce": after}) == shown


def test_what_became_of_open_connections():
    left = {"reason_id": "own_values", "reason": "its program set them", "connections": 2}
    row = {"kind": "pod", "label": "a/b", "uid": "u", "peer": "10.96.0.10:80", "process": "java (42)", "rearmed": 3}
    done = {"rearmed": 3, "not_rearmed": 2, "rows": [{**row, "not_rearmed": [left]}], "more_rows": 1}
    assert describe_applied({"open_connections": done}, None)["open_connections"] == done
    many = {**done, "rows": [row] * 201}
    described = describe_applied({"open_connections": many}, None)["open_connections"]
    assert (len(described["rows"]), described["more_rows"]) == (200, 2)
    assert describe_applied({"changed": False}, None)["open_connections"] is None


@pytest.mark.parametrize(
    ("returned", "ending"),
    [
        ({"changed": True}, "changed"),
        ({"changed": False}, "unchanged"),
        ({"changed": True, "failed": True, "msg": "w1 is unsafe."}, "changed"),
        ({"failed": True, "msg": "It failed. The node is as before: everything was undone."}, "undone"),
        ({"failed": True, "msg": "It failed. Nothing was changed."}, "undone"),
        ({"failed": True, "msg": "It failed. The node is not as before, this could not be undone: x"}, "left"),
        ({"failed": True, "msg": "MODULE FAILURE", "module_stdout": "x"}, "unclear"),
        ({"unreachable": True, "msg": "no route"}, "unclear"),
        ({"untouched": True}, "untouched"),
    ],
)
def test_how_it_ended_on_a_node(returned, ending):
    assert describe_applied(returned, None)["outcome"] == ending
    assert ending in OUTCOMES
