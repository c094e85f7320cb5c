# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.connection_counts import NOTHING, Counts
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import parse_pods
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.judged_pods import (
    Judged,
    JudgedPods,
    connections_text,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    plan_one,
    quiet_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    SAFE,
    row,
    service,
    with_rows,
)

LATE = "7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond 900 s (IPVS tcp on worker1)"
FINE = "600 + 2 x 30 = 660 s, with timer slack 744 s, leaves 156 s of 900 s (IPVS tcp on worker1)"


def judged(label="a/b", verdict="safe", kind="pod", keepalive=SAFE, **counts):
    """A namespace with that verdict and those connections."""
    (_own, space) = parse_pods(with_rows(quiet_node(), row(label, keepalive, kind=kind))["pods"]).spaces
    return Judged(space, verdict, Counts(**counts), "its values", (), 0, True)


@pytest.mark.parametrize(
    ("each", "at_risk"),
    [
        pytest.param(judged(verdict="unsafe"), True, id="a pod that is late"),
        pytest.param(judged(verdict="unsafe", kind="other"), False, id="a namespace of no pod that is late"),
        pytest.param(judged(kind="other", late=1), True, id="one with a connection that is late"),
        pytest.param(judged(without_keepalive=1), True, id="a connection without SO_KEEPALIVE"),
        pytest.param(judged(verdict="unknown", undecided=3, safe=1), False, id="nobody can tell"),
    ],
)
def test_what_is_at_risk(each, at_risk):
    assert each.at_risk is at_risk


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        ({"undecided": 3, "safe": 4}, "its values"),
        ({"without_keepalive": 1}, "its values; 1 connection without SO_KEEPALIVE"),
        (
            {"without_keepalive": 2, "late": 1},
            "its values; 2 connections without SO_KEEPALIVE; 1 connection with a timer beyond the limit",
        ),
    ],
)
def test_why_it_is_at_risk(counts, why):
    assert judged(**counts).why == why


def test_counts_of_several_add_up():
    each = (judged(late=1, safe=2), judged(without_keepalive=3, undecided=4, late=5))
    pods = JudgedPods(2, each, "unsafe", "safe")
    assert pods.counts == Counts(without_keepalive=3, late=6, undecided=4, safe=2)
    assert pods.counts.at_risk == 9


def test_namespaces_by_what_is_wrong_with_them():
    late, unread, other = (
        judged("a/b", "unsafe"),
        judged("a/c", "unknown", keepalive=None),
        judged("x", late=1, kind="other"),
    )
    pods = JudgedPods(2, (late, unread, other, judged("a/d")), "unsafe", "unsafe")
    assert (pods.unsafe, pods.unreadable_of("pod")) == ((late,), (unread,))
    assert [pods.at_risk_of(kind) for kind in ("pod", "other", "node")] == [1, 1, 0]


def test_open_connections_in_the_summary_of_a_node():
    assert connections_text(None) == ""
    assert connections_text(JudgedPods(1, (judged(safe=1),), "safe", "safe")) == ""
    assert connections_text(JudgedPods(1, (judged(late=1),), "unsafe", "safe")).startswith("1 open connection to ")


def test_what_no_setting_cures_is_in_the_summary():
    pod = row("a/b", SAFE, service(without=1, gaps=[(7100, 2)]))
    assert plan_one(with_rows(quiet_node(), pod))[1]["summary"] == (
        f"worker1 is safe: {FINE}. 3 open connections to services stay at risk until their programs change that (see "
        "the findings)."
    )


def test_who_is_at_risk_and_why():
    rows = [row("a/late"), row("a/without", SAFE, service(without=1)), row("a/fine", SAFE), row("x", kind="other")]
    assert plan_one(with_rows(quiet_node(), *rows))[1]["pods"]["at_risk"] == [
        {
            "kind": "pod",
            "label": "a/late",
            "why": f"keepalive 7200/75/9: {LATE}",
            "keepalive": {"time": 7200, "intvl": 75, "probes": 9},
            "own_values": False,
            "verdict": "unsafe",
            "without_keepalive": 0,
            "late": 0,
            "undecided": 0,
            "safe": 0,
            "kept_by_server": 0,
            "outside": NOTHING._asdict(),
        },
        {
            "kind": "pod",
            "label": "a/without",
            "why": f"keepalive 600/30/9: {FINE}; 1 connection without SO_KEEPALIVE",
            "keepalive": {"time": 600, "intvl": 30, "probes": 9},
            "own_values": True,
            "verdict": "safe",
            "without_keepalive": 1,
            "late": 0,
            "undecided": 0,
            "safe": 0,
            "kept_by_server": 0,
            "outside": NOTHING._asdict(),
        },
    ]


def test_the_list_is_bounded():
    pods = plan_one(with_rows(quiet_node(), *(row(f"a/{number}") for number in range(60))))[1]["pods"]
    assert (len(pods["at_risk"]), pods["at_risk_more"], pods["count"]) == (50, 10, 60)
