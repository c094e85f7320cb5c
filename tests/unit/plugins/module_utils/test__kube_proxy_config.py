# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils import _kube_proxy_config

# As the Go types of pkg/proxy/apis/config (internal, served by every release so far) and of v1alpha1 turn into JSON.
INTERNAL = {
    "Linux": {
        "Conntrack": {
            "MaxPerCore": 32768,
            "Min": 131072,
            "TCPEstablishedTimeout": "24h0m0s",
            "TCPCloseWaitTimeout": "1h0m0s",
            "TCPBeLiberal": True,
            "UDPTimeout": "0s",
            "UDPStreamTimeout": "0s",
        },
        "MasqueradeAll": False,
        "OOMScoreAdj": -999,
    },
    "Windows": {"RunAsService": False},
    "Mode": "ipvs",
    "IPTables": {"MasqueradeBit": 14, "LocalhostNodePorts": True},
    "IPVS": {
        "Scheduler": "rr",
        "ExcludeCIDRs": None,
        "StrictARP": False,
        "TCPTimeout": "15m0s",
        "TCPFinTimeout": "1m30s",
        "UDPTimeout": "0s",
    },
    "SyncPeriod": "30s",
}
INTERNAL_BEFORE_LINUX = {
    "IPVS": dict(INTERNAL["IPVS"], SyncPeriod="30s", MinSyncPeriod="0s"),
    "Conntrack": {"MaxPerCore": None, "Min": 0, "TCPEstablishedTimeout": None, "TCPCloseWaitTimeout": "0s"},
}
V1ALPHA1 = {
    "kind": "KubeProxyConfiguration",
    "conntrack": {"maxPerCore": 0, "min": None, "tcpEstablishedTimeout": "2h0m0s", "tcpBeLiberal": False},
    "ipvs": {"tcpTimeout": "2h18m4s", "tcpFinTimeout": "0s", "udpTimeout": "500ms"},
}

CONFIGS = [
    pytest.param(
        INTERNAL,
        {"tcp": 900, "tcpfin": 90, "udp": 0},
        {"tcp_established": 86400, "tcp_close_wait": 3600, "max_per_core": 32768, "min": 131072, "be_liberal": True},
        id="the internal type with a Linux section",
    ),
    pytest.param(
        INTERNAL_BEFORE_LINUX,
        {"tcp": 900, "tcpfin": 90, "udp": 0},
        {"tcp_established": None, "tcp_close_wait": 0, "max_per_core": None, "min": 0, "be_liberal": None},
        id="the internal type without one",
    ),
    pytest.param(
        V1ALPHA1,
        {"tcp": 8284, "tcpfin": 0, "udp": 0},
        {"tcp_established": 7200, "tcp_close_wait": None, "max_per_core": 0, "min": None, "be_liberal": False},
        id="the versioned type",
    ),
    pytest.param({}, None, None, id="neither section"),
    pytest.param({"IPVS": None, "Conntrack": [], "Linux": "x"}, None, None, id="sections that are no objects"),
    pytest.param(
        {"IPVS": {"TCPTimeout": 900, "UDPTimeout": "soon"}, "Conntrack": {"Min": True, "TCPBeLiberal": "yes"}},
        {"tcp": 0, "tcpfin": 0, "udp": 0},
        {"tcp_established": None, "tcp_close_wait": None, "max_per_core": None, "min": None, "be_liberal": None},
        id="values of other types",
    ),
]


@pytest.mark.parametrize(("config", "timeouts", "conntrack"), CONFIGS)
def test_what_kube_proxy_sets_when_it_starts(config, timeouts, conntrack):
    assert _kube_proxy_config.ipvs_timeouts(config) == timeouts
    assert _kube_proxy_config.conntrack(config) == conntrack


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        pytest.param("0s", 0, id="zero"),
        pytest.param("0", 0, id="zero without a unit"),
        pytest.param("15m0s", 900, id="as Go prints it"),
        pytest.param("24h0m0s", 86400, id="a day"),
        pytest.param("1h30m", 5400, id="as people write it"),
        pytest.param("1.5h", 5400, id="a fraction of an hour"),
        pytest.param("0.1s0.9s", 1, id="fractions are added exactly"),
        pytest.param("500ms", 0, id="less than a second is cut off"),
        pytest.param("59.999999999s", 59, id="nearly a minute is cut off"),
        pytest.param("1999999µs", 1, id="microseconds, micro sign"),
        pytest.param("1999999\N{GREEK SMALL LETTER MU}s", 1, id="microseconds, Greek letter"),
        pytest.param("-1.5s", -1, id="negative, cut off towards zero"),
        pytest.param("1.s", 1, id="a point without digits after it"),
        pytest.param("", None, id="nothing"),
        pytest.param("15", None, id="no unit"),
        pytest.param("15 m", None, id="a blank"),
        pytest.param("1d", None, id="a unit Go does not have"),
        pytest.param("9" * 1000 + "h", None, id="longer than any duration"),
        pytest.param("1s\n", None, id="a line end"),
        pytest.param("\N{ARABIC-INDIC DIGIT ONE}s", None, id="other digits"),
        pytest.param(900, None, id="a number"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_go_duration_in_whole_seconds(duration, seconds):
    assert _kube_proxy_config.seconds(duration) == seconds


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_written_duration_is_read_again(hours, minutes, seconds, milliseconds):
    text = f"{hours}h{minutes}m{seconds}.{milliseconds:03}s"
    assert _kube_proxy_config.seconds(text) == hours * 3600 + minutes * 60 + seconds


@given(st.text(), st.text("0123456789.hmsunµ+-"))
def test_no_text_makes_the_duration_parser_raise(anything, nearly):
    _kube_proxy_config.seconds(anything)
    _kube_proxy_config.seconds(nearly)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("metricsBindAddress: 0.0.0.0:10249\n", "0.0.0.0:10249", id="YAML"),
        pytest.param('kind: x\nmetricsBindAddress: "[::]:1234" # all\n', "[::]:1234", id="quoted, with a comment"),
        pytest.param('{"kind": "x",\n  "metricsBindAddress": "10.0.0.7:10249",\n', "10.0.0.7:10249", id="JSON"),
        pytest.param('metricsBindAddress: ""\nbindAddress: 0.0.0.0\n', None, id="empty, as kubeadm writes it"),
        pytest.param("metricsBindAddress: null\n", None, id="null"),
        pytest.param("metricsBindAddress:\n  nonsense: 1\n", None, id="no value on the line"),
        pytest.param("# metricsBindAddress: 1.2.3.4:5\n", None, id="a comment"),
        pytest.param("healthzBindAddress: 1.2.3.4:5\n", None, id="another address"),
        pytest.param('metricsBindAddress: ""\nbindAddress: "::"\n', "[::1]:10249", id="the default of an IPv6 node"),
        pytest.param(
            "bindAddress: fd00::7\nmetricsBindAddress: 1.2.3.4:5\n", "1.2.3.4:5", id="its own beats the default"
        ),
    ],
)
def test_the_metrics_address_in_a_configuration_file(text, address):
    assert _kube_proxy_config.parse_metrics_address(text) == address


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("127.0.0.1:10249", ("127.0.0.1", 10249), id="the default"),
        pytest.param("0.0.0.0:10249", ("127.0.0.1", 10249), id="all IPv4 addresses"),
        pytest.param("[::]:1234", ("::1", 1234), id="all IPv6 addresses"),
        pytest.param(":1234", ("127.0.0.1", 1234), id="no host"),
        pytest.param("localhost:1234", ("127.0.0.1", 1234), id="localhost"),
        pytest.param("10.0.0.7", ("10.0.0.7", 10249), id="no port, as IPv4"),
        pytest.param("fd00::7", ("fd00::7", 10249), id="no port, as IPv6"),
        pytest.param("::", ("::1", 10249), id="all IPv6 addresses, no port"),
        pytest.param("[fd00::7]:1234", ("fd00::7", 1234), id="IPv6 with a port"),
        pytest.param("10.0.0.7:99999", ("10.0.0.7", 10249), id="an impossible port"),
        pytest.param(" 10.0.0.7:1234 ", ("10.0.0.7", 1234), id="blanks around"),
    ],
)
def test_where_to_ask(address, expected):
    assert _kube_proxy_config.host_and_port(address) == expected


@given(st.text())
def test_no_address_makes_the_parser_raise(text):
    host, port = _kube_proxy_config.host_and_port(text)
    assert isinstance(host, str)
    assert 0 < port < 65536
    _kube_proxy_config.parse_metrics_address(text)


@pytest.mark.parametrize("mode", ["ipvs", "iptables", "nftables"])
def test_a_mode(mode):
    assert _kube_proxy_config.parse_mode(mode.encode() + b"\n") == mode


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(b"", "''", id="nothing"),
        pytest.param(b"404 page not found\n", "'404 page not found'", id="a sentence"),
        pytest.param(b"<html>" + b"x" * 200, "'<html>" + "x" * 74 + "'", id="a page"),
        pytest.param(b"\xff\xfe", "'\ufffd\ufffd'", id="bytes"),
    ],
)
def test_an_answer_that_is_no_mode(body, shown):
    with pytest.raises(_kube_proxy_config.KubeProxyError) as caught:
        _kube_proxy_config.parse_mode(body)
    assert str(caught.value) == "/proxyMode answers " + shown + ", expected a mode such as ipvs."


def test_the_configuration_is_returned_as_served():
    body = json.dumps({"kubeproxy.config.k8s.io": INTERNAL, "other": 1}).encode()
    assert _kube_proxy_config.parse_config(body) == INTERNAL


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "no JSON", id="nothing"),
        pytest.param(b"<html>", "no JSON", id="a page"),
        pytest.param(b"\xff", "no JSON", id="bytes"),
        pytest.param(b"[" * 200000, "no JSON", id="nested without end"),
        pytest.param(b'{"kubeproxy.config.k8s.io": {"x": NaN}}', "NaN is no JSON", id="NaN"),
        pytest.param(b"[]", "JSON without an object kubeproxy.config.k8s.io.", id="a list"),
        pytest.param(
            b'{"kubeproxy.config.k8s.io": 1}', "JSON without an object kubeproxy.config.k8s.io.", id="a number"
        ),
    ],
)
def test_an_answer_that_is_no_configuration(body, message):
    with pytest.raises(_kube_proxy_config.KubeProxyError, match=r"^/configz answers ") as caught:
        _kube_proxy_config.parse_config(body)
    assert message in str(caught.value)


@given(st.binary())
def test_no_bytes_make_the_parsers_raise_anything_else(data):
    for parse in (_kube_proxy_config.parse_mode, _kube_proxy_config.parse_config):
        with contextlib.suppress(_kube_proxy_config.KubeProxyError):
            parse(data)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner), st.dictionaries(st.sampled_from(["IPVS", "conntrack", "Linux", "tcpTimeout", "x"]), inner)
    ),
)


@given(st.dictionaries(st.sampled_from(["IPVS", "ipvs", "Conntrack", "linux", "x"]), JSON))
def test_no_configuration_makes_the_readers_raise(config):
    _kube_proxy_config.ipvs_timeouts(config)
    _kube_proxy_config.conntrack(config)
