# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import Elsewhere
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan import plan as planning
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.servers import (
    Server,
    parse_servers,
    servers_as_dict,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.policies import parse_policies
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.document import make_document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    ipvs_in,
    quiet_node,
    with_tables,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    outside,
    row,
    service,
    with_rows,
)

REDIS = "10.96.0.10:6379"
FIRST, SECOND, SIX = "10.2.0.5:6379", "10.2.0.6:6379", "[fd00:2::5]:6379"
SOON = (120, 10, 9)
CLIENT = service(REDIS, 3, processes=[("python3", 4711, "python", 3)])


def accepted(endpoint=FIRST, connections=3, gap=300, direct=None, **more):
    counts = {"connections": connections, "direct": connections if direct is None else direct}
    return {"endpoint": endpoint, **counts, "without_keepalive": 0, "in_flight": 0, "longest_gap": gap, **more}


def server(*at, keepalive=SAFE, label="shop/redis-0", **more):
    return {**row(label, keepalive), "accepted_at": list(at), "accepted_omitted": 0, **more}


def client_node(*peers, servers=(FIRST,), whole=True, to=()):
    node = with_rows(quiet_node(), {**row("shop/cart-1", SAFE, *peers), **outside(*to)})
    node["ipvs"]["real_servers"] = [{"service": REDIS, "addresses": list(servers), "whole": whole}]
    return node


def plan_of(client, *servers, **policy):
    nodes = {"worker1": client}
    nodes.update({f"worker{number}": each for number, each in enumerate(servers, start=2)})
    return make_plan(nodes, policy), nodes


def counts(client, *servers, **policy):
    """Of the client's connections to services: without keepalive, late, undecided, safe, kept by their server."""
    return tuple(plan_of(client, *servers, **policy)[0]["nodes"]["worker1"]["pods"]["connections"].values())


KEPT, AT_RISK = (0, 0, 0, 0, 3), (3, 0, 0, 0, 0)
F5 = {"middleboxes": [{"name": "f5", "seconds": 240}]}


def on_two(*at, **more):
    return client_node(CLIENT, servers=(FIRST, SECOND)), with_rows(quiet_node(), server(*at, **more))


def to_one(*at, **more):
    return client_node(CLIENT), with_rows(quiet_node(), server(*at, **more))


ROWS = [
    pytest.param(to_one(accepted()), {}, KEPT, id="Redis, 300 s under 900 s"),
    pytest.param(to_one(accepted(), keepalive=SOON), F5, AT_RISK, id="Redis, 300 s under 240 s"),
    pytest.param(to_one(accepted(gap=15), keepalive=SOON), F5, KEPT, id="a Go server, 15 s under 240 s"),
    pytest.param(
        to_one(accepted(gap=15)), F5, AT_RISK, id="its next timer may be that of its namespace, which is late"
    ),
    pytest.param(to_one(accepted(), keepalive=KERNEL), {}, AT_RISK, id="300 s may be the rest of 7200 s"),
    pytest.param(to_one(accepted(gap=7200)), {}, AT_RISK, id="a timer from before the change"),
    pytest.param(to_one(accepted(gap=798)), {}, KEPT, id="798 s, with slack 900"),
    pytest.param(to_one(accepted(gap=799)), {}, AT_RISK, id="799 s, with slack 901"),
    pytest.param(to_one(accepted(), keepalive=None, error="denied"), {}, AT_RISK, id="a keepalive that was not read"),
    pytest.param(to_one(accepted(connections=4, without_keepalive=1)), {}, AT_RISK, id="one without SO_KEEPALIVE"),
    pytest.param(to_one(accepted(connections=4, in_flight=1)), {}, AT_RISK, id="data under way on one"),
    pytest.param(to_one(accepted(connections=2)), {}, AT_RISK, id="a client's connection that the server has not"),
    pytest.param(to_one(accepted(direct=0)), {}, AT_RISK, id="a proxy in the pod stands before the server"),
    pytest.param(to_one(accepted(SECOND)), {}, AT_RISK, id="another server"),
    pytest.param(to_one(accepted("10.2.0.5:6380")), {}, AT_RISK, id="another port"),
    pytest.param(to_one(), {}, AT_RISK, id="a server that accepted nothing"),
    pytest.param(on_two(accepted(), accepted(SECOND, 1)), {}, KEPT, id="both real servers"),
    pytest.param(on_two(accepted()), {}, AT_RISK, id="one of two real servers was not read"),
    pytest.param(on_two(accepted(), accepted(SECOND, gap=7200)), {}, AT_RISK, id="one of two is late"),
    pytest.param(to_one(accepted(), kind="node", label="the node itself"), {}, KEPT, id="on a host's network"),
    pytest.param(to_one(accepted(), kind="other"), {}, AT_RISK, id="in a namespace that anybody may have made"),
    pytest.param(to_one(accepted(), sandbox="gvisor"), {}, AT_RISK, id="in a sandbox"),
    pytest.param(to_one(accepted(), accepted_omitted=1), {}, AT_RISK, id="more addresses than are listed"),
]


@pytest.mark.parametrize(("several", "policy", "expected"), ROWS)
def test_connections_to_a_service(several, policy, expected):
    assert counts(*several, **policy) == expected


def test_an_address_that_two_namespaces_claim_proves_nothing():
    hostile = with_rows(quiet_node(), server(accepted(gap=5), label="evil/pod-1"))
    real = with_rows(quiet_node(), server(accepted(without_keepalive=3)))
    assert counts(client_node(CLIENT), real, hostile) == AT_RISK
    assert counts(client_node(CLIENT), hostile, real) == AT_RISK
    anybody = with_rows(quiet_node(), server(accepted(gap=5), label="process", kind="other"))
    assert counts(client_node(CLIENT), with_rows(quiet_node(), server(accepted())), anybody) == AT_RISK


def changed(node, **more):
    return {**node, **more}


def by_mark(node):
    node["ipvs"]["services_by_mark"] = 1
    return node


SERVER = with_rows(quiet_node(), server(accepted()))
UNSEEN = [
    pytest.param(None, id="a node that was not reached"),
    pytest.param(changed(quiet_node(), data_planes=["cilium"]), id="a data plane with tables of its own"),
    pytest.param(with_rows(quiet_node(), omitted=1), id="rows left out"),
    pytest.param(with_rows(quiet_node(), sockets_from="/proc/net/tcp"), id="idle times not seen"),
    pytest.param(with_rows(quiet_node(), error="denied"), id="sockets not read"),
    pytest.param(with_rows(quiet_node(), row("a/b", None, error="denied")), id="a namespace not read"),
    pytest.param(with_rows(quiet_node(), {**row("a/b", SAFE), "accepted": 2}), id="an older node_info"),
    pytest.param(quiet_node(), id="a node_info that did not look for pods"),
    pytest.param(by_mark(with_rows(quiet_node())), id="a service by firewall mark"),
]


@pytest.mark.parametrize("third", UNSEEN)
def test_where_anything_of_the_run_was_not_seen_nothing_is_kept(third):
    assert counts(client_node(CLIENT), SERVER, with_rows(quiet_node())) == KEPT
    assert counts(client_node(CLIENT), SERVER, third) == AT_RISK


def test_where_hosts_are_left_out_nothing_is_kept():
    observed = {"worker1": parse_node(client_node(CLIENT)), "worker2": parse_node(SERVER)}
    for elsewhere, at_risk in ((Elsewhere(), 0), (Elsewhere(("worker3",), 3, None, "a report"), 3)):
        plan = planning.plan_of(observed, parse_policies({name: {} for name in observed}), elsewhere=elsewhere)
        assert plan.nodes["worker1"].pods.counts.at_risk == at_risk


def test_where_another_namespace_of_the_node_has_ipvs_nobody_knows_who_forwards():
    assert counts(with_tables(client_node(CLIENT), ipvs_in("container web", 900)), SERVER) == AT_RISK
    assert counts(client_node(CLIENT, whole=False), SERVER) == AT_RISK
    unread = ipvs_in("process x (9)", None, tcp_services=-1, unprivileged=True, error="not read")
    assert counts(with_tables(client_node(CLIENT), unread), SERVER) == AT_RISK
    assert counts(client_node(CLIENT), with_tables(SERVER.copy(), unread=1)) == KEPT, "no client is there"


def test_what_was_armed_late_is_kept_too_and_nothing_else_of_it():
    peer = service(REDIS, 1, gaps=[(600, 1), (7200, 2)], in_flight=1, processes=[("app", 7, None, 1)])
    server_node = with_rows(quiet_node(), server(accepted(connections=5)))
    assert counts(client_node(peer), server_node) == (0, 0, 1, 1, 3)


def test_where_a_proxy_stands_before_a_service_its_server_probes_only_the_proxy():
    box = {"name": "haproxy", "seconds": 50, "destinations": ["10.96.0.10:6379"]}
    assert counts(client_node(CLIENT), SERVER, middleboxes=[box]) == AT_RISK
    assert counts(client_node(CLIENT), SERVER, middleboxes=[{**box, "destinations": ["10.96.0.11:6379"]}]) == KEPT


def ids(plan):
    return {each["id"] for each in plan["findings"]}


def test_findings_and_report_of_what_a_server_keeps():
    other = service("10.96.0.11:80", 2, processes=[("java", 9, "java", 2)])
    plan, nodes = plan_of(client_node(CLIENT), SERVER)
    assert "connections-without-keepalive" not in ids(plan)
    pods = plan["nodes"]["worker1"]["pods"]
    assert (pods["verdict"], pods["at_risk"]) == ("safe", [])
    assert "stay at risk" not in plan["nodes"]["worker1"]["summary"]
    plan, nodes = plan_of(client_node(CLIENT, other), SERVER)
    (found,) = [each for each in plan["findings"] if each["id"] == "connections-without-keepalive"]
    assert found["observed"] == "2 connections without SO_KEEPALIVE: shop/cart-1: 2 of java (9) to 10.96.0.11:80 [java]"
    report = make_document(plan, nodes, made_at="2026-11-21T03:40:00Z", collection_version="1")
    sockets = report["counts"]["sockets"]
    assert (sockets["to_services"], sockets["without_keepalive"], sockets["at_risk"]) == (5, 2, 2)
    assert (sockets["kept_by_server"], sockets["outside_kept_by_server"]) == (3, 0)
    (worker1,) = [node for node in report["nodes"] if node["name"] == "worker1"]
    (cart,) = [each for each in worker1["pods"]["rows"] if each["label"] == "shop/cart-1"]
    assert [(each["service"], each["kept_by_server"]) for each in cart["services"]] == [
        (REDIS, True),
        ("10.96.0.11:80", False),
    ]
    assert cart["why"].endswith("2 connections without SO_KEEPALIVE; 3 connections kept by the server's probes")


NAT = {"middleboxes": ["aws_nat_gateway"]}


@pytest.mark.parametrize("endpoint", [FIRST, SIX, "192.0.2.7:5432"])
@pytest.mark.parametrize(
    ("gap", "at_risk"), [pytest.param(200, 0, id="in time"), pytest.param(349, 3, id="with slack beyond 350 s")]
)
def test_connections_to_the_address_of_a_pod_or_node_itself(endpoint, gap, at_risk):
    client = client_node(to=[service(endpoint, 3, processes=[("python3", 4711, "python", 3)])])
    plan, nodes = plan_of(client, with_rows(quiet_node(), server(accepted(endpoint, gap=gap), keepalive=SOON)), **NAT)
    counted = plan["nodes"]["worker1"]["pods"]["outside"]
    assert (counted["without_keepalive"], counted["kept_by_server"]) == (at_risk, 3 - at_risk)
    assert ("outside-without-keepalive" in ids(plan)) == bool(at_risk)
    report = make_document(plan, nodes, made_at="2026-11-21T03:40:00Z", collection_version="1")
    sockets = report["counts"]["sockets"]
    assert (sockets["outside_at_risk"], sockets["outside_kept_by_server"]) == (at_risk, 3 - at_risk)


def test_a_virtual_address_that_somebody_accepts_at_is_no_server_of_the_service():
    assert counts(client_node(CLIENT, servers=()), with_rows(quiet_node(), server(accepted(REDIS)))) == AT_RISK


def test_connections_of_several_clients_have_to_be_there():
    clients = client_node(CLIENT), client_node(CLIENT)
    assert counts(*clients, with_rows(quiet_node(), server(accepted(connections=6)))) == KEPT
    assert counts(*clients, with_rows(quiet_node(), server(accepted(connections=5)))) == AT_RISK


def test_what_is_known_of_servers_is_plain_data_and_comes_back():
    servers = {REDIS: [Server(Keepalive(*SAFE), 300), Server(Keepalive(*SOON), 15)]}
    plain = servers_as_dict(servers)
    assert parse_servers(json.loads(json.dumps(plain))) == servers


@pytest.mark.parametrize("strange", [None, 7, "x", [], [None], [{"endpoint": 7}], [{"endpoint": FIRST, "direct": -1}]])
def test_whatever_a_node_says_nothing_breaks_and_nothing_is_kept(strange):
    node = with_rows(quiet_node(), server(accepted_at=strange))
    assert counts(client_node(CLIENT), node) == AT_RISK
    client = client_node(CLIENT)
    client["ipvs"]["real_servers"] = strange
    assert counts(client, SERVER) == AT_RISK
