# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import contextlib
import ipaddress
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common import kube_proxy_config
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._hang_guard import hang_guard

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

NO_CONNTRACK = {
    "tcp_established": None,
    "tcp_close_wait": None,
    "max_per_core": None,
    "min": None,
    "max": 0,
    "be_liberal": None,
    "udp": None,
    "udp_stream": None,
}

CONFIGS = [
    pytest.param(
        INTERNAL,
        {"tcp": 900, "tcpfin": 90, "udp": 0},
        {
            "tcp_established": 86400,
            "tcp_close_wait": 3600,
            "max_per_core": 32768,
            "min": 131072,
            "max": None,
            "be_liberal": True,
            "udp": 0,
            "udp_stream": 0,
        },
        id="the internal type with a Linux section",
    ),
    pytest.param(
        INTERNAL_BEFORE_LINUX,
        {"tcp": 900, "tcpfin": 90, "udp": 0},
        dict(NO_CONNTRACK, tcp_close_wait=0, min=0),
        id="the internal type without one",
    ),
    pytest.param(
        V1ALPHA1,
        {"tcp": 8284, "tcpfin": 0, "udp": 0},
        dict(NO_CONNTRACK, tcp_established=7200, max_per_core=0, be_liberal=False),
        id="the versioned type",
    ),
    pytest.param({}, None, None, id="neither section"),
    pytest.param({"IPVS": None, "Conntrack": [], "Linux": "x"}, None, None, id="sections that are no objects"),
]


@pytest.mark.parametrize(("config", "timeouts", "conntrack"), CONFIGS)
def test_what_kube_proxy_sets_when_it_starts(config, timeouts, conntrack):
    assert kube_proxy_config.ipvs_timeouts(config) == timeouts
    assert kube_proxy_config.conntrack(config) == conntrack


DURATION = "expected a duration such as 15m0s"
WHOLE = "expected a whole number up to 2147483647"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        pytest.param({"IPVS": {"TCPTimeout": 900}}, f"tcpTimeout 900, {DURATION}", id="a number"),
        pytest.param({"IPVS": {"UDPTimeout": "soon"}}, f"udpTimeout 'soon', {DURATION}", id="a word"),
        pytest.param({"IPVS": {"UDPTimeout": "9" * 12 + "h"}}, f"udpTimeout '999999999999h', {DURATION}", id="ages"),
        pytest.param(
            {"IPVS": {"TCPTimeout": "1s" * 4000}}, f"tcpTimeout '{'1s' * 40}', {DURATION}", id="a very long duration"
        ),
        pytest.param({"ipvs": {"tcpFinTimeout": [[]]}}, f"tcpFinTimeout a list, {DURATION}", id="a list"),
        pytest.param({"Conntrack": {"Min": True}}, f"min True, {WHOLE}", id="a flag"),
        pytest.param({"Conntrack": {"Min": 1.5}}, f"min 1.5, {WHOLE}", id="a fraction"),
        pytest.param({"conntrack": {"maxPerCore": 2**31}}, f"maxPerCore 2147483648, {WHOLE}", id="too large"),
        pytest.param({"conntrack": {"maxPerCore": 10**18}}, f"maxPerCore 1{'0' * 18}, {WHOLE}", id="larger"),
        pytest.param({"Conntrack": {"TCPBeLiberal": "yes"}}, "tcpBeLiberal 'yes', expected true or false", id="a yes"),
        pytest.param(
            {"Conntrack": {"TCPEstablishedTimeout": "\ud800\x1b"}},
            f"tcpEstablishedTimeout '\\ud800\\x1b', {DURATION}",
            id="half a character",
        ),
    ],
)
def test_a_configuration_with_a_value_that_makes_no_sense_is_refused_as_a_whole(config, said):
    with pytest.raises(kube_proxy_config.KubeProxyError) as caught:
        kube_proxy_config.parse_config(json.dumps({"kubeproxy.config.k8s.io": config}).encode())
    assert str(caught.value) == f"/configz answers {said}."


@pytest.mark.parametrize(
    ("per_core", "least", "cpus", "most"),
    [
        pytest.param(32768, 131072, 2, 131072, id="the least counts on a small machine"),
        pytest.param(32768, 131072, 64, 2097152, id="a large machine"),
        pytest.param(32768, None, 4, 131072, id="no least"),
        pytest.param(0, 131072, 64, 0, id="left alone"),
        pytest.param(-1, 131072, 64, 0, id="nonsense is left alone"),
        pytest.param(32768, 131072, None, None, id="nobody knows how many CPUs"),
    ],
)
def test_how_many_connections_kube_proxy_wants(per_core, least, cpus, most):
    config = {"conntrack": {"maxPerCore": per_core, "min": least}}
    assert kube_proxy_config.conntrack(config, cpus)["max"] == most


# As kube-proxy v1.31.2 serves it, between other metrics.
METRICS = b"""\
# HELP kubernetes_build_info [ALPHA] A metric with a constant '1' value labeled by major, minor, git version, git commit
# TYPE kubernetes_build_info gauge
kubernetes_build_info{build_date="2024-10-22T20:28:14Z",compiler="gc",git_commit="5864a4677267e6adeae276ad85882a8714d6\
9d9d",git_tree_state="clean",git_version="v1.31.2",go_version="go1.22.8",major="1",minor="31",platform="linux/amd64"} 1
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.37
"""


@pytest.mark.parametrize(
    ("body", "version"),
    [
        pytest.param(METRICS, "v1.31.2", id="today"),
        pytest.param(b'kubernetes_build_info{gitVersion="v1.13.4",goVersion="go1.11"} 1', "v1.13.4", id="before 1.14"),
        pytest.param(
            b'kubernetes_build_info{git_version="v1.34.2+k3s1",x="y"} 1', "v1.34.2+k3s1", id="of a distribution"
        ),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"kubernetes_build_info 1\n", None, id="no labels"),
        pytest.param(b'xkubernetes_build_info{git_version="v1.2.3"} 1', None, id="another metric"),
        pytest.param(b'kubernetes_build_info{git_version="<html>"} 1', None, id="no version"),
        pytest.param(b'kubernetes_build_info{git_version="v' + b"1" * 100 + b'"} 1', None, id="no end"),
        pytest.param(bytes(range(256)), None, id="bytes"),
    ],
)
def test_the_version_that_the_metrics_tell(body, version):
    assert kube_proxy_config.parse_version(body) == version


@given(st.binary() | st.binary().map(lambda data: b'kubernetes_build_info{git_version="v' + data))
def test_no_metrics_make_the_parser_raise(body):
    version = kube_proxy_config.parse_version(body)
    assert version is None or len(version) <= 65


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
        pytest.param("2562047h47m16.854775807s", 9223372036, id="the longest that Go has"),
        pytest.param("2562048h", None, id="longer than Go has"),
        pytest.param("1s" * 500000 + "!", None, id="a very long text"),
        pytest.param("1s\n", None, id="a line end"),
        pytest.param("\N{ARABIC-INDIC DIGIT ONE}s", None, id="other digits"),
        pytest.param(900, None, id="a number"),
        pytest.param(None, None, id="null"),
    ],
)
def test_a_go_duration_in_whole_seconds(duration, seconds):
    assert kube_proxy_config.seconds(duration) == seconds


@given(st.integers(0, 10**6), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_written_duration_is_read_again(hours, minutes, seconds, milliseconds):
    text = f"{hours}h{minutes}m{seconds}.{milliseconds:03}s"
    assert kube_proxy_config.seconds(text) == hours * 3600 + minutes * 60 + seconds


@given(st.text(), st.text("0123456789.hmsunµ+-"))
def test_no_text_makes_the_duration_parser_raise(anything, nearly):
    kube_proxy_config.seconds(anything)
    kube_proxy_config.seconds(nearly)


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
    assert kube_proxy_config.parse_metrics_address(text) == address


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
        pytest.param("10.0.0.7:", ("10.0.0.7", 10249), id="an empty port"),
        pytest.param("[fd00::7]", ("fd00::7", 10249), id="IPv6 in brackets, no port"),
        pytest.param("fd00:0:0::7", ("fd00::7", 10249), id="IPv6 as it is usually written"),
        pytest.param("[::ffff:10.0.0.7]:1", ("10.0.0.7", 1), id="IPv4 in IPv6"),
        pytest.param(" 10.0.0.7:1234 ", ("10.0.0.7", 1234), id="blanks around"),
    ],
)
def test_where_to_ask(address, expected):
    assert kube_proxy_config.host_and_port(address) == expected


FORM = "Give it as in 127.0.0.1:10249."


@pytest.mark.parametrize(
    ("address", "said"),
    [
        pytest.param("10.0.0.7:99999", f"'99999' is not a port from 1 to 65535. {FORM}", id="a port that is none"),
        pytest.param("10.0.0.7:0", f"'0' is not a port from 1 to 65535. {FORM}", id="port 0"),
        pytest.param("[::1]10249", None, id="no colon"),
        pytest.param("node:1", f"'node' is not an IP address. {FORM}", id="a name"),
        pytest.param("fe80::1%eth0", None, id="a zone, which kube-proxy does not take"),
        pytest.param("\ud800\x1b[2J:1", f"'\\ud800\\x1b[2J' is not an IP address. {FORM}", id="letters of a terminal"),
        pytest.param(":" * 19998 + "\nx", f"an address of 20000 characters is none. {FORM}", id="20,000 colons"),
        pytest.param(":" * 300, None, id="300 colons"),
        pytest.param("[" * 300, None, id="300 brackets"),
        pytest.param("127.0.0.1:" + "9" * 290, None, id="a port of 290 digits"),
    ],
)
def test_an_address_that_is_none_is_refused_at_once(address, said):
    with hang_guard(), pytest.raises(kube_proxy_config.KubeProxyError) as caught:
        kube_proxy_config.host_and_port(address)
    assert str(caught.value) == said or said is None


@given(st.text() | st.text("0123456789.:[]%ab"))
def test_an_address_is_an_ip_address_and_a_port_or_refused(text):
    try:
        host, port = kube_proxy_config.host_and_port(text)
        said = f"{ipaddress.ip_address(host)} and {range(1, 65536)[port - 1]}."
    except kube_proxy_config.KubeProxyError as error:
        said = str(error)
    assert re.fullmatch(r"[ -~]+\.", said)
    kube_proxy_config.parse_metrics_address(text)


MIB = 1 << 20
STARTS = [b"", b"kubernetes_build_info{", b"metricsBindAddress", b'{"kubeproxy.config.k8s.io":']
PATTERNS = [
    b"\t",
    b" ",
    b":",
    b'"',
    b"'",
    b"{",
    b",",
    b"\n",
    b"\n\t",
    b"[",
    b"\\",
    b"9",
    b"a:",
    b"-",
    b"0.1e9",
    b"\xff",
]
PATTERNS += [b'{"a":', b"kubernetes,", b"\nkubernetes_build_info{,", b'gitversion="v', b"\n  metricsBindAddress"]
PATTERNS += [b'metricsBindAddress:\t"', *STARTS[1:]]


@pytest.mark.parametrize("pattern", PATTERNS, ids=repr)
@pytest.mark.parametrize("before", STARTS)
def test_a_mebibyte_of_anything_is_parsed_in_linear_time(before, pattern):
    body = before + pattern * (MIB // len(pattern))
    text = body.decode("utf-8", "replace")
    with hang_guard():
        kube_proxy_config.parse_metrics_address(text)
        kube_proxy_config.parse_version(body)
        for parse in (kube_proxy_config.parse_mode, kube_proxy_config.parse_config):
            with pytest.raises(kube_proxy_config.KubeProxyError):
                parse(body)


@pytest.mark.parametrize("mode", ["ipvs", "iptables", "nftables", "userspace"])
def test_a_mode(mode):
    assert kube_proxy_config.parse_mode(mode.encode() + b"\n") == mode


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        pytest.param(b"", "''", id="nothing"),
        pytest.param(b"hello", "'hello'", id="a word"),
        pytest.param(b"404 page not found\n", "'404 page not found'", id="a sentence"),
        pytest.param(b"<html>" + b"x" * 200, "'<html>" + "x" * 74 + "'", id="a page"),
        pytest.param(b"\xff\xfe\x1b[2J", "'\\ufffd\\ufffd\\x1b[2J'", id="bytes"),
    ],
)
def test_an_answer_that_is_no_mode(body, shown):
    with pytest.raises(kube_proxy_config.KubeProxyError) as caught:
        kube_proxy_config.parse_mode(body)
    assert str(caught.value) == "/proxyMode answers " + shown + ", expected ipvs, iptables or nftables."


def test_of_the_configuration_only_what_counts_is_returned():
    body = json.dumps({"kubeproxy.config.k8s.io": INTERNAL, "other": 1}).encode()
    found = kube_proxy_config.parse_config(body, cpus=64)
    assert found == (kube_proxy_config.ipvs_timeouts(INTERNAL), kube_proxy_config.conntrack(INTERNAL, 64))
    assert found.conntrack["max"] == 2097152


def test_of_a_name_that_is_there_twice_the_last_counts():
    body = b'{"kubeproxy.config.k8s.io": {"IPVS": {"TCPTimeout": "1s", "TCPTimeout": "2s"}}}'
    assert kube_proxy_config.parse_config(body).ipvs_timeouts["tcp"] == 2


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b"", "no JSON", id="nothing"),
        pytest.param(b"<html>", "no JSON", id="a page"),
        pytest.param(b"\xff", "no JSON", id="bytes"),
        pytest.param(b"[" * 200000, "no JSON", id="nested without end"),
        pytest.param(b'{"kubeproxy.config.k8s.io": {"x": NaN}}', "no JSON", id="NaN"),
        pytest.param(b"[]", "JSON without an object kubeproxy.config.k8s.io.", id="a list"),
        pytest.param(
            b'{"kubeproxy.config.k8s.io": 1}', "JSON without an object kubeproxy.config.k8s.io.", id="a number"
        ),
    ],
)
def test_an_answer_that_is_no_configuration(body, message):
    with pytest.raises(kube_proxy_config.KubeProxyError, match=r"^/configz answers ") as caught:
        kube_proxy_config.parse_config(body)
    assert message in str(caught.value)


@given(st.binary())
def test_no_bytes_make_the_parsers_raise_anything_else(data):
    for parse in (kube_proxy_config.parse_mode, kube_proxy_config.parse_config):
        with contextlib.suppress(kube_proxy_config.KubeProxyError):
            parse(data)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["IPVS", "conntrack", "Linux", "tcpTimeout", "x"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["IPVS", "ipvs", "Conntrack", "linux", "x"]), JSON, max_size=3))
def test_no_configuration_makes_the_readers_raise_anything_else(config):
    for read in (kube_proxy_config.ipvs_timeouts, kube_proxy_config.conntrack):
        with contextlib.suppress(kube_proxy_config.KubeProxyError):
            read(config)
