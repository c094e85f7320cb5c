# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.round_trips import RoundTrips
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._real_sockets import lines_of

HERE, THERE = b"\x0a\0\0\1", b"\x0a\0\0\2"
NONE, RETRANSMIT, KEEPALIVE, PROBE = 0, 1, 2, 4


def summary(*sockets):
    seen = RoundTrips()
    for each in sockets:
        seen.add(each)
    return seen.summary()


def with_rto(rto_ms, timer=KEEPALIVE, remote=THERE):
    return Socket(2, HERE, 40000, remote, 80, timer, 0, 0, 0, 0, rto_ms)


def summed(sockets, p95_ms, max_ms):
    return {"sockets": sockets, "p95_ms": p95_ms, "max_ms": max_ms}


ROWS = [
    pytest.param([], None, id="no socket"),
    pytest.param([with_rto(204)], summed(1, 204, 204), id="one"),
    pytest.param([with_rto(204)] * 95 + [with_rto(3000)] * 5, summed(100, 204, 3008), id="5 of 100 are slow"),
    pytest.param([with_rto(204)] * 94 + [with_rto(400)] * 6, summed(100, 400, 400), id="6 of 100 are"),
    pytest.param([with_rto(1001)], summed(1, 1008, 1008), id="a long one is rounded up"),
    pytest.param([with_rto(204, timer=NONE)], summed(1, 204, 204), id="without SO_KEEPALIVE"),
    pytest.param([with_rto(6400, timer=RETRANSMIT), with_rto(800, timer=PROBE)], None, id="one that may be doubled"),
    pytest.param([with_rto(201, remote=HERE)], None, id="to the node's own address"),
    pytest.param([with_rto(None)], None, id="not read through netlink"),
]


@pytest.mark.parametrize(("sockets", "expected"), ROWS)
def test_the_time_outs_of_some_sockets(sockets, expected):
    assert summary(*sockets) == expected


def test_memory_does_not_grow_with_what_a_node_shows():
    seen = RoundTrips()
    for rto_ms in range(4_300_000):  # an unsigned 32-bit number of microseconds
        seen.add(with_rto(rto_ms))
    assert len(seen._steps) < 800


def test_real_sockets_say_what_the_kernel_says_of_each():
    code = (
        "client, accepted = connect(listen('127.0.0.1'), '127.0.0.1')\n"
        "print([int.from_bytes(end.getsockopt(socket.IPPROTO_TCP, 11, 104)[8:12], sys.byteorder) for end in"
        " (client, accepted)])\n"
        "show(inet_diag.read, client, accepted)"
    )
    microseconds, found = lines_of("_kernel.inet_diag", "import sys\n" + code)
    assert [Socket(*each).rto_ms for each in found] == [-(-each // 1000) for each in microseconds]
    assert all(200 < Socket(*each).rto_ms < 300 for each in found)
