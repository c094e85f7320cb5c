# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.enforcement import Enforced
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import (
    Peer,
    Pods,
    Process,
    Space,
    Totals,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.pods import describe_pods

KERNEL, SAFE = Keepalive(7200, 75, 9), Keepalive(600, 30, 9)

PROCESS = Process("python3", 4711, "grpcio", 2, None, None)


def service(without=0, gaps=(), in_flight=0, processes=(), name="10.96.0.1:80"):
    connections = without + in_flight + sum(number for _seconds, number in gaps)
    return Peer(name, connections, without, in_flight, tuple(gaps), tuple(processes))


def space(label="a/b", keepalive=SAFE, *services, kind="pod", **more):
    values = {
        "uid": "u-1",
        "namespace": "a",
        "name": "b",
        "netns": 4026532000,
        "retries2": 15,
        "error": None,
        "process": None,
        "connections": 7,
        "to_services": sum(each.connections for each in services),
        "without_keepalive": sum(each.without_keepalive for each in services),
        "in_flight": sum(each.in_flight for each in services),
        "services_omitted": 0,
        **more,
    }
    return Space(kind=kind, label=label, keepalive=keepalive, services=services, **values)


def pods(*spaces, **more):
    totals = Totals(
        *(sum(getattr(each, name) for each in spaces) for name in ("connections", "to_services", "without_keepalive"))
    )
    values = {"count": 2, "omitted": 0, "sockets_from": "sock_diag", "error": None, "idle_unseen": False, **more}
    return Pods(spaces=spaces, totals=totals, **values)


def plan(limit=900, not_seen=(), verdict="unsafe", margin=0, outside=None, bound=(), proxies=(), servers=None):
    services = limit and {"seconds": limit, "name": "IPVS tcp", "node": "w1"}
    holding = {"services": services, "outside": outside, "bound": list(bound), "proxies": list(proxies)}
    return {
        "nodes": {"w1": {"pods": {"verdict": verdict}, "holding": holding, "servers": servers or {}}},
        "not_seen": [{"node": name} for name in not_seen],
        "policy": {"lost_probes": 2, "margin": margin},
    }


def described(*spaces, of_plan=None, rows=5, **more):
    return describe_pods("w1", pods(*spaces, **more), of_plan or plan(), rows)


def test_without_pods_there_is_nothing():
    assert describe_pods("w1", None, plan(), 5) is None
    assert describe_pods("w1", pods(), {**plan(), "nodes": {"w1": {"pods": None}}}, 5) is None


def test_a_pod_with_its_connections():
    late = service(2, [(600, 1), (7200, 3)], 1, [PROCESS, PROCESS._replace(gap=7200, pod="c/d")])
    assert described(space("a/b", SAFE, late, process=PROCESS, services_omitted=4), omitted=3) == {
        "verdict": "unsafe",
        "count": 2,
        "at_risk": 1,
        "containers": 0,
        "containers_at_risk": 0,
        "others_at_risk": 0,
        "rows": [
            {
                "kind": "pod",
                "label": "a/b",
                "uid": "u-1",
                "namespace": "a",
                "name": "b",
                "netns": 4026532000,
                "verdict": "unsafe",
                "at_risk": True,
                "why": (
                    "keepalive 600/30/9: 600 + 2 x 30 = 660 s, with timer slack 744 s, leaves 156 s of 900 s "
                    "(IPVS tcp on w1); 2 connections without SO_KEEPALIVE; 3 connections with a timer beyond the limit"
                ),
                "keepalive_why": (
                    "keepalive 600/30/9: 600 + 2 x 30 = 660 s, with timer slack 744 s, leaves 156 s of 900 s "
                    "(IPVS tcp on w1)"
                ),
                "keepalive": {"time": 600, "intvl": 30, "probes": 9},
                "enforced": None,
                "retries2": 15,
                "process": {"name": "python3", "pid": 4711, "runtime": "grpcio", "pod": None},
                "connections": 7,
                "to_services": 7,
                "without_keepalive": 2,
                "in_flight": 1,
                "late": 3,
                "undecided": 1,
                "kept_by_server": 0,
                "lost": 0,
                "services": [
                    {
                        "service": "10.96.0.1:80",
                        "connections": 7,
                        "without_keepalive": 2,
                        "in_flight": 1,
                        "gaps": [{"seconds": 600, "connections": 1}, {"seconds": 7200, "connections": 3}],
                        "processes": [
                            {
                                "name": "python3",
                                "pid": 4711,
                                "runtime": "grpcio",
                                "pod": None,
                                "without_keepalive": 2,
                                "gap_seconds": None,
                            },
                            {
                                "name": "python3",
                                "pid": 4711,
                                "runtime": "grpcio",
                                "pod": "c/d",
                                "without_keepalive": 2,
                                "gap_seconds": 7200,
                            },
                        ],
                        "kept_by_server": False,
                    }
                ],
                "services_omitted": 4,
                "to_outside": 0,
                "outside": [],
                "error": None,
            }
        ],
        "omitted": 3,
        "totals": {
            "connections": 7,
            "to_services": 7,
            "without_keepalive": 2,
            "in_flight": 1,
            "late": 3,
            "undecided": 1,
            "kept_by_server": 0,
            "at_risk": 5,
            "to_outside": 0,
            "outside_without_keepalive": 0,
            "outside_at_risk": 0,
            "outside_undecided": 0,
            "outside_kept_by_server": 0,
        },
        "sockets_from": "sock_diag",
        "error": None,
    }


LATE, CALM, BUSY = service(gaps=[(7200, 1)]), service(gaps=[(600, 1)]), service(in_flight=1)


@pytest.mark.parametrize(
    ("row", "of_plan", "verdict", "at_risk"),
    [
        pytest.param(space("a/b", SAFE, CALM), plan(), "safe", False, id="all is well"),
        pytest.param(space("a/b", KERNEL), plan(), "unsafe", True, id="a pod by its values"),
        pytest.param(space("a/b", SAFE, service(1)), plan(), "unsafe", True, id="a pod by a connection"),
        pytest.param(
            space("x", KERNEL, kind="other"), plan(), "unsafe", False, id="another's values put nothing at risk"
        ),
        pytest.param(space("x", KERNEL, LATE, kind="other"), plan(), "unsafe", True, id="another's connection does"),
        pytest.param(space("a/b", SAFE, BUSY), plan(), "unknown", False, id="data under way hides the timer"),
        pytest.param(space("a/b", None, error="denied"), plan(), "unknown", False, id="values that could not be read"),
        pytest.param(space("a/b", KERNEL), plan(None), "safe", False, id="nothing forgets"),
        pytest.param(space("a/b", KERNEL), plan(None, ["w1"]), "unknown", False, id="nobody knows what forgets here"),
        pytest.param(space("a/b", KERNEL), plan(None, ["w2"]), "safe", False, id="what is unseen is another node's"),
        pytest.param(space("a/b", SAFE), plan(margin=157), "safe", False, id="the margin is not left"),
    ],
)
def test_the_verdict_of_a_row(row, of_plan, verdict, at_risk):
    (shown,) = described(row, of_plan=of_plan)["rows"]
    assert (shown["verdict"], shown["at_risk"]) == (verdict, at_risk)


def test_pods_containers_and_others_at_risk_are_counted_apart_and_the_node_itself_is_neither():
    several = [space("a/1", KERNEL), space("a/2", SAFE, LATE), space("a/3", SAFE, CALM)]
    several += [space("x", KERNEL, LATE, kind="other"), space("the node itself", SAFE, LATE, kind="node")]
    several += [space("web (docker)", values, kind="container") for values in (KERNEL, KERNEL, SAFE)]
    shown = described(*several, containers=3)
    assert (shown["at_risk"], shown["others_at_risk"]) == (2, 1)
    assert (shown["containers"], shown["containers_at_risk"]) == (3, 2)
    assert shown["totals"]["at_risk"] == 3


def test_more_rows_than_are_shown_are_omitted():
    shown = described(*(space(f"a/{number}", KERNEL) for number in range(4)), rows=3, omitted=2)
    assert ([row["label"] for row in shown["rows"]], shown["omitted"], shown["at_risk"]) == (
        ["a/0", "a/1", "a/2"],
        3,
        4,
    )


def test_of_many_services_gaps_and_processes_the_first_and_the_longest_are_shown():
    many = service(
        gaps=[(seconds, 1) for seconds in range(1, 22)], processes=[PROCESS._replace(pid=pid) for pid in range(6)]
    )
    several = [many._replace(name=f"x{number}:1") for number in range(21)]
    (row,) = described(space("a/b", SAFE, *several, services_omitted=1))["rows"]
    assert [each["service"] for each in row["services"]] == [f"x{number}:1" for number in range(20)]
    assert row["services_omitted"] == 2
    assert [gap["seconds"] for gap in row["services"][0]["gaps"]] == list(range(2, 22))
    assert [each["pid"] for each in row["services"][0]["processes"]] == list(range(5))


def test_without_a_limit_no_connection_is_at_risk():
    totals = described(space("a/b", KERNEL, service(2, [(7200, 3)])), of_plan=plan(None))["totals"]
    assert (totals["without_keepalive"], totals["late"], totals["at_risk"]) == (2, 0, 0)


@pytest.mark.parametrize("destination", ["10.96.0.1", "10.96.0.0/24:80"])
def test_a_pod_with_connections_through_a_proxy_is_never_safe(destination):
    proxy = {"name": "our relay", "seconds": 60, "proxy": True, "destinations": [destination]}
    kept = space("a/b", SAFE, service(gaps=[(600, 2)]))
    (before,) = described(kept)["rows"]
    (after,) = described(kept, of_plan=plan(proxies=[proxy]))["rows"]
    assert (before["verdict"], after["verdict"]) == ("safe", "unknown")
    assert after["why"] == before["why"] + "; 2 connections through a proxy, where keepalive does not count"


def test_what_new_connections_get_where_it_is_enforced():
    enforced = Enforced(Keepalive(600, 30, 9), exclude_cgroups=("/system.slice/sshd.service",))
    several = pods(space("a/b", KERNEL), space("container web", KERNEL, kind="container"), omitted=0)
    shown = describe_pods("w1", several, plan(), 5, enforced)
    assert [(row["label"], row["verdict"], row["enforced"]) for row in shown["rows"]] == [
        ("a/b", "safe", {"time": 600, "intvl": 30, "probes": 9}),
        ("container web", "unsafe", None),
    ]
    assert (shown["at_risk"], shown["containers_at_risk"]) == (0, 1)
    assert describe_pods("w1", pods(space("a/b", SAFE)), plan(), 5, enforced)["rows"][0]["enforced"] is None
    assert shown["rows"][0]["why"].startswith("keepalive 7200/75/9, 600/30/9 enforced: ")
