# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import itertools
import pathlib
import socket
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_tables
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.ipvs_tables import (
    Expiring,
    RealServer,
    Service,
    parse_services,
)

FIXTURES = pathlib.Path(__file__).parents[1] / "fixtures"
KERNELS = sorted(path.name for path in FIXTURES.iterdir())

FIRST, SECOND = "10.2.0.2", "10.3.0.2"
EXPECTED = [
    Service("FWM", None, None, 7, "sh", "", [RealServer(SECOND, 8080, 1, 0, 0)]),
    Service(
        "TCP",
        "10.96.0.10",
        80,
        None,
        "rr",
        "",
        [RealServer(SECOND, 8080, 1, 2, 0), RealServer(FIRST, 8080, 1, 1, 1)],
    ),
    Service(
        "TCP",
        "10.96.0.10",
        443,
        None,
        "wlc",
        "persistent 150000 FFFFFFFF",
        [RealServer(SECOND, 8080, 1, 1, 0), RealServer(FIRST, 8080, 1, 0, 0)],
    ),
    Service("TCP", "fd00:96::10", 80, None, "rr", "", [RealServer("fd00:2::2", 8080, 1, 0, 0)]),
    Service("UDP", "10.96.0.10", 53, None, "rr", "", [RealServer(FIRST, 53, 1, 0, 1)]),
]


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_services_of_a_real_kernel(kernel):
    with open(str(FIXTURES / kernel / "proc_net_ip_vs.txt")) as lines:
        services = list(parse_services(lines))
    assert sorted(services, key=lambda service: (service.protocol, service.address or "", service.port or 0)) == sorted(
        EXPECTED, key=lambda service: (service.protocol, service.address or "", service.port or 0)
    )


SERVICES = [
    pytest.param("SCTP 0A60000A:0050 wrr \n", Service("SCTP", "10.96.0.10", 80, None, "wrr", "", []), id="SCTP"),
    pytest.param(
        "UDP  0A60000A:0035 rr ops \n", Service("UDP", "10.96.0.10", 53, None, "rr", "ops", []), id="one packet"
    ),
    pytest.param(
        "UDP  0A60000A:0035 rr ops persistent 90000 FFFFFF00\n",
        Service("UDP", "10.96.0.10", 53, None, "rr", "ops persistent 90000 FFFFFF00", []),
        id="one packet and persistent",
    ),
    pytest.param("FWM  FFFFFFFF none \n", Service("FWM", None, None, 4294967295, "none", "", []), id="no scheduler"),
    pytest.param(
        "TCP  [2001:0db8:0000:0000:0000:0000:0000:0001]:01BB mh persistent 150000 128\n",
        Service("TCP", "2001:db8::1", 443, None, "mh", "persistent 150000 128", []),
        id="IPv6",
    ),
]


@pytest.mark.parametrize(("line", "service"), SERVICES)
def test_a_kind_of_service(line, service):
    assert list(parse_services([line])) == [service]


REAL_SERVERS = [
    pytest.param(
        "  -> 0A030002:1F90      Masq    0      0          0         \n", (SECOND, 8080, 0, 0, 0), id="weight 0"
    ),
    pytest.param(
        "  -> 0A030002:0000      Route   65535  9          4294967295\n",
        (SECOND, 0, 65535, 9, 4294967295, "Route"),
        id="wide",
    ),
    pytest.param(
        "  -> 0A030002:0050      Local   1      0          0\n", (SECOND, 80, 1, 0, 0, "Local"), id="this node"
    ),
    pytest.param(
        "  -> [fd00:0002:0000:0000:0000:0000:0000:0002]:1F90      Tunnel  1      0          0\n",
        ("fd00:2::2", 8080, 1, 0, 0, "Tunnel"),
        id="an IPv6 server behind an IPv4 service",
    ),
]


@pytest.mark.parametrize(("line", "expected"), REAL_SERVERS)
def test_a_kind_of_real_server(line, expected):
    (service,) = parse_services(["TCP  0A60000A:0050 rr  \n", line])
    assert service.real_servers == [RealServer(*expected)]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("DCCP 0A60000A:0050 rr  \n", id="a protocol IPVS does not have"),
        pytest.param("TCP  10.96.0.10:80 rr\n", id="numbers as ipvsadm writes them"),
        pytest.param("TCP  [fd00::1::2]:0050 rr\n", id="no IPv6 address"),
        pytest.param("  -> 0A030002:1F90 Masq x 0 0\n", id="a weight that is no number"),
        pytest.param("  -> 0A03000:1F90 Masq 1 0 0\n", id="an address too short"),
        pytest.param("\N{REPLACEMENT CHARACTER}\n", id="rubbish"),
    ],
)
def test_a_line_that_makes_no_sense_is_counted_and_the_rest_still_counts(line):
    lines = [line, "TCP  0A60000A:0050 rr  \n", line]
    assert [each and each.port for each in parse_services(lines)] == [None, None, 80]


def test_a_real_server_without_a_service_is_counted_as_strange():
    assert list(parse_services(["  -> 0A030002:1F90      Masq    1      0          0\n"])) == [None]


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", ["proc_net_ip_vs_conn.txt", "proc_net_ip_vs_conn_sync.txt"])
def test_the_connections_of_a_real_kernel(kernel, name):
    with open(str(FIXTURES / kernel / name), "rb") as lines:
        connections, strange = ipvs_tables.count_connections(lines)
    assert connections.counts == {"TCP": {"ASSURED": 1, "ESTABLISHED": 4, "TIME_WAIT": 1}, "UDP": {"UDP": 1}}
    assert connections.cut_within == {"60": 0, "300": 0, "900": 4}
    assert sorted((each.service, each.real_server) for each in connections.idlest) == [
        ("10.96.0.10:443", f"{SECOND}:8080"),
        ("10.96.0.10:80", f"{FIRST}:8080"),
        ("10.96.0.10:80", f"{SECOND}:8080"),
        ("10.96.0.10:80", f"{SECOND}:8080"),
    ]
    assert {(each.client.partition(":")[0], each.seconds_left) for each in connections.idlest} == {("10.1.0.2", 895)}
    assert strange == 0


CONNECTION = b"TCP 0A010002 9844 0A60000A 0050 0A020002 1F90 ESTABLISHED     895\n"
NEVER = {"60": 0, "300": 0, "900": 0}
SAME = Expiring("10.1.0.2:38980", "10.96.0.10:80", "10.2.0.2:8080", 895)


def test_a_connection_over_ipv6_and_one_with_a_persistence_engine_count():
    six = b"fd00:0096:0000:0000:0000:0000:0000:0010"
    lines = [
        b"TCP " + six + b" 9844 " + six + b" 0050 " + six + b" 1F90 CLOSE_WAIT      59\n",
        b"UDP 0A010002 9844 0A60000A 13C4 0A020002 13C4 UDP             298 sip 3848276298220188511@atlanta\n",
    ]
    assert ipvs_tables.count_connections(lines) == (({"TCP": {"CLOSE_WAIT": 1}, "UDP": {"UDP": 1}}, NEVER, [], {}), 0)


def expiring(*columns):
    return [b"TCP 0A010002 9844 0A60000A 0050 0A020002 1F90 " + each + b"\n" for each in columns]


@pytest.mark.parametrize(
    ("lines", "within"),
    [
        pytest.param(
            expiring(*(b"ESTABLISHED %7d" % seconds for seconds in (0, 59, 60, 61, 300, 301, 900, 901, 2147483))),
            (3, 5, 7),
            id="each limit counts itself and all below it",
        ),
        pytest.param(
            expiring(b"TIME_WAIT         5", b"ASSURED          9"), (0, 0, 0), id="other states do not count"
        ),
        pytest.param(
            [b"SCTP 0A010002 9844 0A60000A 0050 0A020002 1F90 ESTABLISHED       5\n"],
            (0, 0, 0),
            id="SCTP does not count",
        ),
        pytest.param(expiring(b"ESTABLISHED     100 sip 7"), (0, 1, 1), id="a persistence engine follows"),
        pytest.param(expiring(b"ESTABLISHED SYNC      100"), (0, 1, 1), id="an origin goes before"),
        pytest.param(
            expiring(b"ESTABLISHED", b"ESTABLISHED soon", b"ESTABLISHED " + b"9" * 5000),
            (0, 0, 0),
            id="no time to be seen counts as for ever",
        ),
        pytest.param(expiring(b"ESTABLISHED -7"), (1, 1, 1), id="a time below zero is over"),
    ],
)
def test_how_many_will_be_cut_soon(lines, within):
    assert ipvs_tables.count_connections(lines)[0].cut_within == dict(zip(("60", "300", "900"), within))


def client(number, seconds):
    return b"TCP 0A01%04X 9C40 0A60000A 0050 0A020002 1F90 ESTABLISHED %7d\n" % (number, seconds)


SIX_LINE = (
    b"TCP fd00:0001:0000:0000:0000:0000:0000:0002 9C40 fd00:0096:0000:0000:0000:0000:0000:0010 01BB "
    b"fd00:0002:0000:0000:0000:0000:0000:0002 1F90 ESTABLISHED     100\n"
)
SIX = Expiring("[fd00:1::2]:40000", "[fd00:96::10]:443", "[fd00:2::2]:8080", 100)
LONG_IDLE = 500


def four(number, seconds):
    return Expiring(f"10.1.0.{number}:40000", "10.96.0.10:80", "10.2.0.2:8080", seconds)


@pytest.mark.parametrize(
    ("lines", "idlest"),
    [
        pytest.param(
            [client(1, 300), client(2, 7200), client(3, 9)], [four(3, 9), four(1, 300), four(2, 7200)], id="IPv4"
        ),
        pytest.param([client(1, 101), SIX_LINE], [SIX, four(1, 101)], id="IPv6"),
        pytest.param(
            [*(client(number, LONG_IDLE - number) for number in range(60)), client(200, 900)],
            [four(number, LONG_IDLE - number) for number in range(59, 39, -1)],
            id="the twenty with the least left of many, each idler than the one before",
        ),
        pytest.param(
            [client(number, LONG_IDLE + number) for number in range(60)],
            [four(number, LONG_IDLE + number) for number in range(20)],
            id="the idlest come first",
        ),
        pytest.param(expiring(b"TIME_WAIT         5", b"ESTABLISHED soon"), [], id="another state, and no time"),
        pytest.param(
            [CONNECTION.replace(b"0A010002", b"10.1.0.2"), CONNECTION.replace(b"0050", b"http"), client(1, 9)],
            [four(1, 9)],
            id="what is no address or port is not listed",
        ),
    ],
)
def test_which_are_idle_longest(lines, idlest):
    assert ipvs_tables.count_connections(lines)[0].idlest == idlest


def test_lines_that_are_no_connections_are_counted():
    lines = [b"TCP short\n", b"tcp 1 2 3 4 5 6 lower 1\n", b"\xff 1 2 3 4 5 6 \xfe 1\n", b"\n", CONNECTION]
    assert ipvs_tables.count_connections(lines) == (
        ({"TCP": {"ESTABLISHED": 1}}, {"60": 0, "300": 0, "900": 1}, [SAME], {}),
        4,
    )


def test_a_table_that_is_not_read_in_time_is_not_taken_for_all_of_it(tmp_path, monkeypatch):
    table = tmp_path / "ip_vs_conn"
    table.write_text("line\n" * 1000)
    assert len(list(ipvs_tables.walk(str(table)))) == 1000
    times = iter([0, 1, 31])
    monkeypatch.setattr(ipvs_tables.time, "monotonic", lambda: next(times))
    lines = ipvs_tables.walk(str(table))
    assert [next(lines) for _line in range(256)] == [b"line\n"] * 256
    with pytest.raises(OSError, match="not all of it was read within 30 s"):
        next(lines)


def test_a_huge_table_is_never_held():
    lines = itertools.chain([b"Pro FromIP ...\n"], itertools.repeat(CONNECTION, 40000))
    tracemalloc.start()
    connections, strange = ipvs_tables.count_connections(lines)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert connections == ({"TCP": {"ESTABLISHED": 40000}}, {"60": 0, "300": 0, "900": 40000}, [SAME] * 20, {})
    assert strange == 1
    assert peak_bytes < 100000


def render(service):
    """The lines of one service as ip_vs_info_seq_show in the kernel's net/netfilter/ipvs/ip_vs_ctl.c prints them."""
    if service.protocol == "FWM":
        yield f"FWM  {service.fwmark:08X} {service.scheduler} {service.flags}\n"
    else:
        where = f"{render_address(service.address)}:{service.port:04X}"
        yield f"{service.protocol}  {where} {service.scheduler} {service.flags}\n"
    for server in service.real_servers:
        counts = f"{server.forward:<7} {server.weight:<6} {server.active:<10} {server.inactive:<10}"
        yield f"  -> {render_address(server.address)}:{server.port:04X}      {counts}\n"


def render_address(address):
    if ":" not in address:
        return socket.inet_aton(address).hex().upper()
    digits = socket.inet_pton(socket.AF_INET6, address).hex()
    return "[" + ":".join(digits[start : start + 4] for start in range(0, 32, 4)) + "]"


ADDRESSES = st.one_of(
    st.binary(min_size=4, max_size=4).map(socket.inet_ntoa),
    st.binary(min_size=16, max_size=16).map(lambda raw: socket.inet_ntop(socket.AF_INET6, raw)),
)
PORTS = st.integers(0, 65535)
COUNTS = st.integers(0, (1 << 32) - 1)
FORWARDS = st.sampled_from(["Masq", "Local", "Tunnel", "Route"])
SERVERS = st.builds(RealServer, ADDRESSES, PORTS, PORTS, COUNTS, COUNTS, FORWARDS)
REST = (
    st.sampled_from(["rr", "wlc", "none"]),
    st.sampled_from(["", "ops", "persistent 3 FF"]),
    st.lists(SERVERS, max_size=2),
)
ANY_SERVICE = st.one_of(
    st.builds(Service, st.sampled_from(["TCP", "UDP", "SCTP"]), ADDRESSES, PORTS, st.none(), *REST),
    st.builds(Service, st.just("FWM"), st.none(), st.none(), COUNTS, *REST),
)


@given(st.lists(ANY_SERVICE, max_size=3))
def test_written_services_are_read_again(services):
    lines = itertools.chain.from_iterable(render(service) for service in services)
    assert list(parse_services(lines)) == services


@given(st.lists(st.text(max_size=40), max_size=6), st.lists(st.binary(max_size=60), max_size=6))
def test_no_lines_make_the_parsers_raise(texts, raws):
    assert len(list(parse_services(texts))) <= len(texts)
    connections, strange = ipvs_tables.count_connections(raws)
    assert strange + sum(sum(states.values()) for states in connections.counts.values()) <= len(raws)


HEAD = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"


def test_what_connections_to_some_servers_have_left():
    lines = [
        HEAD,
        b"TCP 0A020001 9C40 0A600001 01BB 0A020005 1F90 ESTABLISHED     812\n",
        b"TCP 0A020001 9C41 0A600001 01BB 0A020005 1F90 FIN_WAIT         12\n",
        b"TCP 0A020001 9C42 0A600001 01BB 0A020006 1F90 ESTABLISHED     899\n",
        b"UDP 0A020001 9C43 0A600001 0035 0A020005 1F90 UDP             200\n",
        (
            b"TCP fd00:0000:0000:0000:0000:0000:0000:0001 9C40 fd00:0000:0000:0000:0000:0000:0000:0060 01BB "
            b"fd00:0000:0000:0000:0000:0000:0000:00ab 1F90 CLOSE_WAIT       7\n"
        ),
        b"TCP 0A020001 9C44 0A600001 01BB 0A020005 1F90 ESTABLISHED  nonsense\n",
    ]
    servers = ["10.2.0.5:8080", "[fd00::ab]:8080", "10.2.0.9:80"]
    found, _strange = ipvs_tables.count_connections(lines, servers)
    assert found.longest_left == {
        ("TCP", "10.2.0.5:8080"): 812,
        ("UDP", "10.2.0.5:8080"): 200,
        ("TCP", "[fd00::ab]:8080"): 7,
    }
    assert ipvs_tables.count_connections(lines)[0].longest_left == {}
