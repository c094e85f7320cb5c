# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""way.py SOCKET ADDRESS=PORT...: leads the API server's connections to kubelets to ports of 127.0.0.1.

The API server asks by CONNECT ADDRESS:PORT, so kubectl logs and exec work although no node can be reached from here.
"""

import socket
import socketserver
import sys
from pathlib import Path

from relay import relay

PORTS = dict(each.split("=") for each in sys.argv[2:])
LONGEST_QUESTION = 4096


class Way(socketserver.BaseRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """Answer the question, then hand on."""
        question = b""
        while b"\r\n\r\n" not in question and len(question) < LONGEST_QUESTION:
            got = self.request.recv(LONGEST_QUESTION)
            if not got:
                return
            question += got
        words = question.split(None, 2)
        port = PORTS.get(words[1].decode().rpartition(":")[0]) if words[:1] == [b"CONNECT"] else None
        if port is None:
            self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", int(port))) as kubelet:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            relay(self.request, kubelet)


if __name__ == "__main__":
    Path(sys.argv[1]).unlink(missing_ok=True)
    with socketserver.ThreadingUnixStreamServer(sys.argv[1], Way) as server:
        server.daemon_threads = True
        server.serve_forever()
