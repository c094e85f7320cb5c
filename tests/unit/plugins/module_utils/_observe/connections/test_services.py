# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json
import pathlib
import tracemalloc

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import services
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.services import (
    Draining,
    Totals,
)

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"
VIP, VIP6 = b"\x0a\x60\0\x0a", b"\xfd\0\0\x96" + b"\0" * 11 + b"\x10"


def lines(service, *servers):
    """A service and its real servers of weight, active and inactive connections, as the kernel prints them."""
    yield service + "\n"
    for number, (weight, active, inactive) in enumerate(servers, start=1):
        yield f"  -> 0A02{number:04X}:1F90      Masq    {weight:<6} {active:<10} {inactive:<10}\n"


def totals(*several):
    seen, strange = services.sum_up(line for each in several for line in each)
    assert strange == 0
    return seen.totals


@pytest.mark.parametrize("kernel", sorted(path.name for path in FIXTURES.iterdir()))
def test_the_services_of_a_real_kernel(kernel):
    with open(str(FIXTURES / kernel / "proc_net_ip_vs.txt")) as table:
        seen, strange = services.sum_up(table)
    assert (strange, seen.draining, seen.marks) == (0, [], [7])
    assert seen.totals == Totals(services=5, real_servers=7, persistent=1, scattering=1, tcp_services=4)
    assert sorted(seen.addresses) == [(VIP, 80), (VIP, 443), (VIP6, 80)]
    assert {
        "protocol": "TCP",
        "address": "10.96.0.10",
        "port": 443,
        "fwmark": None,
        "scheduler": "wlc",
        "flags": "persistent 150000 FFFFFFFF",
        "real_servers": 2,
    } in seen.rows


TWO = (1, 4, 0), (1, 3, 0)


@pytest.mark.parametrize(
    ("service", "servers", "scattering"),
    [
        pytest.param("TCP  0A60000A:0050 rr  ", TWO, True, id="two real servers"),
        pytest.param("FWM  00000007 wlc  ", TWO, True, id="by firewall mark"),
        pytest.param("TCP  0A60000A:0050 rr  ", TWO[:1], False, id="a single real server"),
        pytest.param("TCP  0A60000A:0050 rr  ", ((1, 4, 0), (0, 9, 0)), False, id="one that drains"),
        pytest.param("UDP  0A60000A:0035 rr  ", TWO, False, id="datagrams"),
        pytest.param("SCTP 0A60000A:0050 rr  ", TWO, False, id="SCTP"),
        pytest.param("TCP  0A60000A:0050 sh (flag-1,flag-2)", TWO, False, id="by the source's address"),
        pytest.param("TCP  0A60000A:0050 mh  ", TWO, False, id="by the source's address, Maglev"),
        pytest.param("TCP  0A60000A:0050 dh  ", TWO, False, id="by the service's address"),
        pytest.param("TCP  0A60000A:0050 rr persistent 150000 FFFFFFFF", TWO, False, id="session affinity"),
    ],
)
def test_whether_a_forgotten_connection_may_get_another_real_server(service, servers, scattering):
    assert totals(lines(service, *servers)).scattering == int(scattering)


@pytest.mark.parametrize(
    ("flags", "persistent"), [("", 0), ("ops", 0), ("persistent 150000 FFFFFFFF", 1), ("ops persistent 9 128", 1)]
)
def test_session_affinity(flags, persistent):
    assert totals(lines(f"UDP  0A60000A:0035 rr {flags}", *TWO)).persistent == persistent


@pytest.mark.parametrize(
    ("service", "carries"),
    [
        ("TCP  0A60000A:0050 rr  ", 1),
        ("FWM  00000007 rr  ", 1),
        ("UDP  0A60000A:0035 rr  ", 0),
        ("SCTP 0A60000A:0050 rr  ", 0),
        ("UDP  [fd00:0096:0000:0000:0000:0000:0000:0010]:0035 rr  ", 0),
    ],
)
def test_a_service_that_may_carry_tcp(service, carries):
    seen = totals(lines(service, *TWO))
    assert (seen.services, seen.tcp_services) == (1, carries)


def test_real_servers_that_drain_are_those_of_weight_0_with_connections_the_most_first():
    seen, strange = services.sum_up(
        [
            *lines("TCP  0A60000A:0050 rr  ", (0, 2, 1), (0, 0, 0), (1, 5, 5), (0, 40, 0)),
            *lines("UDP  [fd00:0096:0000:0000:0000:0000:0000:0010]:0035 rr  ", (0, 0, 3)),
            *lines("FWM  00000007 rr  ", (0, 0, 9)),
        ]
    )
    assert strange == 0
    assert seen.draining == [
        Draining("TCP", "10.96.0.10:80", "10.2.0.4:8080", 40, 0),
        Draining("FWM", "fwmark 7", "10.2.0.1:8080", 0, 9),
        Draining("TCP", "10.96.0.10:80", "10.2.0.1:8080", 2, 1),
        Draining("UDP", "[fd00:96::10]:53", "10.2.0.1:8080", 0, 3),
    ]
    assert (seen.totals.draining, seen.totals.draining_connections) == (4, 55)


def test_of_very_many_that_drain_those_with_most_connections_are_listed():
    seen, _strange = services.sum_up(lines("TCP  0A60000A:0050 rr  ", *((0, n, 0) for n in range(1000))))
    assert [each.active for each in seen.draining] == list(range(999, 799, -1))
    assert (seen.totals.draining, seen.totals.draining_connections) == (999, sum(range(1000)))


def test_lines_that_make_no_sense_are_counted_and_the_rest_still_counts():
    seen, strange = services.sum_up(["nonsense\n", *lines("TCP  0A60000A:0050 rr  ", *TWO), "nonsense\n"])
    assert (strange, seen.totals) == (2, Totals(services=1, real_servers=2, scattering=1, tcp_services=1))


def many():
    for number in range(2000):
        yield from lines(f"TCP  0A60{number:04X}:0050 rr  ", *([(1, 1, 0)] * 9), (0, 3, 0))


def test_many_services_make_few_rows_and_are_never_held():
    tracemalloc.start()
    seen, strange = services.sum_up(many())
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (strange, len(seen.addresses)) == (0, 2000)
    assert seen.totals == Totals(2000, 20000, 0, 2000, 2000, 6000, 2000)
    assert peak_bytes < 800000
    plain = services.as_plain(seen)
    assert (len(plain["services"]), plain["services_omitted"], len(plain["draining"])) == (100, 1900, 200)
    assert [each["port"] for each in plain["services"]] == [80] * 100
    assert len(json.dumps(plain)) < 50000
