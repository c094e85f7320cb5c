# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An answer in HTTP, bounded in time and bytes whoever sends it. Private to this collection."""

import http.client
import socket
import time
from typing import Any, Callable

MAX_BYTES = 1 << 20
"""More is not read of an answer, its head included."""


class HttpError(Exception):
    """There is no answer; a sentence says why."""


def get(
    host: str, port: int, path: str, deadline: float, connected: Callable[[socket.socket], None] = lambda _socket: None
) -> bytes:
    """The body of the answer to a GET of that path from an IP address, by a deadline of time.monotonic().

    Raises HttpError, and what ``connected`` raises, which gets the connection before anything is asked.
    """
    client = http.client.HTTPConnection(host)
    client.auto_open = 0  # it would connect again by itself, with another timeout
    try:
        with _Hurried(host, deadline) as client.sock:
            client.sock.connect((host, port))
            connected(client.sock)
            client.request("GET", path, headers={"User-Agent": "kubenode.connections", "Connection": "close"})
            response = client.getresponse()
            body = response.read(MAX_BYTES)  # a read() of all takes any length that the other end makes up
            missing = response.length
    except (http.client.HTTPException, ValueError, ArithmeticError) as error:
        raise HttpError(f"{path} is not answered in HTTP.") from error
    except socket.timeout as error:
        raise HttpError(f"{path} is not answered in time.") from error
    except OSError as error:
        raise HttpError(f"{path} fails: {error.strerror or 'no reason is given'}.") from error
    if response.status != 200:
        raise HttpError(f"{path} answers with HTTP status {response.status}.")
    if missing:
        raise HttpError(f"{path} is answered by fewer bytes than announced.")
    return body


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
