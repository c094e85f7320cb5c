# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real policies in a network namespace of their own, used by real rules of iptables."""

import json

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

CODE = r"""
import json, socket, struct, subprocess
place = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
def attribute(kind, data):
    return struct.pack('=HH', 4 + len(data), kind) + data + bytes(-len(data) % 4)
def policy(name, seconds, protocol, used):
    cell = 3 if protocol == 6 else 1
    data = attribute(4 | 0x8000, attribute(cell, struct.pack('>I', seconds)))
    body = struct.pack('=BBH', 2, 0, 0) + attribute(1, name.encode() + bytes(1)) + attribute(2, struct.pack('>H', 2))
    body += attribute(3, bytes([protocol])) + data
    place.send(struct.pack('=IHHII', 16 + len(body), 8 << 8, 0x405, 1, 0) + body)
    assert struct.unpack_from('=i', place.recv(65536), 16)[0] == 0
    if used:
        rule = ['-t', 'raw', '-A', 'PREROUTING', '-p', str(protocol), '-j', 'CT', '--timeout', name]
        subprocess.check_call(['iptables', *rule], stderr=subprocess.DEVNULL)
for each in {}:
    policy(*each)
print(json.dumps(conntrack_policies.read()))
"""
TCP, UDP = 6, 17


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        pytest.param([], [0, None, None], id="none"),
        pytest.param([("a", 300, TCP, True)], [1, 300, None], id="one that a rule uses"),
        pytest.param(
            [("a", 300, TCP, True), ("b", 120, TCP, True), ("c", 900, TCP, True)], [3, 120, None], id="the shortest"
        ),
        pytest.param([("a", 60, TCP, False), ("b", 600, TCP, True)], [1, 600, None], id="one that nobody uses"),
        pytest.param([("a", 30, UDP, True)], [0, None, None], id="one for UDP"),
    ],
)
def test_the_policies_that_are_in_use(policies, expected):
    output = run_python("_kernel.conntrack_policies", CODE.replace("{}", repr(policies)), "unshare", "-mn")
    assert json.loads(output.splitlines()[-1]) == expected


def test_where_asking_would_load_a_module_nobody_is_asked():
    code = (
        "import json\nconntrack_policies.use_loads_nothing = lambda name: False\n"
        "print(json.dumps(conntrack_policies.read()))"
    )
    assert json.loads(run_python("_kernel.conntrack_policies", code)) == [0, None, None]
