# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the programs do to real connections of processes in a cgroup of the test's own."""

import hashlib
import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import HIGHEST, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import sock_ops
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._own_cgroup import (
    KERNEL,
    OURS,
    WANTED,
    attach_foreign,
    attach_marker,
    attach_ours,
    connect,
    opened,
    own_cgroup,
)

READS_OWN = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2]) >= (6, 1)
needs_reading = pytest.mark.skipif(not READS_OWN, reason="before 6.1 a program cannot read a connection's keepalive")


def keepalive(sock, *values):
    """Set TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT as far as given, then SO_KEEPALIVE."""
    for option, value in zip((socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT), values):
        sock.setsockopt(socket.IPPROTO_TCP, option, value)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("169.254.77.77", id="IPv4"),
        pytest.param("fd00::6b61", id="IPv6"),
        pytest.param("::ffff:169.254.77.77", id="IPv4 on a socket of IPv6"),
    ],
)
def test_both_ends_of_a_connection_whose_programs_never_ask_get_it(address):
    with own_cgroup() as path:
        assert connect(path, address) == [KERNEL, KERNEL]
        attach_ours(path)
        assert connect(path, address) == [OURS, OURS]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1"])
def test_loopback_is_left_alone(address):
    with own_cgroup() as path:
        attach_ours(path)
        assert connect(path, address) == [KERNEL, KERNEL]


def test_processes_in_a_cgroup_below_get_it_too_and_others_do_not():
    with own_cgroup("/pod/container") as path, own_cgroup() as other:
        attach_ours(path)
        assert connect(path + "/pod/container") == [OURS, OURS]
        assert connect(other) == [KERNEL, KERNEL]


@pytest.mark.parametrize(
    ("ports", "left_alone"),
    [
        pytest.param((40000,), True, id="that of the listener"),
        pytest.param((9, 40001), True, id="that of the client"),
        pytest.param((9, 0x409C, 40002), False, id="others, and that in the wrong byte order"),
    ],
)
@pytest.mark.parametrize("address", ["169.254.77.77", "fd00::6b61"])
def test_an_excluded_port_at_either_end(ports, left_alone, address):
    with own_cgroup() as path:
        attach_ours(path, ports=ports)
        assert connect(path, address) == [KERNEL if left_alone else OURS] * 2


def test_an_excluded_cgroup_and_those_below_it_are_left_alone():
    with own_cgroup("/excluded/below", "/other") as path:
        attach_ours(path)
        attach_marker(path + "/excluded")
        assert connect(path + "/excluded") == [KERNEL, KERNEL]
        assert connect(path + "/excluded/below") == [KERNEL, KERNEL]
        assert connect(path + "/other") == [OURS, OURS]


def test_on_the_excluded_cgroup_alone_nothing_is_changed():
    with own_cgroup() as path:
        attach_marker(path)
        assert connect(path) == [KERNEL, KERNEL]


@pytest.mark.parametrize(
    ("own", "becomes"),
    [
        pytest.param((60, 10, 3), (60, 10, 3), id="sooner: kept whole"),
        pytest.param((600, 30, 2), (600, 30, 2), id="the same: kept whole"),
        pytest.param((7000, 10, 3), (600, 10, 9), id="a later time"),
        pytest.param((60, 75, 3), (60, 30, 9), id="a later intvl"),
        pytest.param((), (600, 30, 9), id="those of the kernel"),
    ],
)
@needs_reading
def test_what_a_program_has_set_before_is_never_made_later(own, becomes):
    def before(*, listener, client):
        keepalive(client, *own)
        keepalive(listener, *own)

    with own_cgroup() as path:
        attach_ours(path)
        assert [tuple(end)[1:] for end in connect(path, before=before)] == [(True, *becomes)] * 2


@needs_reading
def test_a_sooner_time_without_keepalive_is_turned_on():
    def before(client, **_others):
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)

    with own_cgroup() as path:
        attach_ours(path)
        assert connect(path, before=before) == [OURS._replace(time=60), OURS]


@pytest.mark.parametrize(
    ("time", "becomes"),
    [
        pytest.param("300", 300, id="a sooner one"),
        pytest.param("0", 600, id="one that breaks idle connections"),
        pytest.param("-1", 600, id="one below zero"),
    ],
)
@needs_reading
def test_the_sysctl_of_a_namespace_that_is_sooner_stays_unless_it_breaks_connections(time, becomes):
    def before(**_sockets):
        with open("/proc/sys/net/ipv4/tcp_keepalive_time", "w", encoding="ascii") as handle:
            handle.write(time)

    with own_cgroup() as path:
        attach_ours(path)
        assert connect(path, before=before) == [OURS._replace(time=becomes)] * 2


def test_what_a_program_sets_afterwards_stays():
    def before(**_sockets):
        def later(sock):
            keepalive(sock, 900, 60, 5)
            return [sock.getsockopt(socket.IPPROTO_TCP, option) for option in (4, 5, 6)]

        return [later]

    with own_cgroup() as path:
        attach_ours(path)
        assert connect(path, before=before) == [OURS, OURS, [900, 60, 5]]


@pytest.mark.parametrize("first", ["ours", "foreign"])
def test_the_program_of_somebody_else_works_beside_it(first):
    def before(**_sockets):
        return [lambda sock: sock.getsockopt(socket.IPPROTO_TCP, 18)]

    with own_cgroup() as path:
        for attach in (attach_ours, attach_foreign) if first == "ours" else (attach_foreign, attach_ours):
            attach(path)
        assert connect(path, before=before) == [OURS, OURS, 77000]


def test_the_timer_of_both_ends_runs():
    """getsockopt tells what is set, /proc/net/tcp whether the timer is armed (2: keepalive) and when it ends."""

    def before(**_sockets):
        def timers(_sock):
            with open("/proc/self/net/tcp", encoding="ascii") as handle:
                rows = [line.split() for line in handle][1:]
            return sorted(row[5].split(":")[0] for row in rows if row[3] == "01")

        return [timers]

    with own_cgroup() as path:
        attach_ours(path)
        assert connect(path, before=before)[2] == ["02", "02"]


@pytest.mark.parametrize("ports", [(), (443,), tuple(range(1, 257))])
@pytest.mark.parametrize("values", [WANTED, HIGHEST, Keepalive(1, 1, 1)])
def test_the_kernel_takes_it_and_gives_it_the_tag_that_is_foreseen(values, ports):
    with own_cgroup() as path, opened(path):
        found = attach_ours(path, values, ports)
        assert found.tag in sock_ops.tags(sock_ops.code_of(sock_ops.program(values, ports)))
        assert sock_ops.values_of(found.name) == values


def test_the_kernel_gives_the_program_of_excluded_cgroups_the_tag_that_is_foreseen():
    with own_cgroup() as path:
        assert attach_marker(path).tag in sock_ops.tags(sock_ops.code_of(sock_ops.marker()))


@given(*(st.integers(1, highest) for highest in HIGHEST))
def test_the_name_tells_the_keepalive(time, intvl, probes):
    name = sock_ops.name_of(Keepalive(time, intvl, probes))
    assert len(name) == 15
    assert sock_ops.values_of(name) == Keepalive(time, intvl, probes)


@pytest.mark.parametrize("name", ["", sock_ops.MARKER, "ka_0258_001e_0", "ka_0258_001e_09x", "ka_0258_001E_09"])
def test_the_name_of_another_program_tells_none(name):
    assert sock_ops.values_of(name) is None


# Written down once it had run on a real kernel: a change of these bytes is a change of what runs on nodes.
@pytest.mark.parametrize(
    ("byteorder", "hashed"),
    [
        ("little", "b38ff189b4baee025bcbfa028fad034b349873271cceed0dceee85dbf7c9c427"),
        ("big", "63b04fd623f78d10011fe58eb533134fde7548653689b32eb4ffea56cac53a47"),
    ],
)
def test_the_bytes_of_the_program(byteorder, hashed):
    code = sock_ops.code_of(sock_ops.program(WANTED, (), byteorder))
    assert (len(code), hashlib.sha256(code).hexdigest()) == (102 * 8, hashed)


def test_big_and_little_endian_bytes_are_the_same_instructions():
    for little, big in zip(sock_ops.program(WANTED, (443,), "little"), sock_ops.program(WANTED, (443,), "big")):
        code, registers = little[0][0], little[0][1]
        swapped = bytes([code, (registers & 15) << 4 | registers >> 4]) + little[0][3:1:-1] + little[0][:3:-1]
        assert (swapped, little[1]) == big


def test_the_program_of_excluded_cgroups_byte_by_byte():
    assert [code.hex() for code, _meaning in sock_ops.marker("little")] == [
        "6112000000000000",
        "1502010004000000",
        "5502020005000000",
        "b70200007865616b",
        "6321040000000000",
        "b700000001000000",
        "9500000000000000",
    ]


def test_every_instruction_has_a_meaning():
    assert [code.hex() for code, meaning in sock_ops.program(WANTED, (443,)) + sock_ops.marker() if not meaning] == []
