# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real policies in a network namespace of their own, used by real rules of iptables."""

import json

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

GIVEN = r"""
import errno, json, socket, struct, subprocess
place = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
def attribute(kind, data):
    return struct.pack('=HH', 4 + len(data), kind) + data + bytes(-len(data) % 4)
def nested(kind, *parts):
    return attribute(kind | 0x8000, b''.join(parts))
def number(value):
    return struct.pack('>I', value)
def message(kind, family, resource, *parts):
    body = struct.pack('=BBH', family, 0, resource) + b''.join(parts)
    return struct.pack('=IHHII', 16 + len(body), kind, 0x405 if kind > 17 else 1, 1, 0) + body
def send(*messages):
    place.send(b''.join(messages))
    for _each in messages[1:-1] or messages:
        assert struct.unpack_from('=i', place.recv(65536), 16)[0] == 0
def nfct(name, seconds, protocol, used):
    timeouts = nested(4, attribute(3 if protocol == 6 else 1, number(seconds)))
    family = attribute(2, struct.pack('>H', 2))
    named = attribute(1, name.encode() + bytes(1))
    send(message(8 << 8, 2, 0, named, family, attribute(3, bytes([protocol])), timeouts))
    if used:
        rule = ['-t', 'raw', '-A', 'PREROUTING', '-p', str(protocol), '-j', 'CT', '--timeout', name]
        subprocess.check_call(['iptables', *rule], stderr=subprocess.DEVNULL)
def nftables(name, seconds, protocol, used, family=2):
    table, chain, named = (attribute(kind, b'ours' + bytes(1)) for kind in (1, 2, 3))
    state = nested(3, attribute(3 if protocol == 6 else 1, number(seconds)))
    timeout = nested(4, attribute(1, struct.pack('>H', 2)), attribute(2, bytes([protocol])), state)
    object_name = name.encode() + bytes(1)
    expression = nested(2, attribute(1, number(7)), attribute(2, object_name))
    rule = nested(4, nested(1, attribute(1, b'objref' + bytes(1)), expression))
    send(
        message(16, 0, socket.htons(10)),
        message(10 << 8 | 0, family, 0, table),
        message(10 << 8 | 18, family, 0, table, attribute(2, object_name), attribute(3, number(7)), timeout),
        message(10 << 8 | 3, family, 0, table, named),
        *([message(10 << 8 | 6, family, 0, table, chain, rule)] if used else []),
        message(17, 0, socket.htons(10)),
    )
"""
READ = "print(json.dumps(conntrack_policies.read()))"
TCP, UDP = 6, 17


@pytest.mark.parametrize("by", ["nfct", "nftables"])
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
def test_the_policies_that_are_in_use(policies, expected, by):
    assert seen("".join(f"{by}{each}\n" for each in policies)) == expected


def seen(code):
    output = run_python("_kernel.conntrack_policies", f"{GIVEN}{code}\n{READ}", "unshare", "-mn")
    return json.loads(output.splitlines()[-1])


@pytest.mark.parametrize("family", [1, 2, 10], ids=["inet", "ip", "ip6"])
def test_those_of_nftables_in_tables_of_every_family(family):
    assert seen(f"nftables('a', 240, 6, True, {family})") == [1, 240, None]


def test_those_of_both_count_together():
    assert seen("nfct('a', 300, 6, True)\nnftables('a', 240, 6, True)\nnftables('b', 60, 6, False)") == [2, 240, None]


def test_a_counter_of_nftables_is_no_timeout():
    counter = "attribute(2, b'c' + bytes(1)), attribute(3, number(1)), nested(4)"
    table = "attribute(1, b'ours' + bytes(1))"
    code = (
        "send(message(16, 0, socket.htons(10)), "
        f"message(10 << 8, 2, 0, {table}), message(10 << 8 | 18, 2, 0, {table}, {counter}), "
        "message(17, 0, socket.htons(10)))"
    )
    assert seen(code) == [0, None, None]


def test_rules_that_change_meanwhile_are_read_again():
    code = (
        "nftables('a', 240, 6, True)\nasked, dump = [], conntrack_policies.dump\n"
        "def changing(*request):\n"
        "    yield from dump(*request)\n"
        "    asked.append(1)\n"
        "    if len(asked) < {}:\n"
        "        raise conntrack_policies.InterruptedDumpError('the table kept changing')\n"
        "conntrack_policies._of_nfct = lambda: iter(())\nconntrack_policies.dump = changing"
    )
    assert seen(code.replace("{}", "3")) == [1, 240, None]
    assert seen(code.replace("{}", "9")) == [
        0,
        None,
        "timeout policies of connection tracking: the table kept changing",
    ]


@pytest.mark.parametrize("request_type", ["_TIMEOUT_GET", "_OBJECT_GET"])
def test_a_kernel_that_has_no_such_policies_has_none(request_type):
    """The kernel answers a subsystem that it does not have with EINVAL: here one that there is not."""
    assert seen(f"nftables('a', 240, 6, False)\nconntrack_policies.{request_type} = 15 << 8 | 1") == [0, None, None]


def test_without_rights_it_is_said():
    code = "import os\nos.setresuid(65534, 65534, 65534)"
    assert seen(code) == [0, None, "timeout policies of connection tracking: Operation not permitted"]


def test_where_asking_would_load_a_module_nobody_is_asked():
    assert seen("nftables('a', 240, 6, True)\nconntrack_policies.use_loads_nothing = lambda name: False") == [
        0,
        None,
        None,
    ]
