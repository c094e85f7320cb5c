# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import netlink
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.netlink import (
    InterruptedDumpError,
    NetlinkError,
)

DATA, DONE, ERROR, NOOP = 20, 3, 2, 1
INTERRUPTED = 0x10


def message(kind, payload=b"", flags=2, size=None):
    """struct nlmsghdr of include/uapi/linux/netlink.h and a payload, padded to 4 bytes."""
    header = struct.pack("=IHHII", 16 + len(payload) if size is None else size, kind, flags, 1, 7)
    return header + payload + bytes(-len(payload) % 4)


def parsed(data):
    return list(netlink.messages(bytearray(data), len(data)))


PARTS = [
    pytest.param(message(DATA, b"12345") + message(DATA, b"6"), [(2, 16, 21), (2, 40, 41)], id="two, the first padded"),
    pytest.param(message(NOOP) + message(DATA, b"1"), [(2, 32, 33)], id="one that says nothing"),
    pytest.param(message(DATA, b"1") + message(DONE, bytes(4)), [(2, 16, 17), (2, 0, 0)], id="the end of the dump"),
    pytest.param(message(DONE), [(2, 0, 0)], id="an end without a number"),
    pytest.param(message(ERROR, bytes(20)), [(2, 0, 0)], id="no error is an end"),
    pytest.param(message(DATA, b"1", INTERRUPTED), [(INTERRUPTED, 16, 17)], id="the flag of an interrupted dump"),
    pytest.param(b"", [], id="nothing"),
]


@pytest.mark.parametrize(("data", "expected"), PARTS)
def test_the_messages_of_a_buffer(data, expected):
    assert parsed(data) == expected


WRONG = [
    pytest.param(message(ERROR, struct.pack("=i", -2) + bytes(16)), "No such file or directory", id="an error"),
    pytest.param(message(DONE, struct.pack("=i", -12)), "Cannot allocate memory", id="a dump that failed half-way"),
    pytest.param(message(ERROR), "Protocol error", id="an error without a number"),
    pytest.param(message(ERROR, struct.pack("=i", -(1 << 31))), "error -2147483648", id="a number of no error"),
    pytest.param(message(DATA)[:15], "15 bytes are too short for a message", id="half a header"),
    pytest.param(
        message(DATA, bytes(8), size=25), "a message of 25 bytes does not fit the 24 that are left", id="too long"
    ),
    pytest.param(
        message(DATA, bytes(8), size=15), "a message of 15 bytes does not fit the 24 that are left", id="too short"
    ),
    pytest.param(
        message(DATA, size=0), "a message of 0 bytes does not fit the 16 that are left", id="no length, so no end"
    ),
]


@pytest.mark.parametrize(("data", "text"), WRONG)
def test_a_buffer_that_makes_no_sense(data, text):
    with pytest.raises(NetlinkError) as caught:
        parsed(data)
    assert str(caught.value) == text


def test_a_message_longer_than_the_buffer():
    with pytest.raises(NetlinkError, match=r"^the kernel sent 17 bytes at once, 16 were expected at most$"):
        list(netlink.messages(bytearray(16), 17))


def test_attributes_by_type_without_their_flags():
    data = struct.pack("=HHB3xHHI", 5, 8, 1, 8, 0x8002, 9)
    assert netlink.attributes(bytearray(data), 0, len(data)) == {8: (4, 5), 2: (12, 16)}


@pytest.mark.parametrize("size", [0, 3, 9])
def test_an_attribute_of_a_wrong_size(size):
    data = bytearray(struct.pack("=HHI", size, 1, 0))
    with pytest.raises(NetlinkError, match=f"^an attribute of {size} bytes does not fit the 8 that are left$"):
        netlink.attributes(data, 0, len(data))


class Kernel:
    """A kernel that answers what it is told to: no real one can be made to interrupt a dump at will."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def __enter__(self):
        return self

    def __exit__(self, *_what):
        return None

    def settimeout(self, _seconds):
        return None

    def sendto(self, data, _address):
        self.request = data

    def recv_into(self, buffer, _size, _flags):
        data = self.answers.pop(0)
        buffer[: len(data)] = data
        return len(data)


def dumped(monkeypatch, *answers):
    kernel = Kernel(*answers)
    monkeypatch.setattr(socket, "socket", lambda *_what: kernel)
    return (bytes(buffer[begin:end]) for buffer, begin, end in netlink.dump(4, 18, b"request"))


def test_a_dump_goes_on_to_its_end(monkeypatch):
    answers = message(DATA, b"one") + message(DATA, b"two"), message(DATA, b"three"), message(DONE, bytes(4))
    assert list(dumped(monkeypatch, *answers)) == [b"one", b"two", b"three"]


def test_an_interrupted_dump_says_so_after_all_of_it(monkeypatch):
    answers = message(DATA, b"one", INTERRUPTED), message(DATA, b"two") + message(DONE, bytes(4))
    found = dumped(monkeypatch, *answers)
    assert [next(found), next(found)] == [b"one", b"two"]
    with pytest.raises(InterruptedDumpError, match=r"^the table kept changing while it was read$"):
        next(found)


def test_the_real_kernel_refuses_what_it_does_not_know():
    with pytest.raises(NetlinkError) as caught:
        list(netlink.dump(0, 2047, bytes(16)))  # NETLINK_ROUTE has no such request
    assert str(caught.value) == os.strerror(95)  # EOPNOTSUPP


@given(st.one_of(st.binary(max_size=200), st.lists(st.binary(max_size=40)).map(lambda all: b"".join(map(fill, all)))))
def test_no_buffer_makes_the_parser_raise_anything_else_or_go_on_for_ever(data):
    try:
        for _flags, begin, end in netlink.messages(bytearray(data), len(data)):
            assert 0 <= begin <= end <= len(data)
            netlink.attributes(bytearray(data), begin, end)
    except NetlinkError:
        pass


def fill(payload):
    return message(payload[0] if payload else DATA, payload)
