# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of a server of our own, byte by byte; test__kube_proxy.py has those that somebody means badly."""

import contextlib
import re
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._observe import bounded_http

SECONDS = 0.5


@contextlib.contextmanager
def server(answer):
    """A port of loopback that gives one connection to answer(connection)."""

    def serve():
        with listener.accept()[0] as connection, contextlib.suppress(OSError):
            answer(connection)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


def sending(data):
    def answer(connection):
        connection.recv(65536)
        connection.sendall(data)

    return answer


def get(port, **options):
    return bounded_http.get("127.0.0.1", port, "/x", time.monotonic() + SECONDS, **options)


def test_a_byte_now_and_then_does_not_put_off_the_deadline():
    def drip(connection):
        while True:
            connection.sendall(b"X")
            time.sleep(0.05)

    started = time.monotonic()
    with server(drip) as port, pytest.raises(bounded_http.HttpError, match=r"^/x is not answered in time\.$"):
        get(port)
    assert SECONDS <= time.monotonic() - started < SECONDS + 20


def test_nobody_is_connected_to_after_the_deadline():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        listener.setblocking(False)
        with pytest.raises(bounded_http.HttpError, match=r"^/x is not answered in time\.$"):
            bounded_http.get("127.0.0.1", listener.getsockname()[1], "/x", time.monotonic() - 1)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_nothing_is_asked_of_a_connection_that_the_caller_refuses():
    asked = []

    def refuse(_connection):
        raise LookupError("not this one")

    with server(lambda connection: asked.append(connection.recv(65536))) as port, pytest.raises(LookupError):
        get(port, connected=refuse)
    assert asked == [b""]


def test_a_port_where_nobody_listens():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        with pytest.raises(bounded_http.HttpError, match=r"^/x fails: Connection refused\.$"):
            get(reserved.getsockname()[1])


def test_what_comes_after_the_announced_length_is_not_waited_for():
    def answer(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length:4\r\n\r\nipvs and more")
        connection.recv(1)

    with server(answer) as port:
        assert get(port) == b"ipvs"


def test_lines_may_end_without_a_carriage_return_and_the_status_have_no_words():
    with server(sending(b"HTTP/1.1 200\nX: y\n\nipvs")) as port:
        assert get(port) == b"ipvs"


HEADS = st.sampled_from(
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: ",
        b"HTTP/1.1 100 Continue\r\n",
        b"HTTP/1.1 ",
        b"HTTP/",
    ]
)


@settings(max_examples=100, deadline=None)
@given(HEADS, st.binary() | st.text("0123456789abcdef;\r\n :").map(str.encode))
def test_whatever_is_answered_gives_bytes_or_a_sentence(head, rest):
    with server(sending(head + rest)) as port:
        try:
            found = get(port)
        except bounded_http.HttpError as error:
            found = str(error)
    assert isinstance(found, bytes) or re.fullmatch(r"[ -~]+\.", found)
