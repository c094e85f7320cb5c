# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""program.py NAME ADDRESS IDLE_SECONDS: as client.py, by a real client of the proofs (tests/proof/guest/clients.py)."""

import sys

from client import converse_forever
from clients import CLIENTS, attempt


def connect(name, address):
    """A new client: a function that asks, and tells what comes of it in the client's own words."""
    ask = CLIENTS[name](address)
    return lambda: attempt(ask)


if __name__ == "__main__":
    NAME, ADDRESS, IDLE_SECONDS = sys.argv[1:]
    converse_forever(lambda: connect(NAME, ADDRESS), float(IDLE_SECONDS))
