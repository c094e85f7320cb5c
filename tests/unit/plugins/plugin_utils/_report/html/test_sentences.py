# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html import sentences
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import document
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    nodes,
    plain_node,
    quiet_node,
    with_keepalive,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    outside,
    row,
    service,
    with_rows,
)


def with_cuts(node):
    node["ipvs"]["cut_within"] = {"60": 1, "300": 2, "900": 4}
    return node


IPVS = "IPVS tcp on worker1 forgets a connection after 900 s without a packet and tells neither end."


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(
            document,
            [
                IPVS,
                "Keepalive speaks up to 7384 s too late.",
                "2 connections will be forgotten within 5 minutes if nothing is sent.",
                "2 limits not known.",
            ],
            id="at risk",
        ),
        pytest.param(
            lambda: document(nodes(quiet_node(), with_keepalive(quiet_node(), (700, 30, 9))), {}),
            [IPVS.replace("worker1", "all nodes"), "Keepalive speaks at least 43 s before that."],
            id="safe",
        ),
        pytest.param(
            lambda: document(nodes(with_cuts(quiet_node())), {}),
            [IPVS, "Keepalive speaks at least 156 s before that."],
            id="connections that IPVS would forget soon, were there no keepalive",
        ),
        pytest.param(
            lambda: document(nodes(quiet_node()), {"middleboxes": [{"name": "NAT", "seconds": 800}]}),
            [
                "NAT forgets a connection after 800 s without a packet and tells neither end.",
                "Keepalive speaks at least 56 s before that.",
            ],
            id="a limit of no node",
        ),
        pytest.param(
            lambda: document(nodes(with_keepalive(quiet_node(), (550, 30, 9)), None), {}),
            [IPVS, "1 node safe now will be at risk after a reboot.", "2 limits not known."],
            id="safe until a reboot, below a headline on what is not known",
        ),
        pytest.param(lambda: document(nodes(plain_node()), {}), [], id="no limit"),
    ],
)
def test_what_the_verdict_rests_on(report, expected):
    told = [each for each in sentences.facts(report()) if not each.startswith(("Looked at: ", "Not looked at: "))]
    assert told == expected


LATE = service(gaps=[(7200, 2)])


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        pytest.param(
            document,
            "2 of 2 pods seen are at risk. Of 41 connections, 16 go to services; of these 6 without keepalive, 10 with "
            "a late timer.",
            id="two ways to be at risk",
        ),
        pytest.param(
            lambda: document(nodes(quiet_node()), {}), "0 of 0 pods seen are at risk.", id="pods were not looked at"
        ),
    ],
)
def test_pods_in_a_sentence(report, expected):
    assert " ".join(sentences.pods_lead(report())) == expected


def test_what_the_table_leaves_out_is_counted():
    rows = [row("a/b", (600, 30, 9), LATE), row("a/c", (600, 30, 9)), row("a/d", (600, 30, 9))]
    report = document(nodes(with_rows(quiet_node(), *rows, omitted=3)), {})
    assert sentences.pods_lead(report)[-2:] == [
        "Not listed: 3 network namespaces without a risk.",
        "3 more are not in the report; the worst are.",
    ]


def test_where_no_connection_is_at_risk_that_is_said():
    report = document(nodes(with_rows(quiet_node(), row("a/b", (600, 30, 9), service(gaps=[(300, 2)])))), {})
    assert "of these none is at risk." in " ".join(sentences.pods_lead(report))


@pytest.mark.parametrize(
    ("counts", "others", "expected"),
    [
        pytest.param((0, 0, 0, 0), [0], "", id="none"),
        pytest.param((6, 0, 0, 0), [], "6 without keepalive", id="without"),
        pytest.param(
            (6, 2, 1, 4),
            [],
            "6 without keepalive, 2 with a late timer, 1 not decided, 4 kept by the server's probes",
            id="all kinds",
        ),
        pytest.param((0, 0, 0, 0), [3, 1], "4 to other addresses at risk", id="to other addresses"),
        pytest.param((0, 0, 1, 0), [2], "1 not decided, 2 to other addresses at risk", id="both"),
    ],
)
def test_connections_at_risk_in_words(counts, others, expected):
    named = dict(zip(("without_keepalive", "late", "undecided", "kept_by_server"), counts, strict=True))
    row = {**named, "connections": 9, "outside": [{"at_risk": number} for number in others]}
    assert sentences.connections_not_safe([row]) == expected
    assert sentences.connections_words(row) == ", ".join(filter(None, ["9 connections", expected]))


def test_connections_of_several_pods_are_summed():
    one = {"without_keepalive": 1, "late": 0, "undecided": 2, "kept_by_server": 0, "outside": [{"at_risk": 3}]}
    assert sentences.connections_not_safe([one, one]) == (
        "2 without keepalive, 4 not decided, 6 to other addresses at risk"
    )


@pytest.mark.parametrize(
    ("number", "kind", "expected"),
    [(1, "warning", "1 warning"), (20, "warning", "20 warnings"), (2, "critical", "2 critical"), (2, "safe", "2 safe")],
)
def test_how_many_of_a_kind(number, kind, expected):
    assert sentences.of_kind(number, kind) == expected


def test_what_is_urgent():
    counts = {"critical": 1, "warning": 2, "unknown": 0, "info": 5}
    assert sentences.urgent({"counts": {"findings": counts}}) == "1 critical, 2 warnings"
    assert sentences.urgent({"counts": {"findings": {**counts, "critical": 0, "warning": 0}}}) == ""


def test_connections_to_other_addresses_have_a_sentence_and_a_line():
    pod = {**row("a/b", (233, 11, 9)), **outside(service("192.0.2.2:5432", 3, processes=[("<b>", 1, None, 3)]))}
    report = document(nodes(with_rows(quiet_node(), pod)), {"middleboxes": ["aws_nat_gateway"]})
    assert "3 go to other addresses; of these 3 at risk." in sentences.pods_lead(report)


@pytest.mark.parametrize(
    ("seconds", "margin", "expected"),
    [
        pytest.param(None, 0, "not known", id="not known"),
        pytest.param(156, 0, "156 s to spare", id="in time"),
        pytest.param(0, 0, "0 s to spare", id="to the second"),
        pytest.param(-1, 0, "too late by 1 s", id="too late"),
        pytest.param(156, 156, "156 s to spare", id="the margin to the second"),
        pytest.param(155, 156, "1 s less than the margin of 156 s", id="less than the margin"),
        pytest.param(-1, 156, "too late by 1 s", id="too late for any margin"),
    ],
)
def test_how_far_from_the_limit(seconds, margin, expected):
    assert sentences.spare_words(seconds, margin) == expected


def test_a_keepalive_in_words():
    assert sentences.keepalive_words({"time": 600, "intvl": 30, "probes": 9}) == "600/30/9"
    assert sentences.keepalive_words(None) == "not read"


def test_a_moment_for_people():
    assert sentences.utc("2026-11-21T03:40:00Z") == "2026-11-21 03:40:00 UTC"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("Set it lower.", [], id="words only"),
        pytest.param("Set net.ipv4.tcp_keepalive_time.", ["net.ipv4.tcp_keepalive_time"], id="a sysctl, no full stop"),
        pytest.param("keepalive_margin asks for it", ["keepalive_margin"], id="a variable at the beginning"),
        pytest.param("see /etc/sysctl.d/9-k8s.conf:3", ["/etc/sysctl.d/9-k8s.conf"], id="a file, no line"),
        pytest.param("run kubenode.connections.apply", ["kubenode.connections.apply"], id="a playbook at the end"),
        pytest.param("SO_KEEPALIVE or TCP_KEEPIDLE", ["SO_KEEPALIVE", "TCP_KEEPIDLE"], id="two"),
        pytest.param("net.a_b, _intvl and _probes of", ["net.a_b", "_intvl", "_probes"], id="the ends of names"),
        pytest.param("Set keepalive_rps: auto.", ["keepalive_rps: auto"], id="a variable with its value"),
        pytest.param("keepalive_pods: it changes", ["keepalive_pods"], id="a variable and a clause"),
        pytest.param("grpc.http2.max_pings=0; x", ["grpc.http2.max_pings=0"], id="a dotted name with its value"),
        pytest.param("HTTP2_PING_TIMEOUT_SECONDS is", ["HTTP2_PING_TIMEOUT_SECONDS"], id="a name with a digit"),
        pytest.param("Restart it: kubectl -n a rollout restart b.", ["kubectl -n a rollout restart b"], id="kubectl"),
        pytest.param("600/30/9 and kube-proxy, TCP/IP", [], id="no file"),
    ],
)
def test_code_in_a_sentence(text, code):
    pieces = sentences.split_at_code(text)
    assert "".join(pieces) == text
    assert pieces[1::2] == code
