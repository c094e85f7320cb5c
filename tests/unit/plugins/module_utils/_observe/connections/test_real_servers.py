# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pathlib

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import real_servers

FIXTURES = pathlib.Path(__file__).parents[2] / "fixtures"
HTTP, HTTPS, SIX = "10.96.0.10:80", "10.96.0.10:443", "[fd00:96::10]:80"
FIRST, SECOND = "10.2.0.1:8080", "10.2.0.2:8080"


def server(number, active=1, inactive=0, weight=1, forward="Masq"):
    return b"  -> 0A02%04X:1F90      %-7s %-6d %-10d %-10d\n" % (number, forward.encode(), weight, active, inactive)


def found(*lines, names=(HTTP,)):
    return [tuple(each) for each in real_servers.find(lines, names)]


WEB = b"TCP  0A60000A:0050 rr  \n"
OTHER = b"TCP  0A60000B:0050 rr  \n"
HEADER = b"IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n".splitlines(True)


@pytest.mark.parametrize("kernel", sorted(path.name for path in FIXTURES.iterdir()))
def test_the_table_of_a_real_kernel(kernel):
    with open(str(FIXTURES / kernel / "proc_net_ip_vs.txt"), "rb") as lines:
        seen = real_servers.find([line for line in lines if b"FWM" not in line], [HTTP, HTTPS, "10.96.0.99:80"])
    assert sorted((each.service, sorted(each.addresses), each.whole) for each in seen) == [
        (HTTPS, ["10.3.0.2:8080"], True),
        (HTTP, ["10.2.0.2:8080", "10.3.0.2:8080"], True),
    ]


ROWS = [
    pytest.param([*HEADER, WEB, server(1), server(2)], [FIRST, SECOND], True, id="two with connections"),
    pytest.param([WEB, server(1), server(2, active=0)], [FIRST], True, id="one without connections"),
    pytest.param([WEB, server(1, 0, 4), server(2, weight=0)], [FIRST, SECOND], True, id="one that drains"),
    pytest.param([OTHER, server(9), WEB, server(1), OTHER, server(8)], [FIRST], True, id="among others"),
    pytest.param([WEB, server(1), server(2, forward="Route")], [FIRST, SECOND], False, id="direct routing"),
    pytest.param([WEB, server(1, forward="Local")], [FIRST], False, id="the node itself"),
    pytest.param([WEB, server(1), b"  -> nonsense\n"], [FIRST], False, id="a line that makes no sense"),
    pytest.param([WEB, server(1), b"FWM  00000007 rr \n", server(2)], [FIRST], False, id="a firewall mark"),
    pytest.param([WEB], [], True, id="no real server"),
]


@pytest.mark.parametrize(("lines", "addresses", "whole"), ROWS)
def test_the_real_servers_that_have_connections(lines, addresses, whole):
    assert found(*lines) == [(HTTP, addresses, whole)]


def test_a_service_of_another_protocol_at_the_same_address_is_none():
    assert found(b"UDP  0A60000A:0050 rr  \n", server(1)) == []


def test_ipv6():
    lines = [
        b"TCP  [fd00:0096:0000:0000:0000:0000:0000:0010]:0050 rr \n",
        b"  -> [fd00:0002:0000:0000:0000:0000:0000:0002]:1F90      Masq    1      3          0\n",
    ]
    assert found(*lines, names=[SIX]) == [(SIX, ["[fd00:2::2]:8080"], True)]


def test_a_service_with_too_many_is_left_out_and_no_half_of_it_is_told(monkeypatch):
    monkeypatch.setattr(real_servers, "MAX_ADDRESSES", 2)
    lines = [WEB, server(1), server(2), server(3), OTHER, server(4), server(5)]
    assert [each[0] for each in found(*lines, names=[HTTP, "10.96.0.11:80"])] == ["10.96.0.11:80"]


def test_where_there_is_no_ipvs_there_is_none():
    assert real_servers.read([HTTP]) == []
