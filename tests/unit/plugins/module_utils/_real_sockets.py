# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP sockets made for real, in a network namespace of their own."""

import json

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

ISOLATED = ("unshare", "-n")
READERS = ("inet_diag", "proc_tcp")
"""The two rooms of _kernel to read the sockets of a namespace; each has read()."""

PRELUDE = r"""
import ctypes, json, os, socket, struct, subprocess, time
subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])
kept = []
def listen(address, port=80):
    server = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET)
    server.bind((address, port))
    server.listen(100)
    kept.append(server)
    return server
def connect(server, host, keepalive=False, idle=None):
    # Both ends of a new connection: the client's and the server's.
    client = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(keepalive))
    if idle:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    client.connect((host, server.getsockname()[1]))
    accepted = server.accept()[0]
    kept.extend([client, accepted])
    return client, accepted
def deaf(receiver):
    # From now on the kernel drops what comes for that socket: a filter that lets 0 bytes pass.
    program = ctypes.create_string_buffer(struct.pack('HBBI', 0x06, 0, 0, 0))
    filter = struct.pack('HL', 1, ctypes.addressof(program))
    receiver.setsockopt(socket.SOL_SOCKET, 26, filter)  # SO_ATTACH_FILTER
def write_time(seconds):
    with open('/proc/sys/net/ipv4/tcp_keepalive_time', 'w') as file:
        file.write(str(seconds))
def show(read, *only):
    # The sockets that are read, or these of them, as lists.
    # One port may be in use twice, with IPv4 and with IPv6.
    ends = [(end.family, end.getsockname()[1], end.getpeername()[1]) for end in only]
    found = {}
    for each in read():
        values = list(each)
        values[1], values[3] = each.local.hex(), each.remote.hex()
        found[each.family, each.local_port, each.remote_port] = values
    print(json.dumps([found[end] for end in ends] if ends else sorted(found.values())))
"""


def lines_of(names, code, prefix=ISOLATED):
    """What the code prints, each line as JSON, with these module_utils and PRELUDE at hand."""
    return [json.loads(line) for line in run_python(names, PRELUDE + code, *prefix).splitlines()]
