# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""kube-proxy asked for real: servers on loopback that answer well, wrongly, slowly or not at all."""

import re
import socket

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import find
from ansible_collections.kubenode.connections.plugins.module_utils._observe import kube_proxy
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._hang_guard import hang_guard
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._kube_proxy_servers import (
    GOOD,
    TIMEOUT_SECONDS,
    TIMEOUTS,
    Server,
    ask,
    dripping,
    endless,
    headers,
    http,
    raw,
    silent,
)


def test_a_kube_proxy_that_answers():
    with Server(http(GOOD)) as server:
        seen = ask(server)
    assert (seen.running, seen.address) == (True, f"127.0.0.1:{server.port}")
    assert (seen.mode, seen.ipvs_timeouts, seen.version, seen.error) == ("ipvs", TIMEOUTS, "v1.31.2", None)
    assert "secret" not in str(seen)
    assert [request.split(b"\r\n")[0] for request in server.requests] == [
        b"GET /proxyMode HTTP/1.0",
        b"GET /configz HTTP/1.0",
        b"GET /metrics HTTP/1.0",
    ]


def test_metrics_that_tell_no_version_are_no_error():
    with Server(http(dict(GOOD, **{"/metrics": b"nonsense"}))) as server:
        seen = ask(server)
    assert (seen.mode, seen.ipvs_timeouts, seen.version, seen.error) == ("ipvs", TIMEOUTS, None, None)


def test_metrics_that_never_come_cost_no_more_than_the_deadline():
    def answer(connection, path, stopped):
        (silent if path == "/metrics" else http(GOOD))(connection, path, stopped)

    with Server(answer) as server:
        seen = ask(server)
    assert (seen.mode, seen.version, seen.error) == ("ipvs", None, None)


def test_chunks_are_no_answer_to_http_1_0():
    """Go's server, which is kube-proxy's, sends none then and ends what has no length by closing the connection."""
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nipvs\r\n0\r\n\r\n"
    with Server(raw(answer)) as server:
        seen = ask(server)
    assert seen.mode is None
    assert seen.error.endswith("/proxyMode answers '4\\r\\nipvs\\r\\n0', expected ipvs, iptables or nftables.")


def test_proxies_in_the_environment_are_ignored(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with Server(http(GOOD)) as server:
        assert ask(server).mode == "ipvs"


def test_a_kube_proxy_on_ipv6_loopback():
    with Server(http(GOOD), socket.AF_INET6, "::1") as server:
        seen = ask(server, "[::]")
    assert (seen.mode, seen.address) == ("ipvs", f"[::1]:{server.port}")


def test_a_mode_without_a_configuration_is_kept_with_the_error():
    with Server(http(dict(GOOD, **{"/configz": b"nonsense"}))) as server:
        seen = ask(server)
    assert (seen.running, seen.mode, seen.ipvs_timeouts, seen.conntrack) == (True, "ipvs", None, None)
    assert (
        seen.error
        == f"kube-proxy at 127.0.0.1:{server.port}: /configz answers no JSON (line 1, column 1: Expecting value)."
    )


NONSENSE = [
    pytest.param(
        http(b"<html>hello</html>"),
        "/proxyMode answers '<html>hello</html>', expected ipvs, iptables or nftables.",
        id="a web page",
    ),
    pytest.param(http(b"", "404 Not Found"), "/proxyMode answers with HTTP status 404.", id="404"),
    pytest.param(http(b"", "500 Oops"), "/proxyMode answers with HTTP status 500.", id="500"),
    pytest.param(
        http(b"ipvs", head="Content-Length: 100\r\n"),
        "/proxyMode is answered by fewer bytes than announced.",
        id="cut off",
    ),
    pytest.param(raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "/proxyMode is not answered in HTTP.", id="another protocol"),
    pytest.param(raw(b""), "/proxyMode is not answered in HTTP.", id="closed at once"),
    pytest.param(
        raw(b"HTTP/1.0 200 OK\r\n" + b"X" * 100000),
        "/proxyMode is not answered in HTTP.",
        id="an endless header",
    ),
    pytest.param(raw(bytes(range(256)) * 8), "/proxyMode is not answered in HTTP.", id="bytes"),
    pytest.param(
        http(b"ipvs", head=f"Content-Length: {10**30}\r\n"),
        "/proxyMode is answered by fewer bytes than announced.",
        id="an absurd length",
    ),
    pytest.param(headers(101), "/proxyMode is not answered in HTTP.", id="many headers"),
    pytest.param(headers(300000), "/proxyMode is not answered in HTTP.", id="a flood of headers"),
    pytest.param(
        raw((b"HTTP/1.1 100 Continue\r\nX: " + b"y" * 60000 + b"\r\n\r\n") * 20),
        "/proxyMode answers with HTTP status 100.",
        id="a flood of 100 Continue",
    ),
    pytest.param(
        raw(b"HTTP/1.0 200 OK\r\n" + (b"X: " + b"y" * 60000 + b"\r\n") * 20),
        "the answer is longer than 1048576 bytes.",
        id="a head without end",
    ),
    pytest.param(http(b"ipvs", head="Content-Length: many\r\n"), "/proxyMode is not answered in HTTP.", id="no length"),
    pytest.param(http(b"", "\xb2\xb2\xb2 OK"), "/proxyMode is not answered in HTTP.", id="digits of another kind"),
    pytest.param(silent, "/proxyMode is not answered in time.", id="no answer"),
    pytest.param(dripping, "/proxyMode is not answered in time.", id="a byte now and then"),
    pytest.param(endless, "the answer is longer than 1048576 bytes.", id="an answer without end"),
]


@pytest.mark.parametrize(("answer", "said"), NONSENSE)
def test_a_port_that_is_no_kube_proxy(answer, said):
    with Server(answer) as server:
        seen = ask(server)
    assert (seen.running, seen.mode, seen.ipvs_timeouts, seen.absent) == (False, None, None, False)
    assert seen.error == f"kube-proxy at 127.0.0.1:{server.port}: {said}"


def test_a_length_of_thousands_of_digits_is_a_long_one():
    with Server(http(b"ipvs", head="Content-Length: " + "9" * 4400 + "\r\n")) as server:
        seen = ask(server)
    assert seen.error.endswith("/proxyMode is answered by fewer bytes than announced.")


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(b'{"x":' * 900 + b"1" + b"}" * 900, id="nested"),
        pytest.param(b"[" * 400000, id="nested deeper"),
        pytest.param(b"9" * 1000000, id="one number"),
        pytest.param(b'"' + b"\\ud800" * 100000, id="half characters"),
        pytest.param(b"\xff" * 1000000, id="no text"),
    ],
)
def test_a_configuration_that_nobody_serves_ends_in_a_sentence(config):
    with Server(http(dict(GOOD, **{"/configz": config}))) as server, hang_guard():
        seen = kube_proxy.read(find(kube_proxy.WANTED), f"127.0.0.1:{server.port}", 30)
    assert (seen.mode, seen.version, seen.ipvs_timeouts) == ("ipvs", "v1.31.2", None)
    assert re.search(
        r": /configz answers (no JSON \(.*\)|JSON without an object kubeproxy.config.k8s.io)\.\Z", seen.error
    )
    assert seen.error.isprintable()


def test_one_word_alone_does_not_make_a_kube_proxy():
    with Server(http(b"hello")) as server:
        seen = ask(server)
    assert (seen.running, seen.pid, seen.mode) == (False, None, None)
    assert len(server.requests) == 1  # nobody else's configuration and metrics are read


def test_both_answers_share_one_deadline():
    def slow(connection, path, stopped):
        stopped.wait(TIMEOUT_SECONDS * 0.7)
        http(GOOD)(connection, path, stopped)

    with Server(slow) as server:
        seen = ask(server)
    assert seen.mode == "ipvs"
    assert seen.error == f"kube-proxy at 127.0.0.1:{server.port}: /configz is not answered in time."
