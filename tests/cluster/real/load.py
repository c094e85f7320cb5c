# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""load.py ADDRESS FIRST_PORT STOP: asks over new connections from the same few ports, until the file STOP is there."""

import collections
import errno
import json
import re
import socket
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CLIENTS, PORTS_EACH = 4, 5
PAUSE_SECONDS = 0.5
PATIENCE_SECONDS = 4
TOTAL_RETRANS = slice(100, 104)
"""Of struct tcp_info, linux/tcp.h."""


def ask(address, port):
    """Who answers, and how many segments were sent twice until the connection stood. The server closes first."""
    with socket.socket() as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        asking.settimeout(PATIENCE_SECONDS)
        asking.bind(("", port))
        asking.connect((address, 80))
        told = asking.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
        asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: asking.recv(4096), b"")).decode()
    return re.search("Server: (.*?)\r", answer)[1], struct.unpack("=I", told[TOTAL_RETRANS])[0]


def client(address, first_port, stop):
    """What came of each connection."""
    seen = []
    while not stop.exists():
        for port in range(first_port, first_port + PORTS_EACH):
            try:
                seen.append(ask(address, port))
            except OSError as error:
                seen.append((errno.errorcode.get(error.errno, "ETIMEDOUT"), 0))
            time.sleep(PAUSE_SECONDS)
    return seen


def main(address, first_port, stop):
    """All clients side by side; what came of them is counted."""
    starts = range(first_port, first_port + CLIENTS * PORTS_EACH, PORTS_EACH)
    with ThreadPoolExecutor(CLIENTS) as pool:
        seen = [each for part in pool.map(lambda start: client(address, start, stop), starts) for each in part]
    failed = collections.Counter(who for who, _again in seen if who in errno.errorcode.values())
    pods = collections.Counter(who for who, _again in seen if who not in failed)
    delayed = sum(again > 0 for _who, again in seen)
    print(json.dumps({"asked": len(seen), "failed": failed, "pods": pods, "delayed": delayed}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
