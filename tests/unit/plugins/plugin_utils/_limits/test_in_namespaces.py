# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._limits import in_namespaces
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import of_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.holding import holding_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    conntrack_in,
    ipvs_in,
    nftables_node,
    stock_node,
    with_tables,
    without_ipvs,
)

INGRESS = "network namespace ingress_sbox"
OF_USER = {"unprivileged": True}


def balancing(*rows, **tables):
    """ip_vs is loaded, and the node's own namespace has no service."""
    return with_tables(altered(nftables_node(), ipvs={"loaded": True}), *rows, **tables)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([], [], id="none"),
        pytest.param([ipvs_in(INGRESS)], [(300, f"IPVS tcp in {INGRESS}")], id="as in Docker Swarm"),
        pytest.param(
            [ipvs_in("container kind-worker (docker)", 900), conntrack_in("container kind-worker (docker)", 86400)],
            [
                (900, "IPVS tcp in container kind-worker (docker)"),
                (86400, "conntrack established in container kind-worker (docker)"),
            ],
            id="as in a node of kind",
        ),
        pytest.param([ipvs_in("container dns (podman)", 20, tcp_services=0)], [], id="for UDP only"),
        pytest.param(
            [conntrack_in("shop/api", 600, kind="pod")],
            [(600, "conntrack established in pod shop/api")],
            id="a pod whose conntrack has a timeout of its own",
        ),
        pytest.param([conntrack_in("shop/api", 600, entries=0, kind="pod")], [], id="it tracks nothing"),
        pytest.param(
            [conntrack_in("shop/api", 600, entries=None, kind="pod")],
            [(600, "conntrack established in pod shop/api")],
            id="whether it tracks could not be read",
        ),
        pytest.param(
            [ipvs_in("network namespace lb_2", 900), ipvs_in("network namespace lb_1", 900), ipvs_in(INGRESS)],
            [(300, f"IPVS tcp in {INGRESS}"), (900, "IPVS tcp in network namespace lb_1 and 1 other")],
            id="equal ones are one",
        ),
        pytest.param([ipvs_in(INGRESS, None, error="denied")], [], id="timeouts that could not be read"),
        pytest.param([ipvs_in("process x (9)", 15, **OF_USER)], [], id="an ordinary user does not set it for others"),
    ],
)
def test_the_limits_of_other_namespaces(rows, expected):
    limits = list(in_namespaces.limits_of("worker1", parse_node(balancing(*rows))))
    assert [(limit.seconds, limit.name) for limit in limits] == expected
    assert {(limit.node, limit.in_namespace, limit.in_force) for limit in limits} <= {("worker1", True, True)}


def test_of_very_many_only_the_lowest_are_limits():
    rows = [conntrack_in(f"shop/api-{number}", 500 + number, kind="pod") for number in range(100)]
    limits = list(in_namespaces.limits_of("worker1", parse_node(balancing(*reversed(rows)))))
    assert [limit.seconds for limit in limits] == list(range(500, 500 + in_namespaces.MAX_LIMITS))


RIGHTS = "Run on the node itself: this root lacks rights, as in a container."
RUN_INSIDE = (
    "Run inside of it where it is a node of its own. Where connections of the cluster cross it, name it in "
    "keepalive_middleboxes as {name: ..., seconds: ...}."
)
OTHERS = "IPVS tcp in other network namespaces"


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        pytest.param(balancing(ipvs_in(INGRESS)), [], id="all was seen"),
        pytest.param(
            balancing(ipvs_in(INGRESS, None, error="IPVS timeouts: not read."), unread=1, error="not read"),
            [(f"IPVS tcp in {INGRESS}", "IPVS timeouts: not read", "")],
            id="timeouts could not be read",
        ),
        pytest.param(
            balancing(ipvs_in("container dns (podman)", None, tcp_services=0)), [], id="those for UDP do not matter"
        ),
        pytest.param(
            balancing(unread=2, error="/proc/self/net/ip_vs: Permission denied"),
            [("IPVS tcp in 2 other network namespaces", "/proc/self/net/ip_vs: Permission denied", "")],
            id="tables could not be read",
        ),
        pytest.param(
            with_tables(without_ipvs(stock_node()), unread=1, error="denied"),
            [("conntrack established in 1 other network namespace", "denied", "")],
            id="a conntrack timeout could not be read",
        ),
        pytest.param(
            altered(balancing(), namespaces={"unreadable": 2, "error": "/proc/1/ns/net: Permission denied"}),
            [(OTHERS, "2 of them, or of processes with one, are hidden: /proc/1/ns/net: Permission denied", "")],
            id="namespaces are hidden",
        ),
        pytest.param(
            altered(stock_node(), namespaces={"unreadable": 2}), [], id="hidden, and the node has IPVS itself"
        ),
        pytest.param(
            altered(balancing(), namespaces={"count": 6, "tables": None}),
            [
                (
                    OTHERS,
                    "ip_vs is loaded, and nobody looked for virtual services in the 5 others",
                    ("Run again with this version of the collection, as root (-e keepalive_become=true)."),
                )
            ],
            id="an older node_info did not look",
        ),
        pytest.param(
            altered(balancing(), namespaces={"count": 1, "tables": None}),
            [],
            id="it did not look, and there is no other",
        ),
        pytest.param(
            altered(without_ipvs(stock_node()), namespaces={"tables": None, "unreadable": 3}), [], id="no ip_vs at all"
        ),
        pytest.param(
            balancing(ipvs_in("process b (9)", 15, **OF_USER), conntrack_in("shop/a", 12, kind="pod", **OF_USER)),
            [
                (
                    "conntrack established in pod shop/a",
                    "an ordinary user may have set its 12 s, and nobody knows whose connections cross it, and 1 more",
                    RUN_INSIDE,
                )
            ],
            id="those of ordinary users",
        ),
        pytest.param(
            balancing(ipvs_in("process b (9)", None, error="not read.", **OF_USER)),
            [("IPVS tcp in the network namespace of process b (9)", "not read", RUN_INSIDE)],
            id="one of an ordinary user that could not be read",
        ),
    ],
)
def test_what_is_not_known_of_them(node, expected):
    seen = list(in_namespaces.hidden("worker1", parse_node(node), False))
    assert [(each.name, each.why, each.do) for each in seen] == [(*each[:2], each[2] or RIGHTS) for each in expected]
    assert [each.place for each in seen] == [each[0].partition(" ")[0].lower() for each in expected]


def test_whoever_declared_a_middlebox_has_thought_of_those_of_users():
    node = parse_node(balancing(ipvs_in("process x (9)", 15, **OF_USER), unread=1, error="denied"))
    assert [each.place for each in in_namespaces.hidden("worker1", node, False)] == ["ipvs", "ipvs"]
    assert [each.why for each in in_namespaces.hidden("worker1", node, True)] == ["denied"]
    unread = parse_node(balancing(ipvs_in("process x (9)", None, error="not read", **OF_USER)))
    assert list(in_namespaces.hidden("worker1", unread, True)) == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], []),
        ([ipvs_in("network namespace dns", tcp_services=0)], []),
        ([ipvs_in(INGRESS)], [f"IPVS in {INGRESS} has virtual services and timeouts of its own."]),
        (
            [ipvs_in("network namespace lb_1"), ipvs_in(INGRESS), ipvs_in("network namespace lb_2", 900)],
            [f"IPVS in {INGRESS} and 2 others has virtual services and timeouts of its own."],
        ),
    ],
)
def test_that_the_nodes_own_timeouts_do_not_set_theirs_is_said(rows, said):
    notes = list(in_namespaces.notes(parse_node(balancing(*rows))))
    assert [note.partition(" keepalive_ipvs_timeouts does not set those")[0] for note in notes] == said


def test_they_are_part_of_what_was_seen_of_a_node():
    node = parse_node(balancing(ipvs_in(INGRESS), conntrack_in("shop/a", 3, kind="pod"), unread=1, error="denied"))
    seen = in_namespaces.with_others("worker1", node, of_node("worker1", node), False)
    assert [limit.name for limit in seen.limits] == [f"IPVS tcp in {INGRESS}", "conntrack established"]
    assert [each.what for each in seen.seen][-1] == f"IPVS tcp in {INGRESS} 300 s"
    assert [(each.place, each.name, each.do) for each in seen.not_seen] == [
        ("conntrack", "conntrack established in pod shop/a", "Correct conntrack established in pod shop/a on worker1."),
        ("ipvs", "IPVS tcp in 1 other network namespace", RIGHTS),
    ]
    assert [limit.seconds for limit in seen.shown] == [3]


def test_a_node_that_was_not_observed_has_none():
    unseen = of_node("worker1", None)
    assert in_namespaces.with_others("worker1", None, unseen, False) == unseen


def test_who_is_within_such_a_namespace_goes_out_through_its_connection_tracking():
    node = parse_node(balancing(ipvs_in(INGRESS), conntrack_in("container kind-worker (docker)", 600)))
    own = list(in_namespaces.limits_of("worker1", node))
    assert holding_of("worker1", node, own, None, []).outside.name == (
        "conntrack established in container kind-worker (docker)"
    )
