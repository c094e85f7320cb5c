# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An answer in HTTP, bounded in time and bytes whoever sends it. Private to this collection.

It is asked in HTTP/1.0, where an answer is a head and then bytes until its length or its end: no chunks, no 100
Continue. The library's http.client knows all of HTTP, and to compile it takes longer than to read a node.
"""

import re
import socket
import time
from typing import Any, BinaryIO, Callable, Optional

MAX_BYTES = 1 << 20
"""More is not read of an answer, its head included."""

_MAX_LINE_BYTES = 1 << 16
_MAX_LINES = 100
_MAX_DIGITS = 18
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r?\n")


class HttpError(Exception):
    """There is no answer; a sentence says why."""


def get(
    host: str, port: int, path: str, deadline: float, connected: Callable[[socket.socket], None] = lambda _socket: None
) -> bytes:
    """The body of the answer to a GET of that path from an IP address, by a deadline of time.monotonic().

    Raises HttpError, and what ``connected`` raises, which gets the connection before anything is asked.
    """
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    request = f"GET {path} HTTP/1.0\r\nHost: {place}\r\nUser-Agent: kubenode.connections\r\nConnection: close\r\n\r\n"
    try:
        with _Hurried(host, deadline) as connection:
            connection.connect((host, port))
            connected(connection)
            connection.sendall(request.encode("ascii"))
            with connection.makefile("rb") as answer:
                return _body(answer, path)
    except ValueError as error:
        raise HttpError(f"{path} is not answered in HTTP.") from error
    except socket.timeout as error:
        raise HttpError(f"{path} is not answered in time.") from error
    except OSError as error:
        raise HttpError(f"{path} fails: {error.strerror or 'no reason is given'}.") from error


def _body(answer: BinaryIO, path: str) -> bytes:
    """What comes after the head. Raises HttpError, and ValueError for what is no HTTP."""
    begin = answer.readline(_MAX_LINE_BYTES)
    status = _STATUS.fullmatch(begin)
    if status is None:
        raise ValueError(begin)
    length = _length(answer)
    if status.group(1) != b"200":
        raise HttpError(f"{path} answers with HTTP status {int(status.group(1))}.")
    # A read() of all takes any length that the other end makes up.
    body = answer.read(MAX_BYTES if length is None else min(length, MAX_BYTES))
    if length is not None and len(body) < length:
        raise HttpError(f"{path} is answered by fewer bytes than announced.")
    return body


def _length(answer: BinaryIO) -> Optional[int]:
    """The length that the rest of the head announces, None for until the end. Raises ValueError."""
    length = None
    for _number in range(_MAX_LINES):
        line = answer.readline(_MAX_LINE_BYTES)
        if line in (b"\r\n", b"\n"):
            return length
        name, colon, value = line.partition(b":")
        if not colon:
            raise ValueError(line)
        if name.lower() == b"content-length":
            length = int(value.strip()[:_MAX_DIGITS])
    raise ValueError(f"the head has more than {_MAX_LINES} lines")


class _Hurried(socket.socket):
    """A TCP socket of which every step ends at one deadline, however slowly the other end drips.

    A timeout alone would begin anew with every byte.
    """

    def __init__(self, host: str, deadline: float) -> None:
        super().__init__(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        self._deadline = deadline
        self._bytes_left = MAX_BYTES

    def connect(self, address: Any) -> None:
        self._hurry()
        super().connect(address)

    def recv_into(self, *arguments: Any) -> int:
        self._hurry()
        size = super().recv_into(*arguments)
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise HttpError(f"the answer is longer than {MAX_BYTES} bytes.")
        return size

    def _hurry(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout()
        self.settimeout(left)
