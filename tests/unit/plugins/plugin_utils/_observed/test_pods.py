# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.pods import (
    OTHER,
    POD,
    Peer,
    Process,
    Space,
    Totals,
    parse_pods,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import stock_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    row,
    service,
    with_rows,
)


def parsed(*rows, **more):
    return parse_pods(with_rows(stock_node(), *rows, **more)["pods"])


def test_a_pod_and_its_connections():
    connections = service(without=1, gaps=[(600, 2), (-7, 1)], in_flight=3, processes=[("x", 7, "node 20", 1)])
    pods = parsed(row("a/b", SAFE, connections), omitted=2, error="no right")
    assert (pods.count, pods.omitted, pods.error, pods.sockets_from) == (3, 2, "no right", "sock_diag")
    assert (pods.unlisted, parsed(row("a/b", SAFE), omitted=2, count=1, containers=1).unlisted) == (2, 1)
    assert pods.totals == Totals(7, 7, 1)
    (space,) = pods.of_kind(POD)
    process = Process("x", 7, "node 20", 1, None, None)
    assert space == Space(
        kind=POD,
        label="a/b",
        uid=None,
        namespace="a",
        name="b",
        netns=4026532000,
        keepalive=Keepalive(600, 30, 9),
        retries2=15,
        error=None,
        process=None,
        connections=7,
        to_services=7,
        without_keepalive=1,
        in_flight=3,
        services=(Peer("10.96.0.10:80", 7, 1, 3, ((600, 2), (0, 1)), (process,)),),
        services_omitted=0,
    )
    assert list(space.at_risk()) == [(space.services[0], process)]


@pytest.mark.parametrize(
    ("keepalive", "own"), [(SAFE, True), (KERNEL, False), (None, False)], ids=["others", "the kernel's", "unread"]
)
def test_values_that_somebody_gave_it(keepalive, own):
    assert parsed(row("a/b", keepalive)).of_kind(POD)[0].has_own_values is own


@pytest.mark.parametrize(("source", "unseen"), [("sock_diag", False), ("/proc/net/tcp", True), (None, True)])
def test_only_netlink_tells_how_long_a_connection_is_idle(source, unseen):
    assert parsed(sockets_from=source).idle_unseen is unseen


def test_of_connections_there_are_never_fewer_than_are_listed():
    less = {**row("a/b", SAFE, service(without=2, gaps=[(1, 3)])), "to_services": 1, "without_keepalive": 0}
    (space,) = parsed(less).of_kind(POD)
    assert (space.to_services, space.without_keepalive) == (5, 2)


def test_connections_in_namespaces_that_are_not_listed():
    listed = row("a/b", SAFE, service(without=2))
    totals = {"connections": 9, "to_services": 9, "without_keepalive": 5}
    assert parsed(listed, totals=totals).unlisted_without_keepalive == 3
    assert parsed(listed, totals={**totals, "without_keepalive": 1}).unlisted_without_keepalive == 0


def test_what_says_nothing_has_no_name():
    pods = parse_pods({"count": 1, "rows": [{"kind": "vm", "services": [{"gaps": [7, [], [600], [600, 0]]}]}, 7]})
    (first, second) = pods.spaces
    assert (first.kind, first.label, first.keepalive, first.services[0]) == (
        OTHER,
        "?",
        None,
        Peer("?", 0, 0, 0, (), ()),
    )
    assert (second.label, second.services) == ("?", ())


def test_a_process_and_its_pod():
    assert str(Process("envoy", 7, None, 0, None, "shop/web-0")) == "envoy (7) of shop/web-0"
    assert str(Process("envoy", 7, None, 0, None, None)) == "envoy (7)"


@pytest.mark.parametrize("pods", [None, {}, [], "many"])
def test_no_data_is_none(pods):
    assert parse_pods(pods) is None


LEAVES = st.none() | st.booleans() | st.integers(-5, 9000) | st.text("a\x1b{%/", max_size=5) | st.floats()
NONSENSE = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner))


@given(NONSENSE)
def test_any_data_parses(pods):
    parse_pods(pods)
