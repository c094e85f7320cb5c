# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._report import verdict
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.fail_on import failure
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.formats.prometheus import render_all
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    KERNEL_KEEPALIVE,
    OUR_FILE,
    altered,
    applied_node,
    nodes,
    plain_node,
    quiet_node,
    stock_node,
    unprivileged_node,
    with_keepalive,
    with_pods,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    outside,
    row,
    service,
    with_rows,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._text_examples import text

LONG = "worker1.a-name-that-makes-the-line-long.example.org"

LATE = service(gaps=[(7200, 3)])
NEVER = service(without=2)


def without_limit(node):
    """The node in a state in which none of its limits can be read."""
    return altered(
        node, ipvs={"timeouts": None}, conntrack={"timeouts": {}}, kube_proxy={"conntrack": {}, "ipvs_timeouts": {}}
    )


def lost_at_boot(node):
    return with_keepalive(node, SAFE, KERNEL, file=OUR_FILE)


def beside_a_browser(*services):
    """One pod that is safe, and a namespace of no pod with these connections."""
    return with_rows(quiet_node(), row("a/b", SAFE), row("process chrome (812)", KERNEL, *services, kind="other"))


CONTAINERS = [
    row("container web (docker)", KERNEL, kind="container"),
    row("container db (podman)", SAFE, service(without=2), kind="container"),
    row("container ci (nspawn)", SAFE, kind="container"),
]

SENTENCES = [
    pytest.param(
        [quiet_node()],
        "SAFE: idle connections are safe on worker1, as far as the nodes show; no middlebox was declared",
        id="one node that is safe",
    ),
    pytest.param(
        [quiet_node(), quiet_node()],
        "SAFE: idle connections are safe on all 2 nodes, as far as the nodes show; no middlebox was declared",
        id="all of several are safe",
    ),
    pytest.param(
        [stock_node(), quiet_node(), None],
        "UNSAFE: idle connections at risk on 1 of 3 nodes (1 unknown), in 23 network namespaces (pods)",
        id="one of three, where nobody looked for pods",
    ),
    pytest.param(
        [with_rows(stock_node(), row("a/b"), row("a/c", SAFE))],
        "UNSAFE: idle connections at risk on worker1, in 1 of 2 pods",
        id="a node and one of its pods",
    ),
    pytest.param(
        [with_rows(quiet_node(), row("a/b", SAFE, NEVER))],
        "UNSAFE: idle connections at risk in 1 of 1 pod; the nodes themselves are safe",
        id="a pod by its open connections",
    ),
    pytest.param(
        [beside_a_browser(LATE)],
        "UNSAFE: idle connections at risk in 1 network namespace of no pod; the nodes themselves are safe",
        id="a namespace of no pod is none",
    ),
    pytest.param(
        [with_rows(quiet_node(), *CONTAINERS)],
        "UNSAFE: idle connections at risk on worker1, in 2 of 3 containers",
        id="containers beside Kubernetes",
    ),
    pytest.param(
        [with_rows(quiet_node(), row("a/b"), CONTAINERS[0], row("a browser", KERNEL, LATE, kind="other"))],
        "UNSAFE: idle connections at risk on worker1, in 1 of 1 pod, in 1 of 1 container, in 1 network namespace of "
        "no pod",
        id="one of each",
    ),
    pytest.param(
        [beside_a_browser()],
        "SAFE: idle connections are safe on worker1, as far as the nodes show; no middlebox was declared",
        id="one without connections",
    ),
    pytest.param(
        [with_rows(quiet_node(), row("the node itself", SAFE, NEVER, kind="node")), None],
        "UNSAFE: idle connections at risk on 2 sockets to services; 1 of 2 nodes unknown",
        id="only sockets of the node itself",
    ),
    pytest.param(
        [with_rows(quiet_node(), row("a/b", SAFE), row("the node itself", SAFE, NEVER, kind="node"))],
        "UNSAFE: idle connections at risk on 2 sockets to services; the keepalive of the nodes themselves is safe",
        id="sockets of the node itself, whose keepalive is in time",
    ),
    pytest.param([None], "UNKNOWN: whether idle connections are safe is not known on worker1", id="not reached"),
    pytest.param(
        [with_rows(quiet_node(), row("a/b", SAFE), error="no /proc/7"), quiet_node()],
        "UNKNOWN: whether idle connections are safe is not known on 1 of 2 nodes",
        id="pods that could not be read",
    ),
    pytest.param(
        [altered(quiet_node(), namespaces=unprivileged_node()["namespaces"])],
        "UNKNOWN: whether idle connections are safe is not known on worker1",
        id="namespaces that could not be entered, where nobody looked for pods",
    ),
    pytest.param(
        [lost_at_boot(quiet_node()), quiet_node()],
        "UNSAFE AFTER A REBOOT: idle connections are safe, until a reboot of 1 of 2 nodes",
        id="lost at boot",
    ),
    pytest.param(
        [with_pods(stock_node(), []), lost_at_boot(quiet_node())],
        "UNSAFE: idle connections at risk on 1 of 2 nodes; 1 node more after a reboot",
        id="one now and one after a reboot",
    ),
]


@pytest.mark.parametrize(("several", "said"), SENTENCES)
def test_the_verdict_in_a_word_and_a_sentence(several, said):
    report = document(nodes(*several), {})
    assert f"{verdict.word(report)}: {verdict.sentence(report)}" == said
    assert report["verdict"] == {"UNSAFE AFTER A REBOOT": "safe"}.get(said.split(":")[0], said.split(":")[0].lower())
    assert verdict.kind(report) == said.partition(":")[0].partition(" ")[0].lower()
    assert " ".join(text(report).partition("\nRun:")[0].partition("\nNext:")[0].split()) == f"{said}."
    assert f"<title>{said}." in render_html(report).replace("Idle connections report · ", "")


def test_a_long_name_does_not_make_the_sentence_long():
    report = document({LONG: quiet_node()}, {})
    assert verdict.sentence(report) == (
        "idle connections are safe on the node, as far as the nodes show; no middlebox was declared"
    )
    said = verdict.sentence(document({LONG[:24]: quiet_node()}, {}))
    assert said.startswith(f"idle connections are safe on {LONG[:24]}, as far as")


def spaces(**more):
    return {"groups": [{}], "unreadable": 0, "error": None, **more}


@pytest.mark.parametrize(
    ("namespaces", "pods", "unknown"),
    [
        pytest.param(spaces(), {"error": None}, False, id="all could be read"),
        pytest.param(None, None, False, id="nobody looked"),
        pytest.param(spaces(unreadable=1), None, True, id="a namespace that could not be entered"),
        pytest.param(spaces(error="denied"), None, True, id="an error"),
        pytest.param(spaces(groups=[]), None, True, id="no namespace at all"),
        pytest.param(spaces(), {"error": "denied"}, True, id="pods that could not be read"),
    ],
)
def test_where_pods_are_not_known(namespaces, pods, unknown):
    report = {"nodes": [{"name": "worker1", "namespaces": namespaces, "pods": pods}]}
    assert verdict.pods_unknown(report) == (["worker1"] if unknown else [])


def test_pods_and_other_namespaces_are_counted_apart_in_every_format():
    report = document(nodes(beside_a_browser(LATE)), {})
    assert report["counts"]["pods"] == {"seen": 1, "at_risk": 0}
    assert report["counts"]["namespaces"] == {"of_no_pod": 1, "unnamed": 0}
    pods = report["nodes"][0]["pods"]
    assert (pods["at_risk"], pods["others_at_risk"]) == (0, 1)
    assert [each["at_risk"] for each in pods["rows"]] == [False, False, True]
    assert " 0/1 " in text(report)
    assert "Pods and sockets at risk: 0 of 1 pod, 3 of 3 connections to services" in text(report)
    assert "0 of 1 pod seen are at risk." in render_html(report)
    metrics = render_all(report)
    assert 'kubenode_connections_pods_at_risk{node="worker1"} 0\n' in metrics
    assert 'kubenode_connections_other_namespaces_at_risk{node="worker1"} 1\n' in metrics


def test_containers_are_counted_apart_in_every_format():
    report = document(nodes(with_rows(quiet_node(), row("a/b", SAFE), *CONTAINERS)), {})
    assert report["counts"]["containers"] == {"seen": 3, "at_risk": 2}
    assert report["counts"]["namespaces"]["of_no_pod"] == 0
    told = " ".join(text(report).split())
    assert "Pods and sockets at risk: 0 of 1 pod, 2 of 3 containers, 2 of 2 connections to services" in told
    page = render_html(report)
    assert "0 of 1 pod and 2 of 3 containers seen are at risk." in page
    assert "of 3 beside Kubernetes" in page
    metrics = render_all(report)
    assert 'kubenode_connections_containers{node="worker1"} 3\n' in metrics
    assert 'kubenode_connections_containers_at_risk{node="worker1"} 2\n' in metrics
    assert 'kubenode_connections_other_namespaces_at_risk{node="worker1"} 0\n' in metrics


def test_containers_that_are_safe_are_told_too():
    report = document(nodes(with_rows(quiet_node(), row("a/b", SAFE), CONTAINERS[2])), {})
    told = " ".join(text(report).split())
    assert "Pods and sockets: none of 1 pod and 1 container at risk, none of 0 connections to services" in told


def test_connections_to_other_addresses_are_metrics():
    peers = outside(service("192.0.2.2:5432", without=3), service("192.0.2.3:6379", gaps=[(60, 4)]))
    node = with_rows(quiet_node(), {**row("a/b", SAFE), **peers})
    metrics = render_all(document(nodes(node), {"middleboxes": ["aws_nat_gateway"]}))
    assert 'kubenode_connections_connections_to_other_addresses{node="worker1"} 7\n' in metrics
    assert 'kubenode_connections_connections_to_other_addresses_at_risk{node="worker1"} 3\n' in metrics


def test_what_a_terminal_does_not_list_is_counted_by_its_kind():
    several = [row(f"a/{number}", KERNEL, NEVER) for number in range(9)]
    others = [row(f"process x ({number})", KERNEL, LATE, kind="other") for number in range(5)]
    shown = text(document(nodes(with_rows(stock_node(), *several, *others)), {}))
    assert "  and 4 pods more\n" in shown
    shown = text(document(nodes(with_rows(stock_node(), *others, *others, *others, *several)), {}))
    assert "  and 9 pods and 5 network namespaces more\n" in shown


@pytest.mark.parametrize(
    ("node", "at_risk", "tile", "told"),
    [
        pytest.param(quiet_node(), 2, '<dd class="figure">2</dd>', "2 of 2 connections", id="a limit"),
        pytest.param(
            without_limit(quiet_node()),
            0,
            '<dd class="figure">0</dd>',
            "none of 2 connections to services, 2 undecided",
            id="a limit that nobody could read",
        ),
        pytest.param(plain_node(), 0, '<dd class="figure">0</dd>', "none of 2 connections", id="nothing that forgets"),
    ],
)
def test_sockets_are_at_risk_where_there_is_a_limit(node, at_risk, tile, told):
    report = document(nodes(with_rows(node, row("a/b", SAFE, NEVER))), {})
    assert report["counts"]["sockets"]["at_risk"] == report["nodes"][0]["pods"]["totals"]["at_risk"] == at_risk
    page = render_html(report)
    assert f"<dt>Connections at risk</dt>{tile}" in page
    assert ("of these 2 without keepalive" in page) is bool(at_risk)
    assert told in " ".join(text(report).split())
    assert f'connections_at_risk{{node="worker1"}} {at_risk}\n' in render_all(report)


def test_connections_with_data_under_way_are_counted_though_the_node_does_not_sum_them_up():
    report = document(nodes(with_rows(quiet_node(), row("a/b", SAFE, service(in_flight=3, gaps=[(600, 1)])))), {})
    assert report["nodes"][0]["pods"]["totals"]["in_flight"] == 3
    assert report["counts"]["sockets"]["in_flight"] == 3
    assert report["counts"]["sockets"]["undecided"] == 3


KEEPALIVES = (KERNEL, SAFE, None, (840, 30, 2), (600, 30, 0))
PROCESS = [("python3", 7, "grpcio", 1)]
SERVICES = (service(without=1, processes=PROCESS), LATE, service(gaps=[(600, 1)], in_flight=1))

rows = st.builds(
    lambda kind, keepalive, services: row(f"{kind}/x", keepalive, *services, kind=kind, error="gone"),
    st.sampled_from(["pod", "other", "node"]),
    st.sampled_from(KEEPALIVES),
    st.lists(st.sampled_from(SERVICES), max_size=2),
)
kinds = st.sampled_from([quiet_node, stock_node, plain_node, applied_node, lambda: without_limit(quiet_node())])


@given(
    make=kinds,
    spaces=st.lists(rows, max_size=3),
    omitted=st.integers(0, 2),
    unlisted=st.integers(0, 2),
    pods=st.booleans(),
)
def test_behind_every_verdict_there_is_a_finding(make, spaces, omitted, unlisted, pods):
    node = with_rows(make(), *spaces, omitted=omitted)
    node["pods"]["totals"]["without_keepalive"] += unlisted
    if omitted:
        group = dict(zip(("time", "intvl", "probes"), KERNEL_KEEPALIVE, strict=True))
        node["namespaces"]["keepalive"].append({**group, "namespaces": omitted, "own": False})
    report = document(nodes(node), {"pods": pods})
    severities = [each["severity"] for each in report["findings"]]
    if report["verdict"] == "unsafe":
        assert {"critical", "warning"} & set(severities)
    if report["verdict"] == "unknown":
        assert "unknown" in severities
    assert (report["nodes"][0]["verdict"] == "unsafe") <= (failure(report, "critical") is not None)
    assert report["counts"]["pods"]["at_risk"] <= report["counts"]["pods"]["seen"]
