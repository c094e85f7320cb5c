# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag, proc_tcp
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.netlink import (
    InterruptedDumpError,
    NetlinkError,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import sockets as tcp_sockets
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._real_sockets import lines_of

VIP, OTHER = b"\x0a\x60\0\x0a", b"\x0a\x60\0\x0b"
SIX = b"\xfd\0\0\x96" + b"\0" * 11 + b"\x10"
NAMES = {(VIP, 80): "10.96.0.10:80", (SIX, 443): "[fd00:96::10]:443"}
NONE, RETRANSMIT, KEEPALIVE, PROBE = 0, 1, 2, 4


def established(remote=VIP, port=80, timer=KEEPALIVE, expires_ms=600000, idle_ms=0, inode=0):
    return Socket(2, b"\x7f\0\0\x01", 40000, remote, port, timer, expires_ms, 0, inode, idle_ms)


def tallied(*sockets, names=None):
    count = tcp_sockets.tally(sockets, NAMES if names is None else names)
    return {
        name: (each.connections, each.without_keepalive, each.in_flight, each.gaps)
        for name, each in count.tallies.items()
    }


ROWS = [
    pytest.param([established(timer=NONE)], (1, 1, 0, []), id="no timer is no keepalive"),
    pytest.param([established()], (1, 0, 0, [(600, 1)]), id="a keepalive timer"),
    pytest.param(
        [established(timer=RETRANSMIT), established(timer=PROBE)],
        (2, 0, 2, []),
        id="other timers hide the keepalive timer",
    ),
    pytest.param([established(expires_ms=500000, idle_ms=100000)], (1, 0, 0, [(600, 1)]), id="the idle time counts"),
    pytest.param([established(expires_ms=599001, idle_ms=None)], (1, 0, 0, [(599, 1)]), id="an idle time not known"),
    pytest.param([established(expires_ms=600020)], (1, 0, 0, [(600, 1)]), id="a tick of the clock is no second"),
    pytest.param([established(expires_ms=600021)], (1, 0, 0, [(601, 1)]), id="more is one"),
    pytest.param([established(expires_ms=0)], (1, 0, 0, [(0, 1)]), id="a timer that ends now"),
]


@pytest.mark.parametrize(("sockets", "expected"), ROWS)
def test_a_socket_to_a_service(sockets, expected):
    assert tallied(*sockets) == {"10.96.0.10:80": expected}


def gaps(*seconds):
    return tallied(*(established(expires_ms=each * 1000) for each in seconds))["10.96.0.10:80"][3]


def test_gaps_that_are_nearly_as_long_are_put_together_under_the_longest_real_one():
    assert gaps(7200, 7199, 7168, 7167) == [(7167, 1), (7200, 3)]
    assert gaps(128, 129, 130) == [(129, 2), (130, 1)]
    assert gaps(126, 127, 128) == [(126, 1), (127, 1), (128, 1)]
    assert gaps(0, 1, 1) == [(0, 1), (1, 2)]


def test_however_many_gaps_there_are_few_numbers_tell_of_them():
    found = gaps(*range(32768))
    assert len(found) == 128 + 8 * 64
    assert sum(count for _seconds, count in found) == 32768
    assert found[-1][0] == 32767


MATCHES = [
    pytest.param(VIP, 80, {"10.96.0.10:80"}, id="address and port"),
    pytest.param(SIX, 443, {"[fd00:96::10]:443"}, id="IPv6"),
    pytest.param(VIP, 443, set(), id="another port"),
    pytest.param(OTHER, 80, set(), id="another address"),
    pytest.param(VIP + b"\0" * 12, 80, set(), id="an IPv6 address that begins alike"),
]


@pytest.mark.parametrize(("remote", "port", "services"), MATCHES)
def test_what_goes_to_a_service(remote, port, services):
    assert set(tallied(established(remote, port))) == services


def test_a_service_of_every_port_gets_what_no_other_has():
    names = {(VIP, 0): "10.96.0.10:0", (VIP, 80): "10.96.0.10:80"}
    assert set(tallied(established(port=80), established(port=81), names=names)) == {"10.96.0.10:80", "10.96.0.10:0"}


def concluded(sockets, names=None):
    return tcp_sockets._conclude(tcp_sockets.tally(sockets, NAMES if names is None else names), "sock_diag", [])


def test_the_worst_services_are_listed_and_the_others_counted():
    names = {(VIP, port): f"10.96.0.10:{port}" for port in range(1, 31)}
    sockets = [established(port=port, expires_ms=port * 1000) for port in range(1, 31)]
    sockets += [established(port=3, timer=NONE), established(port=2, timer=NONE), established(port=2, timer=NONE)]
    seen = concluded(sockets, names)
    assert [service.service for service in seen.services[:4]] == [
        "10.96.0.10:2",
        "10.96.0.10:3",
        "10.96.0.10:30",
        "10.96.0.10:29",
    ]
    assert (len(seen.services), seen.services_omitted) == (20, 10)
    assert (seen.connections, seen.to_services, seen.without_keepalive, seen.in_flight) == (33, 33, 3, 0)


def test_of_many_sockets_those_with_the_longest_gaps_are_named(monkeypatch):
    monkeypatch.setattr(tcp_sockets, "MAX_NAMED", 2)
    sockets = [established(expires_ms=gap * 1000, inode=gap) for gap in (5, 9, 7, 8, 1)]
    sockets += [established(timer=NONE, inode=inode) for inode in (100, 101, 102)]
    named = tcp_sockets.tally(sockets, NAMES).named
    assert sorted(inode for _gap, inode, _name in named) == [8, 9, 100, 101]


def failing(error):
    def read():
        yield established()
        raise error

    return read


def ways(monkeypatch, netlink, proc=None):
    asked = []

    def ask():
        asked.append(1)
        return netlink()

    monkeypatch.setattr(inet_diag, "read", ask)
    monkeypatch.setattr(proc_tcp, "read", proc or (lambda: iter([established(), established()])))
    return asked


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        pytest.param(NetlinkError("No such file or directory"), 1, id="the kernel refuses"),
        pytest.param(OSError(93, "Protocol not supported"), 1, id="the kernel has no netlink"),
        pytest.param(InterruptedDumpError("the table kept changing"), 3, id="the table never holds still"),
    ],
)
def test_where_netlink_fails_the_file_is_read(monkeypatch, error, attempts):
    asked = ways(monkeypatch, failing(error))
    seen = tcp_sockets.read(NAMES, True, [])
    assert (seen.connections, seen.sockets_from, seen.sockets_error) == (2, "/proc/net/tcp", None)
    assert len(asked) == attempts


def test_what_came_before_an_interruption_is_not_counted_twice(monkeypatch):
    answers = [failing(InterruptedDumpError("changed")), lambda: iter([established()])]

    def next_answer():
        return answers.pop(0)()

    ways(monkeypatch, next_answer)
    seen = tcp_sockets.read(NAMES, True, [])
    assert (seen.connections, seen.sockets_from) == (1, "sock_diag")


def test_netlink_is_not_asked_where_that_would_load_a_module(monkeypatch):
    asked = ways(monkeypatch, lambda: iter([established()]))
    assert tcp_sockets.read(NAMES, False, []).sockets_from == "/proc/net/tcp"
    assert asked == []


def test_where_nothing_can_be_read_it_says_why(monkeypatch):
    ways(monkeypatch, None, failing(PermissionError(13, "Permission denied", "/proc/net/tcp")))
    seen = tcp_sockets.read(NAMES, False, [])
    assert (seen.connections, seen.sockets_from) == (0, None)
    assert seen.sockets_error == "/proc/net/tcp: Permission denied"


@pytest.mark.parametrize("ask_netlink", [True, False])
def test_real_sockets_with_the_processes_that_have_them(ask_netlink):
    code = (
        "open('/proc/self/comm', 'w').write('client')\n"
        "server, six = listen('0.0.0.0', 80), listen('::1', 443)\n"
        "connect(server, '127.96.0.10'); connect(server, '127.96.0.10', keepalive=True)\n"
        "connect(server, '127.96.0.11', keepalive=True)\n"
        "connect(six, '::1', keepalive=True, idle=100)\n"
        "names = {(socket.inet_aton('127.96.0.10'), 80): '127.96.0.10:80',\n"
        "         (socket.inet_pton(socket.AF_INET6, '::1'), 443): '[::1]:443'}\n"
        "print(os.getpid())\n"
        f"print(json.dumps(tcp_sockets.as_plain(tcp_sockets.read(names, {ask_netlink}, [os.getpid(), 999999999]))))"
    )
    pid, row = lines_of("_observe.connections.sockets as tcp_sockets", code)
    first, second = row.pop("services")
    assert row == {
        "connections": 8,
        "to_services": 3,
        "without_keepalive": 1,
        "in_flight": 0,
        "services_omitted": 0,
        "sockets_from": "sock_diag" if ask_netlink else "/proc/net/tcp",
        "sockets_error": None,
        "rto": row["rto"],
    }
    [[longest, _count]] = first["gaps"]
    assert 7140 <= longest <= 7200
    assert first == {
        "service": "127.96.0.10:80",
        "connections": 2,
        "without_keepalive": 1,
        "in_flight": 0,
        "gaps": [[longest, 1]],
        "processes": [{"name": "client", "pid": pid, "without_keepalive": 1, "gap": longest}],
    }
    [[longest, _count]] = second["gaps"]
    assert 40 <= longest <= 100
    assert second["processes"] == [{"name": "client", "pid": pid, "without_keepalive": 0, "gap": longest}]


def test_sockets_that_are_closed_while_we_look_have_no_process():
    code = (
        "client, accepted = connect(listen('127.0.0.1'), '127.0.0.1')\n"
        "tally = tcp_sockets.tally\n"
        "def tally_and_close(*arguments):\n"
        "    count = tally(*arguments)\n"
        "    client.close()\n"
        "    return count\n"
        "tcp_sockets.tally = tally_and_close\n"
        "names = {(socket.inet_aton('127.0.0.1'), 80): 'service'}\n"
        "print(json.dumps(tcp_sockets.as_plain(tcp_sockets.read(names, True, [os.getpid()]))['services']))"
    )
    assert lines_of("_observe.connections.sockets as tcp_sockets", code) == [
        [{"service": "service", "connections": 1, "without_keepalive": 1, "in_flight": 0, "gaps": [], "processes": []}]
    ]


def test_a_row_is_plain_data():
    seen = concluded([established(), established(timer=NONE)])
    assert json.loads(json.dumps(tcp_sockets.as_plain(seen))) == tcp_sockets.as_plain(seen)
    assert tcp_sockets.as_plain(seen)["services"][0]["gaps"] == [[600, 1]]


def test_all_is_well_where_there_is_no_service():
    seen = tcp_sockets.read({}, inet_diag.loads_nothing(), [os.getpid()])
    assert (seen.to_services, seen.services, seen.sockets_error) == (0, [], None)
