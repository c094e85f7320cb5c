# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""server.py PORT: HTTP/1.1, which keeps connections open for as long as the client does."""

import http.server
import socket
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every question."""

    protocol_version = "HTTP/1.1"
    timeout = 300
    """Of a client that never says that it is gone."""

    def version_string(self):
        """Of the header Server: which pod this is."""
        return socket.gethostname()

    def do_GET(self):
        """The same for all."""
        self.send_response(200)
        self.send_header("Content-Length", "8")
        self.end_headers()
        self.wfile.write(b"answered")

    def log_message(self, *_words):
        """Nothing."""


class Server(http.server.ThreadingHTTPServer):
    """For IPv6 and IPv4."""

    address_family = socket.AF_INET6


if __name__ == "__main__":
    Server(("::", int(sys.argv[1])), Handler).serve_forever()
