# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import socket

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import HIGHEST, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import socket_keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.socket_keepalive import Armed
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._real_sockets import ISOLATED, lines_of


@pytest.fixture
def pair():
    """Both ends of a connection through loopback."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(1)
        client = socket.create_connection(server.getsockname())
        accepted = server.accept()[0]
    yield client, accepted
    client.close()
    accepted.close()


def test_what_is_set_is_read(pair):
    assert socket_keepalive.read(pair[0]).asked is False
    socket_keepalive.arm(pair[0], Keepalive(600, 30, 9))
    assert socket_keepalive.read(pair[0]) == Armed(True, Keepalive(600, 30, 9))
    assert socket_keepalive.read(pair[1]).asked is False


@pytest.mark.parametrize("asked", [0, 1])
def test_where_a_value_is_refused_everything_stays_as_it_was(pair, asked):
    pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, asked)
    before = socket_keepalive.read(pair[0])
    with pytest.raises(OSError, match="Invalid argument"):
        socket_keepalive.arm(pair[0], HIGHEST._replace(time=HIGHEST.time + 1))
    assert socket_keepalive.read(pair[0]) == before


def test_the_highest_values_are_taken(pair):
    socket_keepalive.arm(pair[0], HIGHEST)
    assert socket_keepalive.read(pair[0]) == Armed(True, HIGHEST)


def test_two_sockets_differ_in_inode_and_cookie_and_a_duplicate_in_neither(pair):
    with pair[0].dup() as copy:
        assert socket_keepalive.identity(copy) == socket_keepalive.identity(pair[0])
    inodes, cookies = zip(*(socket_keepalive.identity(each) for each in pair))
    assert inodes[0] == os.fstat(pair[0].fileno()).st_ino
    assert len(set(inodes)) == len(set(cookies)) == 2
    assert None not in cookies


def test_a_pipe_is_no_socket():
    reading, writing = os.pipe()
    os.close(writing)
    try:
        connection = socket_keepalive.of_descriptor(reading)
    except OSError:
        os.close(reading)
    else:
        with connection, pytest.raises(OSError, match="Socket operation on non-socket"):
            socket_keepalive.identity(connection)


def test_a_connection_is_established_until_one_end_closes_it(pair):
    assert [socket_keepalive.is_established(each) for each in pair] == [True, True]
    pair[0].shutdown(socket.SHUT_WR)
    assert socket_keepalive.is_established(pair[0]) is False


def test_a_socket_that_listens_is_not_established():
    with socket.socket() as server:
        server.listen(1)
        assert socket_keepalive.is_established(server) is False


def test_a_socket_of_another_family_has_no_tcp_options():
    one, other = socket.socketpair()
    with one, other, socket_keepalive.of_descriptor(one.detach()) as taken, pytest.raises(
        OSError, match="not supported"
    ):
        socket_keepalive.read(taken)


TIMERS = [
    pytest.param(False, "", id="it never asked"),
    pytest.param(True, "", id="it was armed with the kernel's default"),
    pytest.param(True, "accepted.send(b'x'); client.recv(9)\n", id="data came meanwhile"),
]


@pytest.mark.parametrize("reader", ["inet_diag", "proc_tcp"])
@pytest.mark.parametrize(("keepalive", "meanwhile"), TIMERS)
def test_the_timer_ends_so_long_after_the_last_packet(reader, keepalive, meanwhile):
    code = (
        f"client, accepted = connect(listen('127.0.0.1'), '127.0.0.1', {keepalive})\n"
        f"{meanwhile}last = time.monotonic()\ntime.sleep(2)\n"
        "socket_keepalive.arm(client, Keepalive(600, 30, 9))\n"
        f"show({reader}.read, client)\n"
        "print(time.monotonic() - last)"
    )
    rooms = f"_kernel.{reader}, _kernel.socket_keepalive, _common.keepalive"
    (found,), idle = lines_of(rooms, "Keepalive = keepalive.Keepalive\n" + code, ISOLATED)
    timer, expires_ms = found[5:7]
    assert timer == 2
    assert 600000 - idle * 1000 - 200 <= expires_ms <= 598100
