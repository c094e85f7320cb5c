# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive, is_late
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag, proc_tcp
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.netlink import (
    InterruptedDumpError,
    NetlinkError,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import at_risk, tallies
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.at_risk import AtRisk, Limits
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._open_clients import FAR, VIP, lines_of

NONE, RETRANSMIT, KEEPALIVE, PROBE = 0, 1, 2, 4
HERE, FAR_OFF, SERVICE = b"\x0a\x01\0\x01", b"\xc0\0\x02\x02", b"\x0a\x60\0\x0a"
LOOPBACK, LINK_LOCAL = b"\x7f\x60\0\x0a", b"\xa9\xfe\0\x01"
SIX = b"\xfd\0\0\x96" + b"\0" * 11 + b"\x10"
NAMES = {(SERVICE, 80): "10.96.0.10:80", (SIX, 0): "[fd00:96::10]:0", (LOOPBACK, 80): "127.96.0.10:80"}
NOW = Keepalive(600, 30, 9)
BOTH = Limits(900, 900, True)


def established(remote=SERVICE, port=80, timer=KEEPALIVE, gap=7200, local_port=40000, local=HERE):
    return Socket(2, local, local_port, remote, port, timer, gap * 1000, 0, 7, 0)


def listening(port):
    return Socket(2, bytes(4), port, bytes(4), 0, NONE, 0, 0, 1, 0)


def peers(*sockets, limits=BOTH, keepalive=NOW):
    found = at_risk.select(((each, None) for each in sockets), NAMES, keepalive, limits)
    return [each.peer for each in found if each.obstacle != "busy"]


SOCKETS = [
    pytest.param(established(), ["10.96.0.10:80"], id="a timer that ends after the limit"),
    pytest.param(established(gap=600), [], id="a timer that ends in time"),
    pytest.param(established(timer=NONE), ["10.96.0.10:80"], id="no keepalive"),
    pytest.param(established(timer=RETRANSMIT), [], id="data under way"),
    pytest.param(established(timer=PROBE), [], id="a probe of a closed window under way"),
    pytest.param(established(SIX, 443), ["[fd00:96::10]:0"], id="a service of any port"),
    pytest.param(established(FAR_OFF, 5432), ["192.0.2.2:5432"], id="another address"),
    pytest.param(established(HERE), [], id="an address of its own"),
    pytest.param(established(LINK_LOCAL), [], id="a link-local address"),
    pytest.param(established(LOOPBACK), [], id="loopback, though a service is there"),
    pytest.param(established(b"\0" * 15 + b"\1", 443), [], id="loopback of IPv6"),
]


@pytest.mark.parametrize(("found", "expected"), SOCKETS)
def test_which_sockets_are_at_risk(found, expected):
    assert peers(found) == expected


def test_what_came_in_is_at_risk_only_where_it_goes_to_a_service():
    accepted = [established(FAR_OFF, 50000, local_port=80), established(local_port=80)]
    assert peers(listening(80), *accepted) == ["10.96.0.10:80"]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        pytest.param(Limits(900, None, True), ["10.96.0.10:80"] * 2, id="nothing forgets the others"),
        pytest.param(Limits(None, 900, True), ["192.0.2.2:5432"] * 2, id="nothing forgets those to services"),
        pytest.param(Limits(900, 8200, False), ["10.96.0.10:80"], id="each has a limit, none without keepalive"),
        pytest.param(Limits(None, None, True), [], id="nothing forgets any"),
    ],
)
def test_each_kind_has_its_own_limit(limits, expected):
    both = [established(), established(FAR_OFF, 5432)]
    assert peers(*both, *(each._replace(timer=NONE) for each in both), limits=limits) == expected


@pytest.mark.parametrize(
    ("timer", "idle_ms", "obstacle"),
    [
        (KEEPALIVE, 900000, None),
        (KEEPALIVE, 900001, "forgotten"),
        (NONE, 900001, "forgotten"),
        pytest.param(NONE, None, None, id="nobody knows"),
    ],
)
def test_what_was_idle_for_longer_than_the_limit_is_forgotten(timer, idle_ms, obstacle):
    found = established(timer=timer)._replace(idle_ms=idle_ms)
    assert [each.obstacle for each in at_risk.select([(found, None)], NAMES, NOW, BOTH)] == [obstacle]


GAPS = st.integers(0, 127)  # which tallies counts exactly
ANY = st.builds(
    established,
    remote=st.sampled_from([SERVICE, SIX, FAR_OFF, HERE, LINK_LOCAL]),
    port=st.sampled_from([80, 443]),
    timer=st.sampled_from([NONE, RETRANSMIT, KEEPALIVE, PROBE]),
    gap=GAPS,
    local_port=st.sampled_from([80, 40000]),
)


@given(st.lists(ANY, max_size=20), st.booleans(), st.integers(10, 127), st.integers(10, 127))
def test_they_are_those_that_the_audit_counts(sockets, listens, time, limit):
    keepalive = Keepalive(time, 5, 9)
    everything = [listening(80)] * listens + sockets
    counted = tallies.tally(everything, NAMES)
    expected = 0
    for each in itertools.chain(counted.services.all, counted.outside.all):
        expected += each.without_keepalive
        expected += sum(number for gap, number in each.gaps if is_late(gap, keepalive, limit))
    assert len(peers(*everything, limits=Limits(limit, limit, True), keepalive=keepalive)) == expected


def test_more_than_are_wanted_are_only_counted(monkeypatch):
    monkeypatch.setattr(at_risk, "MAX_SOCKETS", 2)
    monkeypatch.setattr(inet_diag, "read_with_cookies", lambda: ((established(), 5) for _number in range(7)))
    found = at_risk.read(NAMES, True, NOW, BOTH)
    assert found == ([AtRisk(7, 5, "10.96.0.10:80")] * 2, 5, None)


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param([established()], [AtRisk(7, 5, "10.96.0.10:80")], id="its timer is late"),
        pytest.param([established(gap=600)], [], id="its timer is on time"),
        pytest.param([], [], id="it was closed"),
        pytest.param(
            [established(timer=RETRANSMIT)], [AtRisk(7, 5, "10.96.0.10:80", "busy")], id="data is under way again"
        ),
    ],
)
def test_where_data_is_under_way_it_looks_again(monkeypatch, second, expected):
    looks = [[established(timer=RETRANSMIT)], second]
    monkeypatch.setattr(inet_diag, "read_with_cookies", lambda: ((each, 5) for each in looks.pop(0)))
    assert at_risk.read(NAMES, True, NOW, BOTH).sockets == expected


def failing(error):
    yield established(), 1
    raise error


@pytest.mark.parametrize(
    ("error", "attempts"), [(NetlinkError("refused"), 1), (OSError(93, "x"), 1), (InterruptedDumpError("busy"), 3)]
)
def test_where_netlink_fails_the_file_is_read_and_knows_no_cookies(monkeypatch, error, attempts):
    asked = []
    monkeypatch.setattr(inet_diag, "read_with_cookies", lambda: (asked.append(1), failing(error))[1])
    monkeypatch.setattr(proc_tcp, "read", lambda _states: iter([established()]))
    assert at_risk.read(NAMES, True, NOW, BOTH) == ([AtRisk(7, None, "10.96.0.10:80")], 0, None)
    assert len(asked) == attempts


def test_netlink_is_not_asked_where_that_would_load_a_module(monkeypatch):
    monkeypatch.setattr(inet_diag, "read_with_cookies", lambda: pytest.fail("asked"))
    monkeypatch.setattr(proc_tcp, "read", lambda _states: iter([]))
    assert at_risk.read(NAMES, False, NOW, BOTH) == ([], 0, None)


def test_where_nothing_can_be_read_it_says_why(monkeypatch):
    def read(_states):
        raise PermissionError(13, "Permission denied", "/proc/net/tcp")

    monkeypatch.setattr(proc_tcp, "read", read)
    assert at_risk.read(NAMES, False, NOW, BOTH).error == "/proc/net/tcp: Permission denied"


@pytest.mark.parametrize("ask_netlink", [True, False])
def test_real_sockets_with_their_own_cookies(ask_netlink):
    code = (
        "server = listen('0.0.0.0')\nlate = Client(server)\nfar = Client(server, FAR, near=NEAR)\n"
        "loopback = Client(server, '127.0.0.1')\nown_address = Client(server, FAR)\nwrite_time(600)\n"
        "on_time = Client(server)\n"
        f"found = at_risk.read(NAMES, {ask_netlink}, own(), at_risk.Limits(900, 900, True))\n"
        "print(json.dumps([sorted(found.sockets), found.more, found.error]))\n"
        "told = []\n"
        "for each in (late, far):\n"
        "    process = pidfd.open_process(each.pid)\n"
        "    copy = socket_keepalive.of_descriptor(pidfd.duplicate(process, each.descriptor))\n"
        "    told.append(socket_keepalive.identity(copy))\n"
        "print(json.dumps(told))"
    )
    (sockets, more, error), told = lines_of(code)
    expected = [[*each, peer, None] for each, peer in zip(told, (f"{VIP}:80", f"{FAR}:80"))]
    if not ask_netlink:
        expected = [[inode, None, peer, None] for inode, _cookie, peer, _obstacle in expected]
    assert (sockets, more, error) == (sorted(expected), 0, None)
