# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rows of test__rules_*.py on pods and their connections."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    applied_node,
    nftables_node,
    plain_node,
    quiet_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    KERNEL,
    SAFE,
    on_host,
    row,
    service,
    with_rows,
)

LIMIT = "900 s (IPVS tcp on worker1)"
APPLY = "Run the playbook kubenode.connections.apply"

CORE = (
    "gRPC C-core (Python, C++, Ruby, PHP): channel arguments grpc.keepalive_time_ms=600000, "
    "grpc.keepalive_permit_without_calls=1, grpc.http2.max_pings_without_data=0"
)
NODE = (
    "Node: socket.setKeepAlive(true, 600000); grpc-js: channel options 'grpc.keepalive_time_ms': 600000, "
    "'grpc.keepalive_permit_without_calls': 1; node-postgres: keepAlive: true. ioredis, node-redis from 6, mysql2 and "
    "the "
    "MongoDB driver ask for it by themselves, unless told not to"
)
UNKNOWN = (
    "one whose runtime was not recognised: SO_KEEPALIVE on the socket, or pings of its protocol (Rust tonic: "
    "Endpoint::tcp_keepalive(Some(Duration::from_secs(600))))"
)
RAISE = (
    " Or set keepalive_strategy: raise_ipvs, which raises the IPVS tcp timeout to at least {} s: by then idle "
    "gRPC channels have closed their connection."
)


def without(*processes):
    """A pod that is safe but for connections that never probe."""
    number = sum(process[3] for process in processes) or 2
    return with_rows(quiet_node(), row("default/web-0", SAFE, service(without=number, processes=list(processes))))


RAISED = [
    pytest.param(
        "pods-keepalive-too-late",
        with_rows(applied_node(), row("default/web-0"), row("default/web-1"), row("shop/db-0", SAFE)),
        {},
        {
            "severity": "critical",
            "limit": LIMIT,
            "observed": "2 pods with 7200/75/9: default/web-0, default/web-1",
            "remedy": f"{APPLY}: it sets 600/30/9 in the running pods, for the connections that they open then. "
            "Give new pods net.ipv4.tcp_keepalive_time, _intvl and _probes of 600/30/9 with the role "
            "pod_defaults or in securityContext.sysctls. Or, if you cannot change pods, set "
            "keepalive_strategy: raise_ipvs.",
        },
        id="pods by name",
    ),
    pytest.param(
        "pods-keepalive-too-late",
        with_rows(applied_node(), *(row(f"default/web-{number}") for number in range(9))),
        {"pods": False},
        {
            "severity": "warning",
            "observed": "9 pods with 7200/75/9: default/web-0, default/web-1, default/web-2, default/web-3, "
            "default/web-4, default/web-5 and 3 more",
            "remedy": "Give new pods net.ipv4.tcp_keepalive_time, _intvl and _probes of 600/30/9 with the role "
            "pod_defaults or in securityContext.sysctls. Or, if you cannot change pods, set "
            "keepalive_strategy: raise_ipvs.",
        },
        id="many pods, which are to be left alone",
    ),
    pytest.param(
        "pods-own-keepalive-too-late",
        with_rows(applied_node(), row("default/web-0", (1800, 60, 5)), row("shop/db-0", (600, 30, 0))),
        {},
        {
            "severity": "critical",
            "limit": LIMIT,
            "observed": "default/web-0 has 1800/60/5, shop/db-0 has 600/30/0",
            "why": "These are not the kernel's values: somebody set them on purpose, or an earlier run did under "
            "a higher limit. This collection does not overwrite what was set on purpose.",
            "remedy": "Set at most 600/30/9 in securityContext.sysctls of these pods, or drop it there, and recreate "
            "them.",
        },
        id="values that somebody set",
    ),
    pytest.param(
        "containers-keepalive-too-late",
        with_rows(
            applied_node(),
            row("container web (docker)", kind="container"),
            row("container db (nspawn)", (1800, 60, 5), kind="container"),
            row("container ok (lxc)", SAFE, kind="container"),
        ),
        {},
        {
            "severity": "critical",
            "limit": LIMIT,
            "observed": "container web (docker) has 7200/75/9, container db (nspawn) has 1800/60/5",
            "remedy": f"{APPLY}: it sets 600/30/9 in those that run with the kernel's values. Start them with at most "
            "600/30/9 (docker run --sysctl net.ipv4.tcp_keepalive_time=..., the same for intvl and probes), for a "
            "container that is started again begins anew. Apply leaves alone the values that somebody set.",
        },
        id="containers by name",
    ),
    pytest.param(
        "containers-keepalive-too-late",
        with_rows(applied_node(), row("container web (docker)", kind="container")),
        {"containers": False},
        {
            "severity": "warning",
            "remedy": "Start them with at most 600/30/9 (docker run --sysctl net.ipv4.tcp_keepalive_time=..., "
            "the same for intvl and probes), for a container that is started again begins anew.",
        },
        id="containers that are to be left alone",
    ),
    pytest.param(
        "namespaces-keepalive-too-late",
        with_rows(applied_node(), row("process chrome (812)", kind="other"), row("default/web-0", SAFE)),
        {},
        {
            "severity": "info",
            "limit": LIMIT,
            "observed": "1 network namespace of no pod: process chrome (812)",
        },
        id="a browser",
    ),
    pytest.param(
        "namespaces-keepalive-too-late",
        with_rows(quiet_node(), row("process chrome (812)", KERNEL, service(gaps=[(7200, 3)]), kind="other")),
        {},
        {"severity": "warning", "observed": "1 network namespace of no pod: process chrome (812)"},
        id="a browser with connections that are cut",
    ),
    pytest.param(
        "connections-armed-late",
        with_rows(
            applied_node(),
            row("default/web-0", SAFE, service(gaps=[(7100, 3), (600, 2)])),
            row("default/web-1", SAFE, service(gaps=[(630, 9)])),
            row("the node itself", SAFE, on_host(service(gaps=[(1024, 1), (600, 1)])), kind="node"),
        ),
        {},
        {
            "severity": "warning",
            "limit": LIMIT,
            "observed": "4 open connections to services in default/web-0 (3), the node itself (1): proxy (812) of "
            "ingress/proxy-x7",
            "why": "The timer is armed when a connection opens, and a lower sysctl does not change it. So these "
            "connections were opened before the change, or with a TCP_KEEPIDLE of their own.",
            "remedy": "Restart these, or have them connect again. Nothing else needs it. Connections that they "
            "open from now on are kept.",
        },
        id="connections from before the change",
    ),
    pytest.param(
        "connections-without-keepalive",
        without(("python3", 4711, "grpcio", 6)),
        {},
        {
            "severity": "warning",
            "limit": LIMIT,
            "observed": "6 connections without SO_KEEPALIVE: default/web-0: 6 of python3 (4711) to 10.96.0.10:80 "
            "[grpcio]",
            "why": "Without SO_KEEPALIVE the kernel never probes, whatever the sysctls say. If no data flows for "
            "900 s, the connection is forgotten, unless the server probes (Redis every 300 s, Go every 15 s by "
            "default).",
            "remedy": f"In the program, for {CORE}.{RAISE.format(3660)}",
        },
        id="a gRPC client",
    ),
    pytest.param(
        "connections-without-keepalive",
        without(("api", 11, None, 1), ("node", 12, "node", 2), ("python3", 13, "grpcio", 3)),
        {},
        {
            "observed": "6 connections without SO_KEEPALIVE: default/web-0: 1 of api (11) to 10.96.0.10:80; "
            "default/web-0: 2 of node (12) to 10.96.0.10:80 [node]; default/web-0: 3 of python3 (13) to "
            "10.96.0.10:80 [grpcio]",
            "remedy": f"In the program, for {CORE}; for {NODE}; for {UNKNOWN}.{RAISE.format(3660)}",
        },
        id="clients of several runtimes",
    ),
    pytest.param(
        "connections-without-keepalive",
        without(("server", 4711, "grpc-go 1.59.0", 6)),
        {"strategy": "raise_ipvs"},
        {
            "remedy": "In the program, for grpc-go: keepalive.ClientParameters{Time: 600 * time.Second, "
            f"PermitWithoutStream: true}}, and no dialer with KeepAlive: -1. {APPLY}: it raises the IPVS "
            "tcp timeout to at least 1860 s: by then idle gRPC channels have closed their connection.",
        },
        id="a gRPC client, with the other cure",
    ),
    pytest.param(
        "connections-without-keepalive",
        without(),
        {},
        {
            "observed": "2 connections without SO_KEEPALIVE: default/web-0: 2",
            "remedy": f"In the program, for {UNKNOWN}.",
        },
        id="a process that was not found",
    ),
    pytest.param(
        "connections-without-keepalive",
        with_rows(
            nftables_node(), row("default/web-0", KERNEL, service(without=1, processes=[("node", 12, "node", 1)]))
        ),
        {"middleboxes": ["aws_nlb"]},
        {
            "limit": "350 s (AWS NLB)",
            "remedy": "In the program, for Node: socket.setKeepAlive(true, 233000); grpc-js: channel options "
            "'grpc.keepalive_time_ms': 300000, 'grpc.keepalive_permit_without_calls': 1; node-postgres: keepAlive: "
            "true. "
            "ioredis, node-redis from 6, mysql2 and the MongoDB driver ask for it by themselves, unless told not to.",
        },
        id="behind a load balancer: no more often than a gRPC server takes",
    ),
    pytest.param(
        "connections-without-keepalive",
        with_rows(nftables_node(), row("a/b", KERNEL, service(without=1, processes=[("python3", 12, "grpcio", 1)]))),
        {"middleboxes": ["azure_lb"]},
        {
            "remedy": "In the program, for gRPC C-core (Python, C++, Ruby, PHP): channel arguments "
            "grpc.keepalive_time_ms=160000, grpc.keepalive_permit_without_calls=1, "
            "grpc.http2.max_pings_without_data=0; for a gRPC server: permit pings every 160 s (by default 300 s).",
        },
        id="behind a load balancer that forgets sooner than a gRPC server takes",
    ),
]

RAISED += [
    pytest.param(
        "connections-lost",
        with_rows(
            quiet_node(), {**row("a/b", SAFE), "lost": 2}, {**row("the node itself", SAFE, kind="node"), "lost": 1}
        ),
        {},
        {
            "severity": "warning",
            "observed": "3 open connections to services, of which IPVS has no entry: a/b (2), the node itself (1)",
            "remedy": "Have these programs connect again, or restart them.",
        },
        id="lost already",
    ),
    pytest.param(
        "connections-idle-unseen",
        with_rows(
            quiet_node(),
            row("default/web-0", SAFE, service(gaps=[(300, 2), (600, 3), (7100, 1)], in_flight=1)),
            row("default/web-1", SAFE, service(without=1, gaps=[(600, 1)])),
            sockets_from="/proc/net/tcp",
        ),
        {},
        {
            "severity": "unknown",
            "limit": LIMIT,
            "observed": "6 open connections to services cannot be judged: default/web-0 (5), default/web-1 (1)",
            "remedy": "Load tcp_diag (modprobe tcp_diag) and run again, or have them connect again.",
        },
        id="what is left of a timer is no proof",
    ),
]


def unlisted(*rows, seen=2):
    """A node that did not list two of the namespaces that are too late."""
    node = with_rows(quiet_node(), *rows, omitted=seen)
    node["namespaces"]["keepalive"].append({"time": 7200, "intvl": 75, "probes": 9, "namespaces": 2, "own": False})
    return node


RAISED += [
    pytest.param(
        "pods-keepalive-too-late",
        unlisted(row("default/web-0", SAFE)),
        {},
        {"severity": "critical", "observed": "2 network namespaces that the node did not list"},
        id="none of those that are listed",
    ),
    pytest.param(
        "pods-keepalive-too-late",
        unlisted(row("default/web-0")),
        {},
        {"observed": "1 pod with 7200/75/9: default/web-0; 2 network namespaces that the node did not list"},
        id="more than are listed",
    ),
    pytest.param(
        "pods-own-keepalive-too-late",
        with_rows(plain_node(), row("shop/db-0", (600, 30, 0))),
        {"pods": False},
        {
            "severity": "warning",
            "limit": None,
            "observed": "shop/db-0 has 600/30/0",
            "remedy": "Set three values of 1 or more in securityContext.sysctls of these pods, or drop it there, and "
            "recreate them.",
        },
        id="no probes where nothing forgets",
    ),
    pytest.param(
        "connections-without-keepalive",
        with_rows(
            quiet_node(),
            row("a/b", SAFE, service(without=2)),
            omitted=3,
            totals={"connections": 9, "to_services": 7, "without_keepalive": 5, "in_flight": 0},
        ),
        {},
        {
            "severity": "warning",
            "observed": "5 connections without SO_KEEPALIVE: a/b: 2; 3 in namespaces that the node did not list",
        },
        id="more than are listed",
    ),
    pytest.param(
        "connections-armed-late",
        altered(with_rows(quiet_node(), row("a/b", SAFE, service(gaps=[(100000, 3)]))), ipvs={"timeouts": None}),
        {},
        {
            "severity": "warning",
            "limit": "86400 s (conntrack established on worker1)",
            "observed": "3 open connections to services in a/b (3)",
        },
        id="late for one limit, beside another that could not be read",
    ),
]

RAISED += [
    pytest.param(
        "pods-keepalive-lost-probes",
        with_rows(quiet_node(), row("a/b", (200, 200, 5)), row("a/c", (100, 100, 5)), row("a/d", (30, 10, 5))),
        {"middleboxes": ["aws_nlb"]},
        {
            "severity": "warning",
            "limit": "350 s (AWS NLB)",
            "observed": "a/b with 200/200/5, kept while no probe is lost",
            "remedy": "Set at most 200/11/9 in securityContext.sysctls of pods with values of their own.",
        },
        id="one of three survives no lost probe",
    ),
    pytest.param(
        "pods-keepalive-lost-probes",
        with_rows(nftables_node(), row("a/b", KERNEL), row("a/c", (6000, 2000, 9))),
        {"middleboxes": [{"name": "box", "seconds": 8200}]},
        {
            "severity": "warning",
            "limit": "8200 s (box)",
            "observed": "a/b with 7200/75/9, kept while 1 probe is lost, a/c with 6000/2000/9, kept while no "
            "probe is lost",
            "remedy": f"{APPLY}: it sets 5466/75/9 in the running pods, for the connections that they open then. Set "
            "at most 5466/75/9 in securityContext.sysctls of pods with values of their own.",
        },
        id="the kernel's own values under a limit just above them",
    ),
    pytest.param(
        "pods-keepalive-lost-probes",
        with_rows(nftables_node(), row("a/c", (200, 200, 5))),
        {"middleboxes": ["aws_nlb"], "pods": False},
        {"severity": "info"},
        id="pods do not count",
    ),
    pytest.param(
        "pods-own-keepalive-too-late",
        with_rows(quiet_node(), row("a/b", (400, 5, 5)), row("a/c", (100, 400, 5))),
        {"middleboxes": ["aws_nlb"]},
        {
            "severity": "critical",
            "remedy": "Set at most 233/5/9 or 100/11/9 in securityContext.sysctls of these pods, or drop it there, and "
            "recreate them.",
        },
        id="nothing is advised that is later than it is",
    ),
]

NOT_RAISED = [
    pytest.param(
        "pods-keepalive-lost-probes",
        with_rows(quiet_node(), row("a/b", SAFE), row("a/c", KERNEL)),
        {},
        id="one survives two lost probes, the other is too late",
    ),
    pytest.param(
        "pods-own-keepalive-too-late",
        with_rows(quiet_node(), row("a/b", (200, 200, 5))),
        {"middleboxes": ["aws_nlb"]},
        id="in time while no probe is lost",
    ),
    pytest.param(
        "connections-lost", with_rows(quiet_node(), row("a/b", SAFE, service(without=3))), {}, id="at risk only"
    ),
    pytest.param(
        "connections-idle-unseen",
        with_rows(quiet_node(), row("a/b", SAFE, service(gaps=[(600, 3)], in_flight=1))),
        {},
        id="how long they are idle was seen",
    ),
    pytest.param(
        "connections-idle-unseen",
        with_rows(quiet_node(), row("a/b", KERNEL, service(gaps=[(600, 3)])), sockets_from="/proc/net/tcp"),
        {},
        id="in a pod that is late itself",
    ),
    pytest.param(
        "connections-idle-unseen",
        with_rows(nftables_node(), row("a/b", KERNEL, service(gaps=[(600, 3)])), sockets_from="/proc/net/tcp"),
        {},
        id="under a limit beyond any timer",
    ),
    pytest.param(
        "pods-keepalive-too-late",
        with_rows(applied_node(), row("a/b", SAFE), row("process x (7)", KERNEL, kind="other")),
        {},
        id="pods that are safe beside a namespace that is not",
    ),
    pytest.param(
        "pods-keepalive-too-late", with_rows(applied_node(), row("a/b", (1800, 60, 5))), {}, id="values of its own"
    ),
    pytest.param("pods-own-keepalive-too-late", with_rows(applied_node(), row("a/b")), {}, id="the kernel's values"),
    pytest.param("pods-own-keepalive-too-late", applied_node(), {}, id="nobody looked for pods"),
    pytest.param(
        "containers-keepalive-too-late",
        with_rows(applied_node(), row("a/b"), row("container c (podman, rootless)", kind="other")),
        {},
        id="a pod, and a user's container",
    ),
    pytest.param("containers-keepalive-too-late", applied_node(), {}, id="nobody looked for containers"),
    pytest.param(
        "namespaces-keepalive-too-late", with_rows(applied_node(), row("a/b")), {}, id="a pod is not any namespace"
    ),
    pytest.param("namespaces-keepalive-too-late", applied_node(), {}, id="nobody looked at namespaces"),
    pytest.param(
        "connections-armed-late",
        with_rows(applied_node(), row("a/b", KERNEL, service(gaps=[(7200, 3)]))),
        {},
        id="as late as the pod's own keepalive, which comes first",
    ),
    pytest.param(
        "connections-armed-late",
        with_rows(applied_node(), row("a/b", SAFE, service(gaps=[(738, 3)]))),
        {},
        id="soon enough: 738 + 60 seconds, with slack 900",
    ),
    pytest.param(
        "connections-without-keepalive",
        with_rows(applied_node(), row("a/b", SAFE, service(in_flight=3, gaps=[(600, 1)]))),
        {},
        id="data is under way",
    ),
    pytest.param(
        "connections-without-keepalive",
        with_rows(plain_node(), row("a/b", SAFE, service(without=3))),
        {},
        id="nothing forgets",
    ),
]
