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
    applied_node,
    nftables_node,
    nodes,
    plain_node,
    plan_one,
    quiet_node,
    stock_node,
    with_established,
    with_ipvs_tcp,
    with_keepalive,
    without_conntrack,
    without_ipvs,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    row,
    service,
    with_rows,
)

LATE = "7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond 900 s (IPVS tcp on worker1)"
FINE = "600 + 2 x 30 = 660 s, with timer slack 744 s, leaves 156 s of 900 s (IPVS tcp on worker1)"


def with_hidden(node, number):
    node["namespaces"].update(unreadable=number, error="/proc/7/ns/net: Permission denied")
    return node


def limitless_node():
    return without_conntrack(nftables_node())


def with_mode(node, mode):
    node["kube_proxy"]["mode"] = mode
    return node


def counts_of(pod, node=quiet_node, sockets_from="sock_diag", **policy):
    """without_keepalive, late, undecided and safe connections of one pod."""
    counts = plan_one(with_rows(node(), pod, sockets_from=sockets_from), **policy)[1]["pods"]["connections"]
    return tuple(counts[name] for name in ("without_keepalive", "late", "undecided", "safe"))


CONNECTIONS = [
    pytest.param(row("a/b", SAFE, service(gaps=[(600, 5)])), (0, 0, 0, 5), id="armed with what is in force"),
    pytest.param(row("a/b", SAFE, service(gaps=[(738, 5)])), (0, 0, 0, 5), id="738 + 60, with slack 900"),
    pytest.param(row("a/b", SAFE, service(gaps=[(739, 5)])), (0, 5, 0, 0), id="739 + 60, with slack 901"),
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
    pytest.param(row("a/b", SAFE, service(gaps=[(739, 5)])), {}, (0, 5, 0, 0), id="what is left is late by itself"),
    pytest.param(row("a/b", SAFE, service(without=5)), {}, (5, 0, 0, 0), id="without SO_KEEPALIVE"),
    pytest.param(row("a/b", SAFE, service(in_flight=2, gaps=[(9, 3)])), {}, (0, 0, 5, 0), id="data is under way"),
    pytest.param(
        row("a/b", SAFE, service(gaps=[(600, 5)])),
        {"lost_probes": 7},
        (0, 5, 0, 0),
        id="late with more lost probes",
    ),
]


@pytest.mark.parametrize(("pod", "policy", "counts"), FROM_PROC)
def test_without_the_time_that_they_are_idle_none_is_called_safe(pod, policy, counts):
    assert counts_of(pod, sockets_from="/proc/net/tcp", **policy) == counts


@pytest.mark.parametrize(
    ("established", "counts"),
    [
        pytest.param(86400, (0, 0, 0, 5), id="later than the longest TCP_KEEPIDLE: 32767 + 2 x 75, with slack 37097"),
        pytest.param(37097, (0, 0, 0, 5), id="just as late"),
        pytest.param(37096, (0, 0, 5, 0), id="a second sooner"),
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
    assert worker["pods"]["connections"] == {"without_keepalive": 0, "late": 0, "undecided": 2, "safe": 0}
    assert worker["pods"]["verdict"] == "unknown"


def test_more_lost_probes_make_connections_late():
    pod = row("a/b", SAFE, service(gaps=[(600, 5)]))
    assert counts_of(pod, lost_probes=6) == (0, 0, 0, 5)
    assert counts_of(pod, lost_probes=7) == (0, 5, 0, 0)


def test_a_middlebox_is_a_limit_for_pods_too():
    assert counts_of(row("a/b", SAFE, service(gaps=[(600, 5)])), middleboxes=["aws_nlb"]) == (0, 5, 0, 0)


VERDICTS = [
    pytest.param([row("a/b", SAFE)], {}, "safe", "safe", id="a pod with values of its own that are safe"),
    pytest.param([row("a/b", KERNEL)], {}, "unsafe", "unsafe", id="the kernel's values and no connection now"),
    pytest.param([row("a/b", KERNEL)], {"pods": False}, "safe", "unsafe", id="pods are to be left alone"),
    pytest.param([row("a/b", (1800, 75, 9))], {}, "unsafe", "unsafe", id="values of its own that are late"),
    pytest.param([row("a/b", (600, 30, 0))], {}, "unsafe", "unsafe", id="no probes"),
    pytest.param([row("a/b", None, error="denied")], {}, "unknown", "unknown", id="a pod that could not be read"),
    pytest.param([row("a/b", SAFE, service(without=1))], {}, "safe", "unsafe", id="without SO_KEEPALIVE"),
    pytest.param([row("a/b", SAFE, service(gaps=[(7100, 1)]))], {}, "safe", "unsafe", id="armed late"),
    pytest.param([row("a/b", SAFE, service(in_flight=1))], {}, "safe", "safe", id="undecided is no verdict"),
    pytest.param([row("process x (7)", KERNEL, kind="other")], {}, "safe", "safe", id="a namespace of no pod"),
    pytest.param(
        [row("process x (7)", KERNEL, service(gaps=[(7200, 1)]), kind="other")],
        {},
        "safe",
        "unsafe",
        id="a namespace of no pod with a connection",
    ),
]


@pytest.mark.parametrize(("rows", "policy", "node_verdict", "pods_verdict"), VERDICTS)
def test_the_verdict_of_the_node_counts_what_settings_can_cure(rows, policy, node_verdict, pods_verdict):
    worker = plan_one(with_rows(quiet_node(), *rows), **policy)[1]
    assert (worker["verdict"], worker["pods"]["verdict"]) == (node_verdict, pods_verdict)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        pytest.param(
            [row("a/b"), row("a/c")],
            f"2 pods too late, such as a/b: keepalive 7200/75/9: {LATE}",
            id="pods that are late",
        ),
        pytest.param(
            [row("a/b", None, error="/proc/7/ns/net: Permission denied")],
            "pod a/b: its keepalive could not be read (/proc/7/ns/net: Permission denied)",
            id="a pod that could not be read",
        ),
        pytest.param([row("a/b", SAFE)], FINE, id="all is well"),
    ],
)
def test_why(rows, why):
    assert plan_one(with_rows(quiet_node(), *rows))[1]["why"] == why


def test_a_late_node_says_so_first():
    worker = plan_one(with_rows(stock_node(), row("a/b")))[1]
    assert (worker["verdict"], worker["why"]) == ("unsafe", LATE)


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
        },
    ]


def test_the_list_is_bounded():
    pods = plan_one(with_rows(quiet_node(), *(row(f"a/{number}") for number in range(60))))[1]["pods"]
    assert (len(pods["at_risk"]), pods["at_risk_more"], pods["count"]) == (50, 10, 60)


def test_late_namespaces_beyond_the_rows_count():
    node = with_rows(quiet_node(), row("a/b", SAFE), omitted=50)
    node["namespaces"]["keepalive"].append({"time": 7200, "intvl": 75, "probes": 9, "namespaces": 50, "own": False})
    worker = plan_one(node)[1]
    assert (worker["verdict"], worker["pods"]["verdict"]) == ("unsafe", "unsafe")
    assert worker["why"] == "pods that are not listed have a keepalive that is too late"


@pytest.mark.parametrize("node", [quiet_node, lambda: without_ipvs(with_mode(quiet_node(), "nftables"))])
def test_namespaces_that_are_hidden_may_be_pods(node):
    hidden = with_hidden(with_rows(node(), row("a/b", SAFE)), 3)
    plan, worker = plan_one(hidden)
    assert (plan["verdict"], worker["verdict"], worker["pods"]["verdict"]) == ("unknown", "unknown", "unknown")
    assert worker["own_verdict"] == "safe"
    assert worker["why"] == (
        "3 network namespaces or processes could not be read: /proc/7/ns/net: Permission denied; they may be pods"
    )


def test_hidden_namespaces_do_not_count_where_pods_are_to_be_left_alone():
    plan, worker = plan_one(with_hidden(with_rows(quiet_node(), row("a/b", SAFE)), 3), pods=False)
    assert (plan["verdict"], worker["verdict"], worker["pods"]["verdict"]) == ("safe", "safe", "unknown")


def test_a_pod_that_is_late_comes_before_those_that_are_hidden():
    worker = plan_one(with_hidden(with_rows(quiet_node(), row("a/b")), 3))[1]
    assert (worker["verdict"], worker["pods"]["verdict"]) == ("unsafe", "unsafe")
    assert worker["why"] == f"1 pod too late, such as a/b: keepalive 7200/75/9: {LATE}"


def test_connections_that_could_not_be_seen_make_pods_unknown():
    worker = plan_one(with_rows(quiet_node(), row("a/b", SAFE), error="/proc/net/nf_conntrack: Permission denied"))[1]
    assert (worker["verdict"], worker["pods"]["verdict"]) == ("safe", "unknown")


def test_a_pod_with_late_values_of_its_own_is_nothing_that_an_apply_could_change():
    worker = plan_one(with_rows(quiet_node(), row("own/values", (1800, 75, 9))))[1]
    assert (worker["verdict"], worker["own_verdict"], worker["changes"]) == ("unsafe", "safe", [])


def test_the_change_of_running_pods_is_marked_as_one():
    worker = plan_one(with_rows(quiet_node(), row("a/b")))[1]
    assert (worker["verdict"], worker["own_verdict"]) == ("unsafe", "safe")
    assert [change["pods"] for change in worker["changes"]] == [True]


def test_a_node_info_that_did_not_look_for_pods():
    worker = plan_one(applied_node())[1]
    assert (worker["verdict"], worker["pods"], worker["settings"]["pods"]) == ("safe", None, None)


TIGHTENED = {"time": 600, "intvl": 30, "probes": 9}
SETTINGS = [
    pytest.param([row("a/b")], {}, TIGHTENED, id="a pod with the kernel's values"),
    pytest.param([row("a/b", SAFE)], {}, None, id="a pod that is safe"),
    pytest.param([row("a/b", (1800, 75, 9))], {}, TIGHTENED, id="late: the node may know it as its own"),
    pytest.param([row("x", kind="other")], {}, None, id="a namespace of no pod"),
    pytest.param([row("a/b", None)], {}, None, id="a pod that could not be read"),
    pytest.param([row("a/b")], {"pods": False}, None, id="pods are to be left alone"),
    pytest.param([row("a/b")], {"strategy": "raise_ipvs"}, None, id="IPVS is raised instead"),
    pytest.param([row("a/b")], {"ipvs_timeouts": {"tcp": 9000}}, None, id="safe once IPVS is raised"),
]


@pytest.mark.parametrize(("rows", "policy", "pods"), SETTINGS)
def test_the_keepalive_for_running_pods(rows, policy, pods):
    worker = plan_one(with_rows(quiet_node(), *rows), **policy)[1]
    assert worker["settings"]["pods"] == pods


def test_the_change_names_the_pods_that_will_be_changed():
    rows = [row(f"a/{number}") for number in range(8)] + [row("own/values", (1800, 75, 9))]
    changes = plan_one(with_rows(quiet_node(), *rows))[1]["changes"]
    (change,) = changes
    assert change["sentence"] == (
        "keepalive of 8 pods (a/0, a/1, a/2, a/3, a/4, a/5 and 2 more): 7200/75/9 becomes 600/30/9; new connections of "
        "running pods then probe in time; keepalive_pods."
    )


RAISED = [
    pytest.param(900, SAFE, [("python3", 7, "grpcio", 1)], 3660, id="C-core looks every half an hour: twice that"),
    pytest.param(900, SAFE, [("server", 7, "grpc-go 1.59.0", 1)], 1860, id="grpc-go"),
    pytest.param(900, SAFE, [("node", 7, "node", 1), ("api", 8, None, 1)], 1860, id="Node, perhaps grpc-js"),
    pytest.param(900, SAFE, [("redis-client", 7, "python", 1)], 900, id="without gRPC as it was"),
    pytest.param(900, SAFE, [("python3", 7, "grpcio", 0)], 900, id="gRPC with SO_KEEPALIVE as it was"),
    pytest.param(900, KERNEL, [("python3", 7, "grpcio", 1)], 8284, id="the keepalive in use is higher"),
    pytest.param(9000, SAFE, [("python3", 7, "grpcio", 1)], 9000, id="it is longer already"),
]


@pytest.mark.parametrize(("seconds", "keepalive", "processes", "timeout"), RAISED)
def test_raise_ipvs_covers_idle_grpc_channels(seconds, keepalive, processes, timeout):
    number = sum(process[3] for process in processes)
    node = with_ipvs_tcp(with_keepalive(quiet_node(), SAFE, file="/etc/sysctl.d/x.conf"), seconds)
    node = with_rows(node, row("a/b", keepalive, service(without=number, processes=processes)))
    worker = plan_one(node, strategy="raise_ipvs")[1]
    assert worker["settings"]["ipvs_timeouts"] == {"tcp": timeout}


def test_why_ipvs_is_raised_for_grpc():
    node = with_rows(quiet_node(), row("a/b", SAFE, service(without=1, processes=[("python3", 7, "grpcio", 1)])))
    assert plan_one(node, strategy="raise_ipvs")[1]["reasons"]["IPVS tcp"] == (
        "above the 3660 s after which idle gRPC channels without SO_KEEPALIVE have closed themselves"
    )


def test_the_users_own_timeout_is_not_raised_for_grpc():
    node = with_rows(quiet_node(), row("a/b", SAFE, service(without=1, processes=[("python3", 7, "grpcio", 1)])))
    worker = plan_one(node, strategy="raise_ipvs", ipvs_timeouts={"tcp": 1000})[1]
    assert worker["settings"]["ipvs_timeouts"] == {"tcp": 1000}


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
