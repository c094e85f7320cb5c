# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""busy_client.py ADDRESS PORT SECONDS: as client.py, and after each answer the server sends a packet out of window."""

import socket
import sys

from client import PATIENCE_SECONDS, converse_forever


def connect(address, port):
    """A connection to a server of the proofs (tests/proof/guest/server.py)."""
    connection = socket.create_connection((address, port), PATIENCE_SECONDS)
    answers = connection.makefile("r")

    def ask():
        try:
            connection.sendall(b"ping\n")
            answer = answers.readline()
            connection.sendall(b"stray ahead\n")
        except OSError as error:
            return type(error).__name__
        return "answered" if answer else "closed"

    return ask


if __name__ == "__main__":
    ADDRESS, PORT, SECONDS = sys.argv[1:]
    converse_forever(lambda: connect(ADDRESS, int(PORT)), float(SECONDS))
