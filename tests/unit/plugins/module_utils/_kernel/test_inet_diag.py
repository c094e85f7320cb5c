# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real sockets, read in both ways: what netlink says and what /proc/net/tcp says must be the same."""

import contextlib
import socket
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import inet_diag
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.netlink import NetlinkError
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._real_sockets import (
    ISOLATED,
    READERS,
    lines_of,
)

NONE, RETRANSMIT, KEEPALIVE, PROBE = 0, 1, 2, 4
SLACK_MS = 60000
"""A busy machine may need long between arming a timer and reading it, never so long."""


def seen(code, reader, prefix=ISOLATED):
    """The sockets whose ends the code's last line ``ends = [...]`` names."""
    return [
        Socket(*values) for values in lines_of(f"_kernel.{reader}", f"{code}\nshow({reader}.read, *ends)", prefix)[-1]
    ]


def armed(found, seconds):
    """Whether a keepalive timer of so many seconds was armed a moment ago."""
    return found.timer == KEEPALIVE and 0 <= seconds * 1000 - found.expires_ms < SLACK_MS


@pytest.mark.parametrize("reader", READERS)
def test_without_keepalive_there_is_no_timer_and_with_it_the_default(reader):
    code = (
        "server = listen('127.0.0.1')\n"
        "ends = [connect(server, '127.0.0.1')[0], connect(server, '127.0.0.1', keepalive=True)[0]]"
    )
    without, with_it = seen(code, reader)
    assert (without.timer, without.expires_ms) == (NONE, 0)
    assert armed(with_it, 7200)


@pytest.mark.parametrize("reader", READERS)
def test_a_socket_may_have_a_time_of_its_own(reader):
    code = "ends = connect(listen('127.0.0.1'), '127.0.0.1', keepalive=True, idle=300)[:1]"
    assert armed(seen(code, reader)[0], 300)


@pytest.mark.parametrize("reader", READERS)
def test_a_timer_armed_before_the_sysctl_changed_keeps_its_time_though_getsockopt_says_otherwise(reader):
    code = (
        "server = listen('127.0.0.1')\n"
        "old = connect(server, '127.0.0.1', keepalive=True)[0]\n"
        "write_time(600)\n"
        "ends = [old, connect(server, '127.0.0.1', keepalive=True)[0]]\n"
        "print(old.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE))\n"
        f"show({reader}.read, *ends)"
    )
    said, found = lines_of(f"_kernel.{reader}", code)
    assert said == 600
    assert armed(Socket(*found[0]), 7200)
    assert armed(Socket(*found[1]), 600)


IN_FLIGHT = [
    pytest.param("deaf(accepted); client.send(b'x')", RETRANSMIT, id="nobody acknowledges what was sent"),
    pytest.param(
        "client.setblocking(False)\n"
        "try:\n"
        "    while True: client.send(bytes(100000))\n"
        "except BlockingIOError: pass\n"
        # The kernel first retransmits what lies behind the closed window, if it sent that much.
        "deadline = time.monotonic() + 60\n"
        "while time.monotonic() < deadline and [s.timer for s in READ() if s.local_port == client.getsockname()[1]] "
        "!= [4]: time.sleep(0.05)",
        PROBE,
        id="the other end does not read",
    ),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("fill", "timer"), IN_FLIGHT)
def test_data_in_flight_hides_the_keepalive_timer(reader, fill, timer):
    code = (
        "client, accepted = connect(listen('127.0.0.1'), '127.0.0.1', keepalive=True)\n"
        + fill.replace("READ", reader + ".read")
        + "\nends = [client]"
    )
    assert seen(code, reader)[0].timer == timer


FAMILIES = [
    pytest.param("127.0.0.1", "127.9.8.7", socket.AF_INET, "7f090807", id="IPv4"),
    pytest.param("::1", "::1", socket.AF_INET6, "00" * 15 + "01", id="IPv6"),
    pytest.param("::", "::ffff:127.9.8.7", socket.AF_INET6, "7f090807", id="IPv4 in an IPv6 socket"),
]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(("server", "host", "family", "remote"), FAMILIES)
def test_addresses_of_a_kind(reader, server, host, family, remote):
    server = "0.0.0.0" if server == "127.0.0.1" else server
    code = (
        f"client = connect(listen('{server}'), '{host}', keepalive=True)[0]\n"
        f"print(os.fstat(client.fileno()).st_ino)\nshow({reader}.read, client)"
    )
    inode, found = lines_of(f"_kernel.{reader}", code)
    client = Socket(*found[0])
    assert (client.family, client.remote, client.remote_port) == (int(family), remote, 80)
    assert (client.inode, client.uid) == (inode, 0)
    assert armed(client, 7200)


@pytest.mark.parametrize("reader", READERS)
def test_only_established_sockets_count(reader):
    code = (
        "server = listen('127.0.0.1')\n"
        "half, closed, whole = [connect(server, '127.0.0.1') for _time in range(3)]\n"
        "half[0].shutdown(socket.SHUT_WR)\n"
        "closed[0].close(); closed[1].close()\n"
        f"print(sorted(end.getsockname()[1] for end in whole))\nshow({reader}.read)"
    )
    whole, found = lines_of(f"_kernel.{reader}", code)
    assert [Socket(*values).local_port for values in found] == whole


def test_both_ways_say_the_same_but_for_the_idle_time():
    code = (
        "server, six = listen('0.0.0.0'), listen('::1')\n"
        "for number in range(30):\n"
        "    connect(server, '127.9.8.7', keepalive=number % 2, idle=100 + number)\n"
        "    connect(six, '::1', keepalive=number % 3)\n"
        "show(inet_diag.read)\nshow(proc_tcp.read)"
    )
    netlink, proc = [
        sorted(Socket(*each) for each in line) for line in lines_of("_kernel.inet_diag, _kernel.proc_tcp", code)
    ]
    assert len(netlink) == len(proc) == 120
    for left, right in zip(netlink, proc):
        assert 0 <= left.expires_ms - right.expires_ms < SLACK_MS
        assert left.idle_ms is not None
        assert (right.idle_ms, right.rto_ms) == (None, None)
        assert left._replace(expires_ms=0, idle_ms=None, rto_ms=None) == right._replace(expires_ms=0)


def test_the_sockets_that_listen_come_first_where_they_are_asked_for():
    code = (
        "connect(listen('0.0.0.0', 8080), '127.0.0.1'); connect(listen('::1', 9090), '::1')\n"
        "listen('127.0.0.1', 7070)\n"
        "both = [lambda: inet_diag.read(listening=True), lambda: proc_tcp.read(proc_tcp.OPEN)]\n"
        "print(json.dumps([[[each.local_port, each.remote_port > 0] for each in read()] for read in both]))"
    )
    ((netlink, proc),) = lines_of("_kernel.inet_diag, _kernel.proc_tcp", code)
    assert sorted(netlink[:3]) == [[7070, False], [8080, False], [9090, False]]
    assert [connected for _port, connected in netlink] == [False] * 3 + [True] * 4
    assert sorted(proc) == sorted(netlink)


def test_the_idle_time_begins_with_the_last_packet_and_the_timer_goes_on():
    code = (
        "client, accepted = connect(listen('127.0.0.1'), '127.0.0.1', keepalive=True)\n"
        "time.sleep(1.5)\nshow(inet_diag.read, client)\n"
        "accepted.send(b'x'); client.recv(1)\nshow(inet_diag.read, client)"
    )
    quiet, busy = [Socket(*line[0]) for line in lines_of("_kernel.inet_diag", code)]
    assert quiet.idle_ms >= 1490
    assert abs(quiet.idle_ms + quiet.expires_ms - 7200000) <= 40
    assert busy.idle_ms + busy.expires_ms < 7200000 - 1400


@pytest.mark.parametrize("reader", READERS)
def test_a_forked_child_sees_the_sockets_of_the_namespace_that_it_enters(reader):
    code = (
        "from ansible_collections.kubenode.connections.plugins.module_utils._kernel import namespace_paths\n"
        "connect(listen('127.0.0.1', 81), '127.0.0.1')\n"
        f"assert len(list({reader}.read())) == 2\n"  # the kernel now has this namespace's files in its cache
        "reading, writing = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    ctypes.CDLL(None).unshare(0x40000000)\n"  # CLONE_NEWNET
        "    subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])\n"
        "    connect(listen('127.0.0.1', 82), '127.0.0.1')\n"
        "    os.write(writing, str(os.getpid()).encode())\n"
        "    time.sleep(600)\n"
        "pod = int(os.read(reading, 20))\n"
        "if os.fork() == 0:\n"
        f"    assert len(list({reader}.read())) == 2\n"
        "    namespace_paths._setns(os.open('/proc/%d/ns/net' % pod, os.O_RDONLY))\n"
        f"    show({reader}.read)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        f"show({reader}.read)\n"
        "os.kill(pod, 9)"
    )
    entered, stayed = lines_of(f"_kernel.{reader}", code)
    assert 82 in [Socket(*values).local_port for values in entered]
    assert len(entered) == 2
    assert 81 in [Socket(*values).local_port for values in stayed]
    assert len(stayed) == 2


@pytest.mark.parametrize("reader", READERS)
def test_nobody_has_to_be_root(reader):
    code = "os.setgroups([]); os.setgid(65534); os.setuid(65534)\nends = [client]"
    code = "client = connect(listen('127.0.0.1'), '127.0.0.1', keepalive=True)[0]\n" + code
    assert armed(seen(code, reader)[0], 7200)


def test_many_sockets_take_many_messages():
    code = (
        "server = listen('0.0.0.0')\n"
        "for number in range(400): connect(server, '127.0.%d.1' % (number % 200))\n"
        "print(len(set(each.inode for each in inet_diag.read())))"
    )
    assert lines_of("_kernel.inet_diag", code) == [800]


def attribute(kind, content):
    """As nla_put in the kernel's lib/nlattr.c writes it."""
    size = struct.pack("=HH", 4 + len(content), kind)
    return size + content + bytes(-len(content) % 4)


def tcp_info(sent, received, acknowledged, length=280):
    """struct tcp_info of include/uapi/linux/tcp.h, which grows from kernel to kernel."""
    values = struct.pack("=8xI32xIIII", 203001, sent, 0, received, acknowledged)
    return (values + bytes(300))[:length]


SHUTDOWN = attribute(8, b"\0")
MARK = attribute(15, bytes(4))
INFO = attribute(2, tcp_info(9000, 7000, 8000))


def message(*attributes, **fields):
    """struct inet_diag_msg of include/uapi/linux/inet_diag.h and attributes."""
    values = {"family": 2, "state": 1, "timer": 2, "remote": b"\x0a\x60\x00\x0a".ljust(16, b"\0"), "expires": 5}
    values.update(fields)
    return struct.pack(
        "=BBBBHH16s16sI8sIIIII",
        *(values["family"], values["state"], values["timer"], 0, socket.htons(40000), socket.htons(80)),
        *(b"\x7f\0\0\1".ljust(16, b"\0"), values["remote"], 0, bytes(8), values["expires"], 0, 0, 1000, 4711),
    ) + b"".join(attributes)


def parsed(data, places=None):
    return inet_diag.parse(bytearray(data), 0, len(data), {} if places is None else places)


IDLE = [
    pytest.param([SHUTDOWN, MARK, INFO], 7000, id="the least of sent, received, acknowledged"),
    pytest.param([INFO, SHUTDOWN], 7000, id="other attributes may follow"),
    pytest.param([SHUTDOWN], None, id="no tcp_info"),
    pytest.param([attribute(2, tcp_info(1, 2, 3, length=60))], 1, id="tcp_info just long enough"),
    pytest.param([attribute(2, tcp_info(1, 2, 3, length=56))], None, id="tcp_info of a kernel too old"),
    pytest.param([attribute(2 | 0x8000, tcp_info(1, 2, 3))], 1, id="flags in the type"),
]


@pytest.mark.parametrize(("attributes", "idle_ms"), IDLE)
def test_the_times_of_a_message(attributes, idle_ms):
    rto_ms = None if idle_ms is None else 204
    ours = Socket(2, b"\x7f\0\0\1", 40000, b"\x0a\x60\0\x0a", 80, 2, 5, 1000, 4711, idle_ms, rto_ms)
    assert parsed(message(*attributes)) == ours


def test_attributes_in_another_order_are_found_though_the_length_is_the_same():
    places = {}
    assert parsed(message(SHUTDOWN, INFO), places).idle_ms == 7000
    other = attribute(2, tcp_info(1, 2, 3))
    assert parsed(message(other, SHUTDOWN), places).idle_ms == 1
    assert parsed(message(SHUTDOWN, INFO), places).idle_ms == 7000
    assert parsed(message(SHUTDOWN, attribute(9, bytes(280))), places).idle_ms is None
    assert len(places) == 1


@pytest.mark.parametrize(
    "fields",
    [pytest.param({"state": 8}, id="CLOSE_WAIT"), pytest.param({"family": 44}, id="a family that is not IP")],
)
def test_a_message_that_is_left_out(fields):
    assert parsed(message(INFO, **fields)) is None


def test_a_message_too_short():
    with pytest.raises(NetlinkError, match=r"^71 bytes are too short for a socket$"):
        parsed(message()[:71])


def test_an_attribute_that_does_not_fit():
    with pytest.raises(NetlinkError, match=r"^an attribute of 284 bytes does not fit the 283 that are left$"):
        parsed(message(INFO)[:-1])


MESSAGES = st.one_of(st.binary(max_size=500), st.binary(max_size=300).map(lambda rest: message() + rest))


@given(MESSAGES, st.dictionaries(st.integers(0, 500), st.integers(0, 500)), st.integers(0, 20))
@example(message(SHUTDOWN, INFO)[:-4], {}, 0)
@example(message(SHUTDOWN, INFO), {len(message(SHUTDOWN, INFO)): 500}, 0)
def test_no_message_makes_the_parser_raise_anything_else(data, places, before):
    buffer = bytearray(bytes(before) + data)
    try:
        found = inet_diag.parse(buffer, before, len(buffer), places)
    except NetlinkError:
        return
    assert found is None or len(found.remote) in (4, 16)


@given(st.integers(0, len(message(SHUTDOWN, MARK, INFO)) - 1), st.integers(0, 255))
def test_no_flipped_byte_makes_the_parser_raise_anything_else(at, byte):
    data = bytearray(message(SHUTDOWN, MARK, INFO))
    data[at] = byte
    with contextlib.suppress(NetlinkError):
        inet_diag.parse(data, 0, len(data), {len(data): 80})


def test_each_socket_has_the_cookie_that_it_tells_of_itself():
    code = (
        "server = listen('127.0.0.1')\nends = connect(server, '127.0.0.1')\n"
        "cookie = lambda end: struct.unpack('=Q', end.getsockopt(socket.SOL_SOCKET, 57, 8))[0]  # SO_COOKIE\n"
        "told = {os.fstat(end.fileno()).st_ino: cookie(end) for end in (server, *ends)}\n"
        "print(json.dumps(sorted(told.items())))\n"
        "print(json.dumps(sorted((found.inode, number) for found, number in inet_diag.read_with_cookies())))"
    )
    told, found = lines_of("_kernel.inet_diag", code)
    assert len(told) == 3
    assert found == told
