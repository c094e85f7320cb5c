# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""idle.py ADDRESS STOP: two connections, one of which probes, are idle until the file STOP is there; what each gets.

STOP.idle is there once both stand.
"""

import json
import socket
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 20
PROBING = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 1, "TCP_KEEPCNT": 3}


def ask(held):
    """What comes of a question."""
    try:
        held.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return "answered" if held.recv(999) else "closed"
    except OSError as error:
        return type(error).__name__


def main(address, stop):
    """The silent one's answer, and that of the one which probes."""
    silent, probing = (socket.create_connection((address, 80), PATIENCE_SECONDS) for _ in range(2))
    for option, value in PROBING.items():
        probing.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    probing.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    Path(f"{stop}.idle").touch()
    while not stop.exists():
        time.sleep(0.5)
    print(json.dumps([ask(silent), ask(probing)]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
