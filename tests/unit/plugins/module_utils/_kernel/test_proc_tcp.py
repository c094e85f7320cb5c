# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import itertools
import sys
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import proc_tcp
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket

HEADER = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
# As Linux 6.18 wrote them on a little-endian machine.
FOUR = (
    b"   3: 0900600A:840C 0A00600A:0050 01 00000000:00000000 02:000AFC6E 00000000  1000        0 2069444 2 "
    b"0000000079b01ab4 20 4 30 11 -1\n"
)
MAPPED = (
    b"   1: 0000000000000000FFFF00000100007F:0050 0000000000000000FFFF00000A00600A:E430 01 00000001:00000002 "
    b"01:00000014 00000000     0        0 77 2 0000000079b01ab4 20 4 30 11 -1\n"
)
SIX = (
    b"   0: 00000000000000000000000001000000:DCC4 960000FD000000000000000010000000:01BB 01 00000000:00000000 "
    b"00:00000000 00000000     0        0 0 2 0000000079b01ab4 20 4 30 11 -1\n"
)
VIP = b"\x0a\x60\0\x0a"

LINES = [
    pytest.param(FOUR, 2, Socket(2, b"\x0a\x60\0\x09", 33804, VIP, 80, 2, 7199820, 1000, 2069444, None), id="IPv4"),
    pytest.param(MAPPED, 10, Socket(10, b"\x7f\0\0\x01", 80, VIP, 58416, 1, 200, 0, 77, None), id="IPv4 within IPv6"),
    pytest.param(
        SIX,
        10,
        Socket(
            10,
            b"\0" * 15 + b"\x01",
            56516,
            b"\xfd\0\0\x96" + b"\0" * 11 + b"\x10",
            443,
            0,
            0,
            0,
            0,
            None,
        ),
        id="IPv6",
    ),
]


@pytest.mark.parametrize(("line", "family", "expected"), LINES)
def test_a_line(monkeypatch, line, family, expected):
    monkeypatch.setattr(sys, "byteorder", "little")
    assert list(proc_tcp.parse([HEADER, line], family, ticks=100)) == [expected]


def test_a_big_endian_machine_writes_addresses_as_they_are(monkeypatch):
    monkeypatch.setattr(sys, "byteorder", "big")
    found = list(proc_tcp.parse([FOUR.replace(b"0A00600A", b"0A60000A")], 2, ticks=100))
    assert found[0].remote == VIP


def test_the_file_is_read_no_further_than_the_listening_sockets(monkeypatch, tmp_path):
    asked, listening = FOUR.replace(b" 01 ", b" 03 "), FOUR.replace(b" 01 ", b" 0A ")
    (tmp_path / "tcp").write_bytes(HEADER + listening + asked + listening + FOUR + listening)
    monkeypatch.setattr(proc_tcp, "_FILES", ((2, str(tmp_path / "tcp")), (10, str(tmp_path / "none"))))
    assert len(list(proc_tcp.read(proc_tcp.LISTEN))) == 2
    assert len(list(proc_tcp.read())) == 1
    assert len(list(proc_tcp.read(None))) == 5


def test_the_length_of_a_tick_is_that_of_the_kernel():
    assert next(proc_tcp.parse([FOUR], 2, ticks=1000)).expires_ms == 719982


STRANGE = [
    pytest.param(b"\n", id="empty"),
    pytest.param(FOUR[:90], id="cut off"),
    pytest.param(FOUR.replace(b"0900600A", b"0900600"), id="an address too short"),
    pytest.param(FOUR.replace(b"0900600A", b"0900600Z"), id="an address that is none"),
    pytest.param(FOUR.replace(b"0900600A", b"\xff900600A"), id="not ASCII"),
    pytest.param(FOUR.replace(b":840C", b""), id="no port"),
    pytest.param(FOUR.replace(b"2069444", b"many"), id="an inode that is no number"),
    pytest.param(FOUR.replace(b" 01 ", b" 06 "), id="another state"),
]


@pytest.mark.parametrize("line", STRANGE)
def test_a_line_that_is_left_out(line):
    assert len(list(proc_tcp.parse([line, FOUR], 2))) == 1


def test_a_huge_table_is_never_held():
    tracemalloc.start()
    count = sum(1 for _each in proc_tcp.parse(itertools.repeat(FOUR, 20000), 2))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20000
    assert peak_bytes < 50000


def test_no_number_is_too_large():
    line = FOUR.replace(b"000AFC6E", b"F" * 400)
    assert len(list(proc_tcp.parse([line], 2))) == 1


@given(st.lists(st.binary()), st.integers(0, len(FOUR) - 1), st.binary(min_size=1, max_size=1))
def test_no_lines_make_the_parser_raise(lines, at, byte):
    flipped = FOUR[:at] + byte + FOUR[at + 1 :]
    for found in proc_tcp.parse([*lines, flipped], 2):
        assert len(found.remote) in (4, 16)
