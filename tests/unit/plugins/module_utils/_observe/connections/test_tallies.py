# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import tracemalloc

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import tallies

VIP, OTHER = b"\x0a\x60\0\x0a", b"\x0a\x60\0\x0b"
SIX = b"\xfd\0\0\x96" + b"\0" * 11 + b"\x10"
NAMES = {(VIP, 80): "10.96.0.10:80", (SIX, 443): "[fd00:96::10]:443"}
NONE, RETRANSMIT, KEEPALIVE, PROBE = 0, 1, 2, 4


def established(remote=VIP, port=80, timer=KEEPALIVE, expires_ms=600000, idle_ms=0, inode=0):
    return Socket(2, b"\x7f\0\0\x01", 40000, remote, port, timer, expires_ms, 0, inode, idle_ms)


def tallied(*sockets, names=None):
    count = tallies.tally(sockets, NAMES if names is None else names)
    return {
        name: (each.connections, each.without_keepalive, each.in_flight, each.gaps)
        for name, each in count.services.tallies.items()
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


def test_of_sockets_that_listen_so_many_are_remembered(monkeypatch):
    monkeypatch.setattr(tallies, "MAX_LISTENING", 1)
    listening = tallies.Listening()
    for port in (80, 81):
        listening.add(established(port=0)._replace(local_port=port))
    assert [listening.has(established()._replace(local_port=port)) for port in (80, 81)] == [True, False]


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


def test_of_many_sockets_those_with_the_longest_gaps_are_named(monkeypatch):
    monkeypatch.setattr(tallies, "MAX_NAMED", 2)
    sockets = [established(expires_ms=gap * 1000, inode=gap) for gap in (5, 9, 7, 8, 1)]
    sockets += [established(timer=NONE, inode=inode) for inode in (100, 101, 102)]
    named = tallies.tally(sockets, NAMES).services.named
    assert sorted(inode for _gap, inode, _name in named) == [8, 9, 100, 101]


HERE, THERE = b"\xc0\0\2\1", b"\xc0\0\2\2"


def connection(remote, port=5432, local=HERE, local_port=40000, timer=NONE):
    return Socket(2, local, local_port, remote, port, timer, 0, 0, 0, 0)


def listener(port):
    return Socket(2, b"\0" * 4, port, b"\0" * 4, 0, 0, 0, 0, 0, None)


def six(*head, tail=()):
    return bytes(head) + bytes(16 - len(head) - len(tail)) + bytes(tail)


LEAVES = [
    pytest.param(THERE, HERE, True, id="another address"),
    pytest.param(HERE, HERE, False, id="its own address"),
    pytest.param(b"\x7f\x08\0\1", b"\x7f\0\0\1", False, id="loopback"),
    pytest.param(b"\x80\0\0\1", HERE, True, id="right after loopback"),
    pytest.param(b"\xa9\xfe\xa9\xfe", HERE, False, id="a cloud's metadata: link-local"),
    pytest.param(six(tail=[1]), six(tail=[1]), False, id="IPv6 loopback"),
    pytest.param(six(tail=[1]), six(0xFD, tail=[9]), False, id="IPv6 loopback from another address"),
    pytest.param(six(0xFE, 0xBF, tail=[1]), six(0xFE, 0x80, tail=[2]), False, id="IPv6 link-local"),
    pytest.param(six(0xFE, 0xC0, tail=[1]), six(0xFD, tail=[2]), True, id="right after IPv6 link-local"),
    pytest.param(six(0x20, 1, tail=[2]), six(0x20, 1, tail=[1]), True, id="IPv6"),
]


@pytest.mark.parametrize(("remote", "local", "leaves"), LEAVES)
def test_what_leaves_a_namespace(remote, local, leaves):
    count = tallies.tally([connection(remote, local=local)], NAMES)
    assert (list(count.outside.tallies), count.connections) == ([(remote, 5432)] if leaves else [], 1)


def test_what_came_in_at_a_port_that_listens_is_accepted():
    found = [listener(8080), listener(8080), connection(THERE, 50000, local_port=8080), connection(THERE, 8080)]
    count = tallies.tally(found, NAMES)
    assert (count.connections, count.accepted, list(count.outside.tallies)) == (2, 1, [(THERE, 8080)])


def test_a_namespace_with_any_number_of_peers_does_not_fill_the_memory():
    def peers():
        for number in range(100000):
            yield connection(b"\x0a" + number.to_bytes(3, "big"), timer=number % 3)
            if number % 20 == 0:
                yield connection(THERE)

    tracemalloc.start()
    try:
        outside = tallies.tally(peers(), {}).outside
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert len(outside.tallies) == tallies.MAX_OUTSIDE
    assert outside.tallies[THERE, 5432].without_keepalive == 5000, "the worst is counted exactly"
    assert sum(each.connections for each in outside.all) == 105000, "and none is lost"
    assert sum(each.in_flight for each in outside.all) == 33333


def accepted(remote=THERE, local=HERE, port=6379, timer=KEEPALIVE, seconds=300):
    return Socket(2, local, port, remote, 50000, timer, seconds * 1000, 0, 0, 0)


def accepting(*sockets, names=None):
    """By address and port: all, those that came straight from elsewhere, without keepalive, in flight, longest gap."""
    at = tallies.tally([listener(6379), *sockets], names or {}).accepting.at
    return {
        place: (each.connections, each.direct, each.without_keepalive, each.in_flight, each.longest_gap)
        for place, each in at.items()
    }


ACCEPTED = [
    pytest.param([accepted(), accepted(seconds=299)], (2, 2, 0, 0, 300), id="the longest counts"),
    pytest.param([accepted(), accepted(timer=NONE)], (2, 2, 1, 0, 300), id="one without SO_KEEPALIVE"),
    pytest.param([accepted(timer=RETRANSMIT), accepted(timer=PROBE)], (2, 2, 0, 2, 0), id="data is under way"),
    pytest.param([accepted(b"\x7f\0\0\6")], (1, 0, 0, 0, 300), id="from a proxy in the pod"),
    pytest.param([accepted(), accepted(HERE, timer=NONE)], (2, 1, 1, 0, 300), id="from its own address"),
    pytest.param([accepted(b"\xa9\xfe\7\x7f")], (1, 1, 0, 0, 300), id="from a link-local address"),
]


@pytest.mark.parametrize(("sockets", "expected"), ACCEPTED)
def test_what_a_server_accepted(sockets, expected):
    assert accepting(*sockets) == {(HERE, 6379): expected}


def test_what_was_accepted_is_told_by_address_and_port():
    sockets = [accepted(), accepted(local=OTHER), accepted(port=6380), accepted(local=b"\x7f\0\0\1")]
    assert sorted(accepting(*sockets)) == [(OTHER, 6379), (HERE, 6379)], "6380 does not listen, nobody knows loopback"


def test_what_comes_from_the_address_of_a_service_is_accepted_all_the_same():
    assert accepting(accepted(VIP), names={(VIP, 0): "any"}) == {(HERE, 6379): (1, 1, 0, 0, 300)}


def test_at_the_address_of_a_service_nothing_tells_of_clients_elsewhere():
    assert accepting(accepted(), names={(HERE, 6379): "a service"}) == {(HERE, 6379): (1, 0, 0, 0, 300)}


def test_a_server_with_any_number_of_addresses_does_not_fill_the_memory():
    def sockets():
        yield listener(6379)
        for number in range(100000):
            yield accepted(local=b"\x0a" + number.to_bytes(3, "big"))

    tracemalloc.start()
    try:
        found = tallies.tally(sockets(), {}).accepting
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert (len(found.at), found.rest) == (tallies.MAX_ACCEPTING, 100000 - tallies.MAX_ACCEPTING)
