# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.pods import write
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._lines import lines, styled

NOT_KEPT = {"kept_by_server": 0, "outside_kept_by_server": 0}
COUNTED = {"to_services": 9, "at_risk": 0, "undecided": 0, "to_outside": 0, "outside_at_risk": 0, **NOT_KEPT}


def process(name="api", runtime=None, pod=None):
    return {"name": name, "runtime": runtime, "pod": pod}


def service(name="10.96.0.1:80", without=0, gaps=(), *processes, kept=False):
    return {
        "service": name,
        "without_keepalive": without,
        "gaps": [{"seconds": seconds, "connections": number} for seconds, number in gaps],
        "processes": list(processes),
        "kept_by_server": kept,
    }


def row(label="a/b", *services, without=0, late=0, to_services=3, kind="pod", at_risk=True, outside=()):
    return {
        "kind": kind,
        "label": label,
        "keepalive": {"time": 7200, "intvl": 75, "probes": 9},
        "without_keepalive": without,
        "late": late,
        "to_services": to_services,
        "services": list(services),
        "outside": list(outside),
        "at_risk": at_risk,
    }


def node(*rows, name="w1", error=None, **more):
    spaces = {"groups": [{}], "unreadable": 0, "error": None}
    return {"name": name, "pods": {"rows": list(rows), "error": error}, "namespaces": spaces, "ipvs": None, **more}


def document(*nodes, seen=2, at_risk=0, containers=(0, 0), of_no_pod=0, unsafe=0, **sockets):
    return {
        "nodes": list(nodes),
        "counts": {
            "nodes": {"unsafe": unsafe},
            "pods": {"seen": seen, "at_risk": at_risk},
            "containers": dict(zip(("seen", "at_risk"), containers, strict=True)),
            "namespaces": {"of_no_pod": of_no_pod},
            "sockets": {**COUNTED, **sockets},
        },
        "findings": [],
    }


def test_where_no_pod_and_no_connection_was_seen_there_is_nothing():
    assert lines(write, document(node(), seen=0, to_services=0)) == []


@pytest.mark.parametrize(
    ("counts", "heading"),
    [
        ({}, "Pods and sockets: none of 2 pods at risk, none of 9 connections to services"),
        ({"seen": 0}, "Pods and sockets: none of 0 pods at risk, none of 9 connections to services"),
        ({"to_services": 0}, "Pods and sockets: none of 2 pods at risk, none of 0 connections to services"),
        (
            {"undecided": 3},
            "Pods and sockets: none of 2 pods at risk, none of 9 connections to services, 3 undecided",
        ),
        (
            {"seen": 1, "kept_by_server": 3, "outside_kept_by_server": 1},
            "Pods and sockets: none of 1 pod at risk, none of 9 connections to services, 4 kept by the server's probes",
        ),
        (
            {"at_risk": 1, "kept_by_server": 3},
            "Pods and sockets at risk: 1 of 2 pods, 0 of 9 connections to services, 3 kept by the server's probes",
        ),
        ({"at_risk": 1}, "Pods and sockets at risk: 1 of 2 pods, 0 of 9 connections to services"),
        ({"seen": 1, "to_services": 1}, "Pods and sockets: none of 1 pod at risk, none of 1 connection to services"),
    ],
    ids=str,
)
def test_the_heading_counts(counts, heading):
    assert lines(write, document(node(), **counts), width=110)[:2] == ["", heading]


def test_sockets_at_risk_are_in_the_heading_without_a_pod_at_risk():
    several = document(node())
    several["counts"]["sockets"]["at_risk"] = 4
    assert lines(write, several)[1] == "Pods and sockets at risk: 0 of 2 pods, 4 of 9 connections to services"


def test_where_not_all_could_be_read_the_heading_and_a_line_say_so():
    assert lines(write, document(node(error="denied")), width=110) == [
        "",
        "Pods and sockets: none of 2 pods at risk, none of 9 connections to services, of those that could be read",
        "  w1: not all could be read: denied",
    ]


def rows_of(*several, nodes=1, **counts):
    others = [node(name=f"w{number}") for number in range(2, nodes + 1)]
    return lines(write, document(node(*several), *others, **counts), width=110)[2:]


def test_a_pod_at_risk_with_the_programs_that_keep_no_connection_alive():
    grpc = service("10.96.0.1:80", 2, (), process("python3", "grpcio"), process("python3", "grpcio"))
    other = service("10.96.0.2:80", 1, (), process("go", "go"), process("envoy", None, "mesh/envoy-1"))
    calm = service("10.96.0.3:80", 0, [(60, 1)], process())
    redis = service("10.96.0.4:6379", 9, [(7200, 1)], process(), kept=True)
    assert rows_of(row("a/b", grpc, redis, calm, other, without=3, to_services=4)) == [
        "  a/b: keepalive 7200/75/9",
        "      3 of 4 connections to services without SO_KEEPALIVE: python3 (grpcio) to 10.96.0.1:80, go and envoy of",
        "        mesh/envoy-1 to 10.96.0.2:80",
    ]


def test_late_timers_the_longest_first():
    several = [service("x:1", 0, [(900, 1)]), service("y:1", 0, [(100, 1), (7200, 1)]), service("z:1", 1)]
    assert rows_of(row("a/b", *several, late=2, to_services=1)) == [
        "  a/b: keepalive 7200/75/9",
        "      2 of 1 connection to services with a timer beyond the limit: to y:1, to x:1",
    ]


@pytest.mark.parametrize(
    ("number", "told"), [(3, ": to x0:1, to x1:1, to x2:1"), (4, ": to x0:1, to x1:1, to x2:1, ...")]
)
def test_of_many_services_some_are_named(number, told):
    several = [service(f"x{each}:1", 1) for each in range(number)]
    assert rows_of(row("a/b", *several, without=3))[1] == (
        f"      3 of 3 connections to services without SO_KEEPALIVE{told}"
    )


def test_a_service_that_is_not_listed_is_not_named():
    assert rows_of(row(without=1))[1] == "      1 of 3 connections to services without SO_KEEPALIVE"


def test_a_pod_without_such_connections_is_at_risk_by_its_values():
    assert rows_of(row()) == ["  a/b: keepalive 7200/75/9, too late for new connections"]


def test_the_worst_come_first_with_their_node_and_nothing_that_is_not_at_risk():
    several = [row("a/1", late=1), row("a/2", without=1, late=2), row("a/3", without=9, at_risk=False)]
    heads = [line for line in rows_of(*several, nodes=2) if not line.startswith("    ")]
    assert heads == ["  a/2 on w1: keepalive 7200/75/9", "  a/1 on w1: keepalive 7200/75/9"]


def test_the_name_of_what_is_at_risk_has_its_colour():
    line = styled(write, document(node(row())))[2]
    assert [(span.text, span.style) for span in line][:2] == [("  ", None), ("a/b", "unsafe")]


@pytest.mark.parametrize(
    ("pods", "others", "counts", "last"),
    [
        pytest.param(10, 0, {"at_risk": 10}, "  a/9: keepalive 7200/75/9, too late for new connections", id="all"),
        pytest.param(11, 0, {"at_risk": 11}, "  and 1 pod more", id="one pod more"),
        pytest.param(9, 1, {"at_risk": 12, "of_no_pod": 3}, "  and 3 pods and 2 network namespaces more", id="both"),
        pytest.param(10, 0, {"at_risk": 10, "containers": (5, 2)}, "  and 2 containers more", id="containers"),
        pytest.param(9, 2, {"at_risk": 9, "of_no_pod": 2}, "  and 1 network namespace more", id="one of no pod"),
    ],
)
def test_those_that_are_not_listed_are_counted(pods, others, counts, last):
    several = [row(f"a/{number}") for number in range(pods)] + [
        row(f"x{number}", kind="other") for number in range(others)
    ]
    assert rows_of(*several, **counts)[-1] == last


CUT = {"60": 1, "300": 3, "900": 7}


def idle(client, seconds):
    return {"client": client, "service": "10.96.0.1:80", "seconds_left": seconds}


def soon(*nodes, unsafe=1):
    return lines(write, document(*nodes, unsafe=unsafe), width=200)[2:]


def test_the_connections_that_ipvs_forgets_soon_are_counted_over_all_nodes():
    several = [
        node(ipvs={"cut_within": CUT, "idlest": []}),
        node(name="w2", ipvs={"cut_within": {"60": 2}, "idlest": []}),
    ]
    assert soon(*several, node(name="w3", ipvs={"cut_within": None, "idlest": []})) == [
        "  IPVS forgets established connections if nothing is sent: 3 within 300 s, 3 within 60 s"
    ]
    assert soon(node(ipvs={"cut_within": {"300": 2, "60": 0}, "idlest": []})) == [
        "  IPVS forgets established connections if nothing is sent: 2 within 300 s"
    ]


def test_of_one_node_the_first_are_named():
    idlest = [idle(f"10.1.0.{number}:40", 20 + number) for number in range(4)]
    words = " ".join(" ".join(soon(node(ipvs={"cut_within": CUT, "idlest": idlest}))).split())
    assert words.endswith(
        " 3 within 300 s, 1 within 60 s; first 10.1.0.0:40 to 10.96.0.1:80 in 20 s, "
        "10.1.0.1:40 to 10.96.0.1:80 in 21 s, 10.1.0.2:40 to 10.96.0.1:80 in 22 s"
    )


def test_where_the_nodes_are_safe_nothing_is_forgotten_soon():
    assert soon(node(ipvs={"cut_within": CUT, "idlest": []}), unsafe=0) == []


LIMIT = {"seconds": 350, "name": "AWS NAT gateway", "node": None}


def to(destination, at_risk, late=0, *processes):
    return {
        "destination": destination,
        "at_risk": at_risk,
        "late": late,
        "limit": LIMIT,
        "processes": [{"name": name, "runtime": None, "pod": pod} for name, pod in processes],
    }


def test_connections_to_other_addresses_have_a_line_each():
    outside = [
        to("192.0.2.2:5432", 3, 0, ("python3", None)),
        to("[2001:db8::2]:443", 3, 1, ("curl", "ingress/proxy-x7"), ("java", None)),
        to("192.0.2.9:1", 1, 1),
        to("192.0.2.10:1", 2),
        to("192.0.2.11:1", 1),
    ]
    told = lines(write, document(node(row(outside=outside)), to_outside=12, outside_at_risk=10), width=110)
    assert told[1:] == [
        "Pods and sockets at risk: 0 of 2 pods, 0 of 9 connections to services, 10 of 12 to other addresses",
        "  a/b: keepalive 7200/75/9",
        "      3 connections to 192.0.2.2:5432 without SO_KEEPALIVE: python3; AWS NAT gateway 350 s",
        "      3 connections to [2001:db8::2]:443: 2 without SO_KEEPALIVE and 1 with a timer beyond the limit: curl of",
        "        ingress/proxy-x7 and java; AWS NAT gateway 350 s",
        "      1 connection to 192.0.2.9:1 with a timer beyond the limit; AWS NAT gateway 350 s",
        "      and 3 to others",
    ]


def test_where_none_of_them_is_at_risk_that_is_said():
    (_blank, told) = lines(write, document(node(), to_outside=12), width=130)
    assert told == (
        "Pods and sockets: none of 2 pods at risk, none of 9 connections to services, none of 12 to other addresses"
    )
