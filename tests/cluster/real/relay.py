# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""relay.py PORT: QEMU runs it for each connection of a guest, which it leads to that port of 127.0.0.1."""

import selectors
import socket
import sys


def relay(guest: socket.socket, server: socket.socket) -> None:
    """Hand on what either says until one of them ends."""
    with selectors.DefaultSelector() as ready:
        ready.register(guest, selectors.EVENT_READ, server)
        ready.register(server, selectors.EVENT_READ, guest)
        while True:
            for key, _events in ready.select():
                data = key.fileobj.recv(65536)
                if not data:
                    return
                key.data.sendall(data)


if __name__ == "__main__":
    relay(socket.socket(fileno=0), socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
