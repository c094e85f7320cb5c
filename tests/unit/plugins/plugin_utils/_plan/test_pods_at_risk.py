# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nftables_node,
    nodes,
    plain_node,
    plan_one,
    quiet_node,
    with_established,
    without_conntrack,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    outside,
    row,
    service,
    with_rows,
)


def limitless_node():
    return without_conntrack(nftables_node())


def counts_of(pod, node=quiet_node, sockets_from="sock_diag", **policy):
    """without_keepalive, late, undecided and safe connections of one pod."""
    counts = plan_one(with_rows(node(), pod, sockets_from=sockets_from), **policy)[1]["pods"]["connections"]
    return tuple(counts[name] for name in ("without_keepalive", "late", "undecided", "safe"))


CONNECTIONS = [
    pytest.param(row("a/b", SAFE, service(gaps=[(600, 5)])), (0, 0, 0, 5), id="armed with what is in force"),
    pytest.param(row("a/b", SAFE, service(gaps=[(798, 5)])), (0, 0, 0, 5), id="798, with slack 900"),
    pytest.param(row("a/b", SAFE, service(gaps=[(799, 5)])), (0, 5, 0, 0), id="799, with slack 901"),
    pytest.param(row("a/b", SAFE, service(gaps=[(0, 5)])), (0, 0, 0, 5), id="a timer that ends now"),
    pytest.param(row("a/b", SAFE, service(without=5)), (5, 0, 0, 0), id="without SO_KEEPALIVE"),
    pytest.param(row("a/b", SAFE, service(in_flight=5)), (0, 0, 5, 0), id="data is under way"),
    pytest.param(
        row("a/b", SAFE, service(without=1, gaps=[(600, 2), (7200, 3)], in_flight=4), service(gaps=[(10, 5)])),
        (1, 3, 4, 7),
        id="some of each",
    ),
    pytest.param(row("a/b", KERNEL, service(gaps=[(7200, 5)])), (0, 5, 0, 0), id="armed with a late value in force"),
    pytest.param(
        row("a/b", KERNEL, service(gaps=[(600, 5)])),
        (0, 0, 5, 0),
        id="its own TCP_KEEPIDLE, or a timer near its end in a namespace that is late",
    ),
    pytest.param(
        row("a/b", KERNEL, service(gaps=[(798, 5)])),
        (0, 0, 5, 0),
        id="the same, 798 with slack 900: its own TCP_KEEPINTVL is not seen",
    ),
    pytest.param(row("a/b", KERNEL, service(gaps=[(799, 5)])), (0, 5, 0, 0), id="the same, 799 with slack 901"),
    pytest.param(
        row("a/b", None, service(gaps=[(600, 5), (7200, 1)], without=2), error="denied"),
        (2, 0, 6, 0),
        id="the namespace's keepalive could not be read",
    ),
    pytest.param(
        {**row("a/b", SAFE, service(gaps=[(600, 5)])), "to_services": 15, "without_keepalive": 4},
        (4, 0, 6, 5),
        id="connections to services that are not listed",
    ),
    pytest.param(row("a/b", SAFE, service(gaps=[(600, 5)]), kind="other"), (0, 0, 0, 5), id="of no pod"),
]


@pytest.mark.parametrize(("pod", "counts"), CONNECTIONS)
def test_connections_to_services(pod, counts):
    assert counts_of(pod) == counts


FROM_PROC = [
    pytest.param(
        row("a/b", SAFE, service(gaps=[(600, 5)])),
        {},
        (0, 0, 5, 0),
        id="what is left is safe: the timer may be an old one of 7200 s, idle for 6600 s",
    ),
    pytest.param(row("a/b", SAFE, service(gaps=[(700, 5)])), {}, (0, 0, 5, 0), id="more left than is in force"),
    pytest.param(row("a/b", SAFE, service(gaps=[(799, 5)])), {}, (0, 5, 0, 0), id="what is left is late by itself"),
    pytest.param(row("a/b", SAFE, service(without=5)), {}, (5, 0, 0, 0), id="without SO_KEEPALIVE"),
    pytest.param(row("a/b", SAFE, service(in_flight=2, gaps=[(9, 3)])), {}, (0, 0, 5, 0), id="data is under way"),
    pytest.param(
        row("a/b", SAFE, service(gaps=[(600, 5)])),
        {"lost_probes": 7},
        (0, 0, 5, 0),
        id="more lost probes are a wish",
    ),
]


@pytest.mark.parametrize(("pod", "policy", "counts"), FROM_PROC)
def test_without_the_time_that_they_are_idle_none_is_called_safe(pod, policy, counts):
    assert counts_of(pod, sockets_from="/proc/net/tcp", **policy) == counts


@pytest.mark.parametrize(
    ("established", "counts"),
    [
        pytest.param(86400, (0, 0, 0, 5), id="later than the longest TCP_KEEPIDLE: 32767, with slack 36928"),
        pytest.param(36928, (0, 0, 0, 5), id="just as late"),
        pytest.param(36927, (0, 0, 5, 0), id="a second sooner"),
    ],
)
def test_under_a_limit_beyond_any_timer_connections_are_safe_without_the_time_that_they_are_idle(established, counts):
    def node():
        return with_established(nftables_node(), established)

    assert counts_of(row("a/b", KERNEL, service(gaps=[(600, 5)])), node, "/proc/net/tcp") == counts


@pytest.mark.parametrize("source", [None, "/proc/net/tcp", "else"])
def test_idle_times_come_from_netlink_only(source):
    node = with_rows(quiet_node(), row("a/b", SAFE, service(gaps=[(600, 5)])), sockets_from=source)
    assert plan_one(node)[1]["pods"]["connections"]["undecided"] == 5


def test_where_nothing_forgets_every_connection_is_safe():
    assert counts_of(row("a/b", KERNEL, service(without=3, gaps=[(7200, 2)])), limitless_node) == (0, 0, 0, 5)


def test_where_the_limit_could_not_be_read_nobody_can_tell():
    node = plain_node()
    node["conntrack"]["loaded"] = None
    worker = plan_one(with_rows(node, row("a/b", KERNEL, service(gaps=[(7200, 2)]))))[1]
    expected = {"without_keepalive": 0, "late": 0, "undecided": 2, "safe": 0, "kept_by_server": 0}
    assert worker["pods"]["connections"] == expected
    assert worker["pods"]["verdict"] == "unknown"


@pytest.mark.parametrize("wish", [{"lost_probes": 7}, {"margin": 157}])
def test_a_wish_makes_no_connection_late(wish):
    pod = row("a/b", SAFE, service(gaps=[(600, 5)]))
    assert counts_of(pod, **wish) == (0, 0, 0, 5)
    worker = plan_one(with_rows(quiet_node(), pod), **wish)[1]
    assert (worker["pods"]["verdict"], worker["settings"]["pods"] is None) == ("safe", False)


def test_a_middlebox_is_a_limit_for_pods_too():
    assert counts_of(row("a/b", SAFE, service(gaps=[(600, 5)])), middleboxes=["aws_nlb"]) == (0, 5, 0, 0)


PROXY = {"name": "our relay", "seconds": 60, "proxy": True}
KEPT = service(gaps=[(600, 5)])


@pytest.mark.parametrize(
    ("pod", "binding", "counts"),
    [
        pytest.param(row("a/b", SAFE, KEPT), {"destinations": ["10.96.0.0/16:80"]}, (0, 0, 5, 0), id="its network"),
        pytest.param(row("a/b", SAFE, KEPT), {"destinations": ["10.96.0.10:443"]}, (0, 0, 0, 5), id="another port"),
        pytest.param(
            row("a/b", SAFE, KEPT), {"destinations": ["10.96.0.10"], "pods": ["c/*"]}, (0, 0, 0, 5), id="other pods"
        ),
        pytest.param(
            row("a/b", SAFE, KEPT), {"destinations": ["10.96.0.10"], "hosts": ["x*"]}, (0, 0, 0, 5), id="other hosts"
        ),
        pytest.param(row("a/b", SAFE, KEPT), {"pods": ["a/*"]}, (0, 0, 0, 5), id="what comes in"),
        pytest.param(
            row("a/b", SAFE, service(without=2, gaps=[(600, 1), (7200, 1)])),
            {"destinations": ["10.96.0.10"]},
            (2, 1, 1, 0),
            id="what is worse stays so",
        ),
    ],
)
def test_what_keepalive_keeps_is_not_called_safe_where_a_proxy_counts_payload(pod, binding, counts):
    assert counts_of(pod, middleboxes=[{**PROXY, **binding}]) == counts


@pytest.mark.parametrize("address", ["192.0.2.2:5432", "[2001:db8::9]:443"])
def test_so_it_is_on_the_way_to_other_addresses(address):
    pod = {**row("a/b", SAFE), **outside(service(address, gaps=[(600, 3)]), service("192.0.2.8:80", gaps=[(600, 1)]))}
    of_proxy = {"middleboxes": [{**PROXY, "destinations": [address]}]}
    for node, policy, kept in ((quiet_node(), {}, 4), (quiet_node(), of_proxy, 1), (limitless_node(), of_proxy, 1)):
        counts = plan_one(with_rows(node, pod), **policy)[1]["pods"]["outside"]
        assert (counts["safe"], counts["undecided"]) == (kept, 4 - kept)


def test_connections_that_could_not_be_seen_make_pods_unknown():
    worker = plan_one(with_rows(quiet_node(), row("a/b", SAFE), error="/proc/net/nf_conntrack: Permission denied"))[1]
    assert (worker["verdict"], worker["pods"]["verdict"]) == ("unknown", "unknown")


LEAVES = st.none() | st.booleans() | st.integers(-5, 9000) | st.text("a\x1b{%/", max_size=5) | st.floats()
NONSENSE = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner))


@st.composite
def damaged_pods(draw):
    """The data of three pods with nonsense somewhere in it."""
    rows = [row("a/b"), row("a/c", SAFE, service(without=1, gaps=[(600, 2)], processes=[("x", 7, "node", 1)]))]
    node = copy.deepcopy(with_rows(quiet_node(), *rows))
    inner, key = node, "pods"
    while isinstance(inner[key], (dict, list)) and inner[key] and draw(st.integers(0, 6)):
        inner = inner[key]
        key = draw(st.sampled_from(sorted(inner) if isinstance(inner, dict) else range(len(inner))))
    inner[key] = draw(NONSENSE)
    return node


@settings(max_examples=300)
@given(damaged_pods())
def test_damaged_data_is_never_a_traceback_and_never_more_than_was_there(node):
    plan = make_plan(nodes(node), {})
    pods = plan["nodes"]["worker1"]["pods"]
    assert pods is None or pods["verdict"] in ("safe", "unsafe", "unknown")
    assert pods is None or all(number >= 0 for number in pods["connections"].values())
    assert plan["findings"]


GAPS = st.lists(st.tuples(st.integers(0, 40000), st.integers(1, 5)), max_size=6)
TRIPLES = st.sampled_from([KERNEL, SAFE, (1800, 60, 5), (60, 10, 3), (600, 30, 0), None])


@given(TRIPLES, st.lists(st.tuples(st.integers(0, 5), GAPS, st.integers(0, 5)), max_size=4))
def test_every_connection_is_counted_once(keepalive, several):
    services = [service(without=without, gaps=gaps, in_flight=in_flight) for without, gaps, in_flight in several]
    total = sum(each["connections"] for each in services)
    assert sum(counts_of(row("a/b", keepalive, *services))) == total
