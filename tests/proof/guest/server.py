# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend of the proofs: obeys the lines a client sends it. Runs in the guest, in a backend's namespace.

name TOKEN     its name for this connection; how the connection ends for the server is noted
ping           answers with the backend's name
speak SECONDS  says nothing for so long, then speaks first
stray KIND     sends one packet out of window beside the connection, "ahead" or "late" (below it), and notes it
bye            closes, as a server does at its own idle limit
"""

import errno
import os
import socket
import sys
import threading
import time

import stray

OUTCOMES = "/run/proof/outcomes"


def converse(connection, name):
    """Obey line after line until the end; returns how the connection ended."""
    token = "nobody"
    lines = connection.makefile("r")
    try:
        for line in lines:
            verb, _, value = line.strip().partition(" ")
            if verb == "name":
                token = value
            elif verb == "ping":
                connection.sendall(name.encode() + b"\n")
            elif verb == "speak":
                time.sleep(float(value))
                connection.sendall(b"spoken\n")
            elif verb == "stray":
                stray.send(connection, value)
                note(token, "stray", value)
            elif verb == "bye":
                return token, "closed"
        return token, "closed by the client"
    except OSError as error:
        return token, errno.errorcode.get(error.errno, str(error))


def serve(connection, name):
    """One connection, its outcome on record."""
    with connection:
        token, outcome = converse(connection, name)
    note(token, "end", outcome)


def note(token, what, text):
    """Leave a note about a connection where its client finds it, all at once."""
    path = os.path.join(OUTCOMES, f"{token}.{what}")
    with open(path + ".new", "w") as record:
        record.write(text)
    os.rename(path + ".new", path)


def main(name, *ports):
    """Listen until killed."""
    os.makedirs(OUTCOMES, exist_ok=True)
    threading.stack_size(256 * 1024)
    for port in ports[1:]:
        threading.Thread(target=listen, args=(name, int(port)), daemon=True).start()
    listen(name, int(ports[0]))


def listen(name, port):
    """A listening socket and a thread for each of its connections."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", port))
        listener.listen(512)
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0], name), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
