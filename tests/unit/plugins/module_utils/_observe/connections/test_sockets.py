# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import json
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag, proc_tcp
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.netlink import (
    InterruptedDumpError,
    NetlinkError,
)
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import sockets as tcp_sockets
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import tallies
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._real_sockets import lines_of

VIP, OTHER = b"\x0a\x60\0\x0a", b"\x0a\x60\0\x0b"
SIX = b"\xfd\0\0\x96" + b"\0" * 11 + b"\x10"
NAMES = {(VIP, 80): "10.96.0.10:80", (SIX, 443): "[fd00:96::10]:443"}
NONE, RETRANSMIT, KEEPALIVE, PROBE = 0, 1, 2, 4


def established(remote=VIP, port=80, timer=KEEPALIVE, expires_ms=600000, idle_ms=0, inode=0):
    return Socket(2, b"\x7f\0\0\x01", 40000, remote, port, timer, expires_ms, 0, inode, idle_ms)


def concluded(sockets, names=None):
    return tcp_sockets._conclude(tallies.tally(sockets, NAMES if names is None else names), "sock_diag", [])


def test_the_worst_services_are_listed_and_the_others_counted():
    names = {(VIP, port): f"10.96.0.10:{port}" for port in range(1, 31)}
    sockets = [established(port=port, expires_ms=port * 1000) for port in range(1, 31)]
    sockets += [established(port=3, timer=NONE), established(port=2, timer=NONE), established(port=2, timer=NONE)]
    seen = concluded(sockets, names)
    assert [service.peer for service in seen.services[:4]] == [
        "10.96.0.10:2",
        "10.96.0.10:3",
        "10.96.0.10:30",
        "10.96.0.10:29",
    ]
    assert (len(seen.services), seen.services_omitted) == (20, 10)
    assert (seen.connections, seen.to_services, seen.without_keepalive, seen.in_flight) == (33, 33, 3, 0)


def failing(error):
    def read():
        yield established()
        raise error

    return read


def ways(monkeypatch, netlink, proc=None):
    asked = []

    def ask(**_wish):
        asked.append(1)
        return netlink()

    monkeypatch.setattr(inet_diag, "read", ask)
    monkeypatch.setattr(proc_tcp, "read", proc or (lambda _states: iter([established(), established()])))
    return asked


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        pytest.param(NetlinkError("No such file or directory"), 1, id="the kernel refuses"),
        pytest.param(OSError(93, "Protocol not supported"), 1, id="the kernel has no netlink"),
        pytest.param(InterruptedDumpError("the table kept changing"), 3, id="the table never holds still"),
    ],
)
def test_where_netlink_fails_the_file_is_read(monkeypatch, error, attempts):
    asked = ways(monkeypatch, failing(error))
    seen = tcp_sockets.read(NAMES, True, [])
    assert (seen.connections, seen.sockets_from, seen.sockets_error) == (2, "/proc/net/tcp", None)
    assert len(asked) == attempts


def test_what_came_before_an_interruption_is_not_counted_twice(monkeypatch):
    answers = [failing(InterruptedDumpError("changed")), lambda: iter([established()])]

    def next_answer():
        return answers.pop(0)()

    ways(monkeypatch, next_answer)
    seen = tcp_sockets.read(NAMES, True, [])
    assert (seen.connections, seen.sockets_from) == (1, "sock_diag")


def test_netlink_is_not_asked_where_that_would_load_a_module(monkeypatch):
    asked = ways(monkeypatch, lambda: iter([established()]))
    assert tcp_sockets.read(NAMES, False, []).sockets_from == "/proc/net/tcp"
    assert asked == []


def test_where_nothing_can_be_read_it_says_why(monkeypatch):
    ways(monkeypatch, None, lambda _states: failing(PermissionError(13, "Permission denied", "/proc/net/tcp"))())
    seen = tcp_sockets.read(NAMES, False, [])
    assert (seen.connections, seen.sockets_from) == (0, None)
    assert seen.sockets_error == "/proc/net/tcp: Permission denied"


@pytest.mark.parametrize("ask_netlink", [True, False])
def test_real_sockets_with_the_processes_that_have_them(ask_netlink):
    code = (
        "open('/proc/self/comm', 'w').write('client')\n"
        "server, six = listen('0.0.0.0', 80), listen('::1', 443)\n"
        "connect(server, '127.96.0.10'); connect(server, '127.96.0.10', keepalive=True)\n"
        "connect(server, '127.96.0.11', keepalive=True)\n"
        "connect(six, '::1', keepalive=True, idle=100)\n"
        "names = {(socket.inet_aton('127.96.0.10'), 80): '127.96.0.10:80',\n"
        "         (socket.inet_pton(socket.AF_INET6, '::1'), 443): '[::1]:443'}\n"
        "print(os.getpid())\n"
        f"print(json.dumps(tcp_sockets.as_plain(tcp_sockets.read(names, {ask_netlink}, [os.getpid(), 999999999]))))"
    )
    pid, row = lines_of("_observe.connections.sockets as tcp_sockets", code)
    first, second = row.pop("services")
    assert row == {
        "connections": 8,
        "to_services": 3,
        "without_keepalive": 1,
        "in_flight": 0,
        "services_omitted": 0,
        "to_outside": 0,
        "outside_without_keepalive": 0,
        "outside_in_flight": 0,
        "outside": [],
        "accepted": 4,
        "accepted_at": [],
        "accepted_omitted": 0,
        "sockets_from": "sock_diag" if ask_netlink else "/proc/net/tcp",
        "sockets_error": None,
        "rto": row["rto"],
        "lost": 0,
        "silent": [],
        "unnamed": 0,
        "files_denied": False,
    }
    [[longest, _count]] = first["gaps"]
    assert 7140 <= longest <= 7200
    assert first == {
        "service": "127.96.0.10:80",
        "connections": 2,
        "without_keepalive": 1,
        "in_flight": 0,
        "gaps": [[longest, 1]],
        "processes": [{"name": "client", "pid": pid, "without_keepalive": 1, "gap": longest}],
    }
    [[longest, _count]] = second["gaps"]
    assert 40 <= longest <= 100
    assert second["processes"] == [{"name": "client", "pid": pid, "without_keepalive": 0, "gap": longest}]


def test_sockets_that_are_closed_while_we_look_have_no_process():
    code = (
        "client, accepted = connect(listen('127.0.0.1'), '127.0.0.1')\n"
        "tally = tcp_sockets.tallies.tally\n"
        "def tally_and_close(*arguments):\n"
        "    count = tally(*arguments)\n"
        "    client.close()\n"
        "    return count\n"
        "tcp_sockets.tallies.tally = tally_and_close\n"
        "names = {(socket.inet_aton('127.0.0.1'), 80): 'service'}\n"
        "print(json.dumps(tcp_sockets.as_plain(tcp_sockets.read(names, True, [os.getpid()]))['services']))"
    )
    assert lines_of("_observe.connections.sockets as tcp_sockets", code) == [
        [{"service": "service", "connections": 1, "without_keepalive": 1, "in_flight": 0, "gaps": [], "processes": []}]
    ]


def test_a_row_is_plain_data():
    seen = concluded([established(), established(timer=NONE)])
    assert json.loads(json.dumps(tcp_sockets.as_plain(seen))) == tcp_sockets.as_plain(seen)
    assert tcp_sockets.as_plain(seen)["services"][0]["gaps"] == [[600, 1]]


def test_all_is_well_where_there_is_no_service():
    seen = tcp_sockets.read({}, inet_diag.loads_nothing(), [os.getpid()])
    assert (seen.to_services, seen.services, seen.sockets_error) == (0, [], None)


# Two network namespaces joined by a veth pair: ours has 192.0.2.1 and 2001:db8::1, the other what is behind .2 and ::2.
JOINED = r"""
import signal
ready, go = os.pipe(), os.pipe()
behind = os.fork()
if behind == 0:
    signal.alarm(60)
    assert ctypes.CDLL(None).unshare(0x40000000) == 0
    os.write(ready[1], b'y'); os.read(go[0], 1)
    sh = lambda line: subprocess.check_call(line, shell=True)
    sh('ip link set lo up; ip link set other up; ip addr add 192.0.2.2/24 dev other')
    sh('ip addr add 192.0.2.3/24 dev other; ip -6 addr add 2001:db8::2/64 dev other nodad')
    servers = [listen('192.0.2.2', 5432), listen('192.0.2.3', 6379), listen('2001:db8::2', 443)]
    client = socket.create_connection(('192.0.2.2', 5432), source_address=('192.0.2.3', 0))
    os.write(ready[1], b'y'); os.read(go[0], 1)
    back = socket.create_connection(('192.0.2.1', 8080))
    os.write(ready[1], b'y'); os.read(go[0], 1)
    os._exit(0)
assert os.read(ready[0], 1) == b'y'
subprocess.check_call(['ip', 'link', 'add', 'ours', 'type', 'veth', 'peer', 'name', 'other', 'netns', str(behind)])
subprocess.check_call('ip link set ours up; ip addr add 192.0.2.1/24 dev ours', shell=True)
subprocess.check_call('ip -6 addr add 2001:db8::1/64 dev ours nodad', shell=True)
os.write(go[1], b'y'); assert os.read(ready[0], 1) == b'y'
own = listen('192.0.2.1', 8080)
def to(host, port, keepalive=False):
    client = socket.create_connection((host, port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(keepalive))
    kept.append(client)
def report(names, ask):
    seen = tcp_sockets.as_plain(tcp_sockets.read(names, ask, [os.getpid()]))
    for each in seen['outside']:
        each['processes'] = [[of['pid'] == os.getpid(), of['without_keepalive']] for of in each['processes']]
        each['gaps'] = sum(connections for _seconds, connections in each['gaps'])
    print(json.dumps(seen))
"""


# What a server on our side accepted from the other namespace, which connects to each of the places that it is told.
SERVING = r"""
import signal
signal.alarm(60)
(to_read, ready), (orders, go) = os.pipe(), os.pipe()
behind = os.fork()
if behind == 0:
    signal.alarm(60)
    os.close(go)
    assert ctypes.CDLL(None).unshare(0x40000000) == 0
    os.write(ready, b'y'); os.read(orders, 1)
    sh = lambda line: subprocess.check_call(line, shell=True)
    sh('ip link set lo up; ip link set other up; ip addr add 192.0.2.2/24 dev other')
    sh('ip -6 addr add 2001:db8::2/64 dev other nodad')
    os.write(ready, b'y')
    while True:
        host, port = os.read(orders, 100).decode().split()
        kept.append(socket.create_connection((host, int(port))))
        os.write(ready, b'y')
answer = lambda: os.read(to_read, 1)
answer()
subprocess.check_call(['ip', 'link', 'add', 'ours', 'type', 'veth', 'peer', 'name', 'other', 'netns', str(behind)])
subprocess.check_call('ip link set ours up; ip addr add 192.0.2.1/24 dev ours', shell=True)
subprocess.check_call('ip -6 addr add 2001:db8::1/64 dev ours nodad', shell=True)
os.write(go, b'y'); answer()
def accept(server, host, keepalive=True, idle=None):
    os.write(go, f'{host} {server.getsockname()[1]}'.encode()); answer()
    accepted = server.accept()[0]
    accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(keepalive))
    if idle:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    kept.append(accepted)
def report(names, ask):
    seen = tcp_sockets.as_plain(tcp_sockets.read(names, ask, [os.getpid()]))
    print(json.dumps([seen['accepted_at'], seen['accepted_omitted']]))
    os.kill(behind, signal.SIGKILL)
"""


def at(endpoint, connections, direct=None, without=0, longest=0):
    return {
        "endpoint": endpoint,
        "connections": connections,
        "direct": connections if direct is None else direct,
        "without_keepalive": without,
        "in_flight": 0,
        "longest_gap": longest,
    }


def test_what_real_servers_accepted_from_another_namespace():
    code = SERVING + (
        "redis, quiet, six = listen('192.0.2.1', 6379), listen('0.0.0.0', 5432), listen('2001:db8::1', 443)\n"
        "for _number in range(3): accept(redis, '192.0.2.1', idle=5)\n"
        "accept(quiet, '192.0.2.1', keepalive=False); accept(quiet, '192.0.2.1', idle=9)\n"
        "accept(six, '2001:db8::1', idle=300)\n"
        "dual = listen('::', 8080)\n"
        "accept(dual, '192.0.2.1', idle=15)\n"
        "connect(listen('127.0.0.1', 6380), '127.0.0.1'); connect(redis, '192.0.2.1', keepalive=True)\n"
        "kept[-1].setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)\n"
        "kept[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 7)\n"
        "report({(socket.inet_aton('192.0.2.1'), 8080): 'a service'}, True)"
    )
    ((seen, omitted),) = lines_of("_observe.connections.sockets as tcp_sockets", code)
    assert seen == [
        at("192.0.2.1:5432", 2, without=1, longest=9),
        at("[2001:db8::1]:443", 1, longest=300),
        at("192.0.2.1:8080", 1, direct=0, longest=15),
        at("192.0.2.1:6379", 4, direct=3, longest=7),
    ]
    assert omitted == 0


def test_of_many_places_the_worst_are_listed_and_the_connections_of_the_others_counted():
    def accepted(port, timer):
        return Socket(2, b"\xc0\0\2\1", port, b"\xc0\0\2\2", 50000, timer, port * 1000, 0, 0, 0)

    listening = [Socket(2, b"\0" * 4, port, b"\0" * 4, 0, 0, 0, 0, 0, None) for port in range(1, 101)]
    seen = concluded([*listening, *(accepted(port, KEEPALIVE) for port in range(1, 101)), accepted(7, NONE)])
    ports = [each.endpoint.rpartition(":")[2] for each in seen.accepted_at]
    assert ports == ["7", *(str(port) for port in range(100, 51, -1))]
    assert seen.accepted_omitted == 50


def row(destination, without, armed=0):
    return {
        "destination": destination,
        "connections": without + armed,
        "without_keepalive": without,
        "in_flight": 0,
        "gaps": armed,
        "processes": [[True, without]],
    }


@pytest.mark.parametrize("ask_netlink", [True, False])
def test_real_connections_to_other_addresses(ask_netlink):
    code = JOINED + (
        "for _number in range(3): to('192.0.2.2', 5432)\n"
        "to('192.0.2.3', 6379, keepalive=True); to('192.0.2.3', 6379)\n"
        "to('2001:db8::2', 443)\n"
        "mapped = socket.socket(socket.AF_INET6); mapped.connect(('::ffff:192.0.2.2', 5432)); kept.append(mapped)\n"
        "connect(own, '192.0.2.1'); connect(listen('127.0.0.1'), '127.0.0.1'); connect(listen('::1'), '::1')\n"
        "os.write(go[1], b'y'); assert os.read(ready[0], 1) == b'y'\n"
        f"report({{(socket.inet_aton('192.0.2.3'), 6380): 'a service'}}, {ask_netlink})\n"
        "os.write(go[1], b'y')"
    )
    (seen,) = lines_of("_observe.connections.sockets as tcp_sockets", code)
    assert seen["outside"] == [row("192.0.2.2:5432", 4), row("192.0.2.3:6379", 1, 1), row("[2001:db8::2]:443", 1)]
    assert (seen["to_outside"], seen["outside_without_keepalive"], seen["outside_in_flight"]) == (7, 6, 0)
    assert (seen["accepted"], seen["to_services"]) == (4, 0), "one of them came from the other namespace"


# Any user can listen at the port of a connection of another process, at other addresses; so can a pod in its network.
BESIDE = r"""
def beside(client):
    port = client.getsockname()[1]
    if client.family == socket.AF_INET6:
        return listen('::1', port)
    listen('127.0.0.1', port)
    only = socket.socket(socket.AF_INET6)
    only.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    only.bind(('::', port)); only.listen(5); kept.append(only)
user = os.fork()
if user == 0:
    signal.alarm(60)
    try:
        os.setresuid(65534, 65534, 65534)
        for client in kept[-4:]:
            beside(client)
        os.write(ready[1], b'y'); os.read(go[0], 1)
    finally:
        os.write(ready[1], b'n')
        os._exit(0)
assert os.read(ready[0], 1) == b'y'
"""


@pytest.mark.parametrize("ask_netlink", [True, False])
def test_who_listens_at_its_port_hides_no_connection_of_another(ask_netlink):
    code = JOINED + (
        "for _number in range(3): to('192.0.2.2', 5432)\n"
        "to('2001:db8::2', 443)\n" + BESIDE + f"report({{}}, {ask_netlink})\nos.write(go[1], b'yyy')"
    )
    (seen,) = lines_of("_observe.connections.sockets as tcp_sockets", code)
    assert seen["outside"] == [row("192.0.2.2:5432", 3), row("[2001:db8::2]:443", 1)]
    assert (seen["to_outside"], seen["accepted"]) == (4, 0)


def test_one_who_listens_on_ipv6_alone_hides_no_connection_of_ipv4_in_a_socket_of_ipv6():
    code = JOINED + (
        "mapped = socket.socket(socket.AF_INET6); mapped.connect(('::ffff:192.0.2.2', 5432)); kept.append(mapped)\n"
        "only = socket.socket(socket.AF_INET6); only.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)\n"
        "only.bind(('::', mapped.getsockname()[1])); only.listen(5); kept.append(only)\n"
        "report({}, True)\nos.write(go[1], b'yy')"
    )
    (seen,) = lines_of("_observe.connections.sockets as tcp_sockets", code)
    assert (seen["to_outside"], seen["accepted"]) == (1, 0)


def test_what_goes_to_a_service_is_not_counted_twice():
    code = JOINED + (
        "to('192.0.2.2', 5432); to('192.0.2.3', 6379)\n"
        "report({(socket.inet_aton('192.0.2.2'), 5432): 'the database'}, True)\n"
        "os.write(go[1], b'yy')"
    )
    (seen,) = lines_of("_observe.connections.sockets as tcp_sockets", code)
    assert (seen["to_services"], seen["to_outside"]) == (1, 1)
    assert seen["outside"] == [row("192.0.2.3:6379", 1)]
