# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings import dead_peers
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.dead_peers import has_check
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils import _rule_cases
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings import _rows_network
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    nftables_node,
    plain_node,
    quiet_node,
    stock_node,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import row, with_rows

UNTIL_TCP_GIVES_UP = (
    "a connection to an API server that is gone lasts until TCP gives up (between 924 and 1054 s with "
    "net.ipv4.tcp_retries2 15), and the node reports nothing meanwhile."
)
MAYBE_CLOSED = f"{UNTIL_TCP_GIVES_UP} From 1.11 to 1.22 kubelet mostly closes it itself before that."
CLOSED = (
    "When its heartbeats fail again and again, each after 10 s, kubelet closes all its connections itself, typically "
    "within a minute. Without the check nothing is noticed sooner, and a watch alone that hangs is not noticed: it "
    "lasts until TCP gives up (between 924 and 1054 s with net.ipv4.tcp_retries2 15)."
)
DENIED = "kubelet: /proc/1024/environ: Permission denied"
IMPOSTOR = "Process 4711 calls itself kubelet, but runs as user 1000: it is not believed."


def with_kubelet(**values):
    """A worker of which nothing but its kubelet is to be spoken of."""
    return altered(quiet_node(), kubelet=values)


IN_K3S = {
    "severity": "unknown",
    "remedy": "Look for DISABLE_HTTP2, HTTP2_READ_IDLE_TIMEOUT_SECONDS and HTTP2_PING_TIMEOUT_SECONDS in the "
    "environment of the unit that kubelet runs in, such as k3s or k3s-agent.",
}

HANGS = f"Without it {UNTIL_TCP_GIVES_UP}"
BY_VERSION = [
    pytest.param("v1.10.13", {}, HANGS, id="before kubelet closed anything"),
    pytest.param("v1.11.0", {}, CLOSED, id="the first that did"),
    pytest.param("v1.14.2", {}, HANGS, id="a release that had lost it"),
    pytest.param("v1.22.17", {"read_idle_timeout": 0}, CLOSED, id="the last that closes all"),
    pytest.param("v1.23.0", {"read_idle_timeout": 0}, HANGS, id="only idle ones, and the check is off"),
    pytest.param("v1.31.2", {"read_idle_timeout": 0}, HANGS, id="the same, later"),
    pytest.param("v1.31.2", {"disable_http2": True}, CLOSED, id="without HTTP/2 it closes all"),
    pytest.param(None, {"disable_http2": True}, f"Without it {MAYBE_CLOSED}", id="a version that was not read"),
]


@pytest.mark.parametrize(("version", "values", "why"), BY_VERSION)
def test_what_becomes_of_a_connection_depends_on_version_and_cause(version, values, why):
    node = with_kubelet(version=version, **values)
    found = [_rule_cases.finding_of(each, node, {}) for each in ("kubelet-check-missing", "kubelet-check-off")]
    assert [each["why"] for each in found if each] == [why]


STANDALONE = [
    pytest.param({"version": "v1.19.4"}, id="older than the check"),
    pytest.param({"disable_http2": True}, id="the check is off"),
    pytest.param({"read_idle_timeout": 60}, id="the check is slow"),
    pytest.param({"read_idle_timeout": None, "error": DENIED}, id="nobody can tell"),
]


@pytest.mark.parametrize("values", STANDALONE)
def test_a_kubelet_without_an_api_server_is_not_warned_of_one(values):
    names = [f"kubelet-{name}" for name in ("check-missing", "check-off", "check-slow", "not-read")]

    def raised(**more):
        return [name for name in names if _rule_cases.finding_of(name, with_kubelet(**values, **more), {})]

    assert (len(raised()), raised(standalone=True)) == (1, [])


RAISED = [
    *_rule_cases.of_room(dead_peers, _rows_network.RAISED),
    pytest.param(
        "kubelet-check-missing",
        with_kubelet(version="v1.19.4"),
        {},
        {
            "severity": "warning",
            "observed": "kubelet v1.19.4 has no HTTP/2 health check",
            "limit": "1.18.18, 1.19.5 and 1.20.0 are the first that have it",
            "why": CLOSED,
            "remedy": "Update kubelet. Until then a lower net.ipv4.tcp_retries2 helps, at a price: "
            "see docs/dead-peers.md.",
        },
        id="an old kubelet",
    ),
    pytest.param(
        "kubelet-check-off",
        with_kubelet(disable_http2=True),
        {},
        {
            "severity": "warning",
            "observed": "kubelet's HTTP/2 health check is off: DISABLE_HTTP2 is set in its environment",
            "why": CLOSED,
            "remedy": "Take DISABLE_HTTP2 out of kubelet's environment and restart it, a few nodes at a time.",
        },
        id="HTTP/2 is off",
    ),
    pytest.param(
        "kubelet-check-off",
        with_kubelet(read_idle_timeout=0, version=None),
        {},
        {
            "observed": "kubelet's HTTP/2 health check is off: HTTP2_READ_IDLE_TIMEOUT_SECONDS is 0 in its environment",
            "remedy": "Run the role kubenode.connections.kubelet_http2 with kubelet_http2_restart: true, "
            "a few nodes at a time.",
        },
        id="0 seconds",
    ),
    pytest.param(
        "kubelet-check-slow",
        with_kubelet(read_idle_timeout=40, ping_timeout=10),
        {},
        {
            "severity": "warning",
            "observed": "kubelet notices after 40 + 10 = 50 s that its API server is gone, which is not below 50 s",
            "limit": "50 s (default of --node-monitor-grace-period)",
            "why": "Until then it renews no lease. The node becomes NotReady although it and the other API servers "
            "are well.",
            "remedy": "Run the role kubenode.connections.kubelet_http2 with kubelet_http2_read_idle_timeout: 20 and "
            "kubelet_http2_ping_timeout: 10, or raise --node-monitor-grace-period of kube-controller-manager.",
        },
        id="somebody made it slower",
    ),
    pytest.param(
        "kubelet-check-slow",
        with_kubelet(version="v1.31.9"),
        {},
        {
            "severity": "info",
            "observed": "kubelet notices after 30 + 15 = 45 s that its API server is gone, which is not below 40 s",
        },
        id="the defaults before Kubernetes 1.32",
    ),
    pytest.param(
        "kubelet-not-read",
        altered(
            with_kubelet(disable_http2=None, read_idle_timeout=None, ping_timeout=None, error=DENIED),
            problems=[
                {
                    "id": "kubelet",
                    "what": "kubelet",
                    "why": DENIED,
                    "do": "Run again as root (-e keepalive_become=true).",
                }
            ],
        ),
        {},
        {
            "severity": "unknown",
            "observed": DENIED,
            "why": f"Where kubelet has no HTTP/2 health check, {MAYBE_CLOSED}",
            "remedy": "Run again as root (-e keepalive_become=true).",
        },
        id="not root",
    ),
    pytest.param(
        "kubelet-not-read",
        {name: value for name, value in quiet_node().items() if name != "kubelet"},
        {},
        {
            "observed": "kubelet's version and environment are not in the data",
            "remedy": "Run again as root (-e keepalive_become=true).",
        },
        id="data of an older node_info",
    ),
    pytest.param(
        "kubelet-not-read",
        with_kubelet(running=None, version=None, error="/proc hides it, so it may run."),
        {},
        {"observed": "/proc hides it, so it may run"},
        id="processes are hidden",
    ),
    pytest.param(
        "kubelet-not-read",
        with_kubelet(version="v1"),
        {},
        {"observed": "kubelet's version and environment are not in the data"},
        id="a version that makes no sense",
    ),
    pytest.param(
        "kubelet-not-read",
        altered(nftables_node(), kubelet={**plain_node()["kubelet"], "error": IMPOSTOR}),
        {},
        {"observed": f"kubelet's process was not found, but kube-proxy runs. {IMPOSTOR}".rstrip(".")},
        id="one of another user's",
    ),
    pytest.param(
        "kubelet-not-read",
        altered(nftables_node(), kubelet=plain_node()["kubelet"]),
        {},
        {
            **IN_K3S,
            "observed": "kubelet's process was not found, but kube-proxy runs",
            "why": "It may be embedded in another, as in K3s. Where kubelet has no HTTP/2 health check, "
            + MAYBE_CLOSED,
        },
        id="K3s: kubelet and kube-proxy in its own process",
    ),
    pytest.param(
        "kubelet-not-read",
        with_rows(plain_node(), row("a/b")),
        {},
        {**IN_K3S, "observed": "kubelet's process was not found, but there are pods"},
        id="K3s without kube-proxy",
    ),
]

NOT_RAISED = [
    *_rule_cases.of_room(dead_peers, _rows_network.NOT_RAISED),
    pytest.param("kubelet-check-missing", stock_node(), {}, id="a newer kubelet"),
    pytest.param("kubelet-check-missing", with_kubelet(version=None), {}, id="a version that was not read"),
    pytest.param("kubelet-check-missing", plain_node(), {}, id="no kubelet"),
    pytest.param("kubelet-check-off", stock_node(), {}, id="nothing switches it off"),
    pytest.param("kubelet-check-off", plain_node(), {}, id="no kubelet"),
    pytest.param(
        "kubelet-check-off", with_kubelet(version="v1.16.9", disable_http2=True), {}, id="a kubelet that has none"
    ),
    pytest.param("kubelet-check-slow", stock_node(), {}, id="45 s below 50 s"),
    pytest.param("kubelet-check-slow", plain_node(), {}, id="no kubelet"),
    pytest.param(
        "kubelet-check-slow",
        with_kubelet(version="v1.31.9", read_idle_timeout=25, ping_timeout=12),
        {},
        id="37 s below 40 s",
    ),
    pytest.param("kubelet-check-slow", with_kubelet(read_idle_timeout=0, ping_timeout=90), {}, id="off, not slow"),
    pytest.param("kubelet-check-slow", with_kubelet(version=None), {}, id="45 s, and the version was not read"),
    pytest.param("kubelet-not-read", stock_node(), {}, id="all was read"),
    pytest.param("kubelet-not-read", with_kubelet(error=IMPOSTOR), {}, id="one of another user's beside it"),
    pytest.param("kubelet-not-read", altered(plain_node(), kubelet={"error": IMPOSTOR}), {}, id="that alone"),
    pytest.param("kubelet-not-read", plain_node(), {}, id="no kubelet"),
    pytest.param(
        "kubelet-not-read", with_rows(plain_node(), row("process x (7)", kind="other")), {}, id="namespaces of no pod"
    ),
]


@pytest.mark.parametrize(("identity", "node", "policy", "expected"), RAISED)
def test_a_rule_is_raised(identity, node, policy, expected):
    _rule_cases.raised(identity, node, policy, expected)


@pytest.mark.parametrize(("identity", "node", "policy"), NOT_RAISED)
def test_a_rule_is_not_raised(identity, node, policy):
    assert _rule_cases.finding_of(identity, node, policy) is None


def test_every_rule_of_the_room_is_tested_both_ways():
    ids = {rule.id for rule in dead_peers.RULES}
    assert {row.values[0] for row in RAISED} == {row.values[0] for row in NOT_RAISED} == ids


@pytest.mark.parametrize(
    ("version", "has_it"),
    [
        pytest.param("v1.18.17", False, id="the last 1.18 without it"),
        pytest.param("v1.18.18", True, id="the first 1.18 with it"),
        pytest.param("v1.19.4", False, id="the last 1.19 without it"),
        pytest.param("v1.19.5", True, id="the first 1.19 with it"),
        pytest.param("v1.20.0", True, id="the first minor release with it"),
        pytest.param("v1.9.11", False, id="9 is older than 20"),
        pytest.param("v1.17.99", False, id="no 1.17 got it"),
        pytest.param("v1.34.2+k3s1", True, id="a distribution's release"),
        pytest.param("v1.19.16-eks-14c7a48", True, id="a vendor's patch release"),
        pytest.param("v2.0.0", True, id="whatever comes"),
        pytest.param("1.19.4", False, id="without the v"),
        pytest.param("v1.19", None, id="no patch release"),
        pytest.param("<html>", None, id="nonsense"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="not read"),
    ],
)
def test_the_versions_that_have_the_health_check(version, has_it):
    assert has_check(version) is has_it
