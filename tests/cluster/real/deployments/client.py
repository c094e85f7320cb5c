# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""client.py ADDRESS PORT IDLE_SECONDS: asks over one connection, is idle, asks again, and says what came of it."""

import http.client
import json
import socket
import sys
import time
from pathlib import Path

NAMES = ("time", "intvl", "probes")
PATIENCE_SECONDS = 20
STEP_SECONDS = 0.25


def keepalive():
    """The values that the kernel gives new connections here."""
    return "/".join(Path(f"/proc/sys/net/ipv4/tcp_keepalive_{name}").read_text().strip() for name in NAMES)


def connect(address, port):
    """A connection with SO_KEEPALIVE, as most clients have it: a function that asks, and tells what comes of it."""
    connection = http.client.HTTPConnection(address, port, timeout=PATIENCE_SECONDS)
    connection.connect()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def ask():
        try:
            connection.request("GET", "/")
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__

    return ask


def be_idle(seconds):
    """Return for how long the machine stood still meanwhile: then it is no measure of timers."""
    end, longest, before = time.monotonic() + seconds, 0.0, time.monotonic()
    while time.monotonic() < end:
        time.sleep(STEP_SECONDS)
        now = time.monotonic()
        longest, before = max(longest, now - before - STEP_SECONDS), now
    return round(longest, 1)


def say(**words):
    """A line for kubectl logs."""
    print(json.dumps(words), flush=True)


def converse(connecting, idle):
    """One connection, for as long as it is answered."""
    try:
        ask = connecting()
    except OSError as error:
        say(refused=str(error))
        return
    answer, used = ask(), 0
    if answer != "answered":
        say(refused=answer)
    while answer == "answered":
        began, values = time.time(), keepalive()
        stood, answer, used = be_idle(idle), ask(), used + 1
        say(began=began, answer=answer, used=used, keepalive=values, stood=stood)


def converse_forever(connecting, idle):
    """One connection after the other."""
    while True:
        converse(connecting, idle)
        time.sleep(1)


if __name__ == "__main__":
    ADDRESS, PORT, IDLE_SECONDS = sys.argv[1:]
    converse_forever(lambda: connect(ADDRESS, int(PORT)), float(IDLE_SECONDS))
