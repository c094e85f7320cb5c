# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection tracking made for real: connections through a translation, in a network namespace of their own."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import conntrack_flows
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.conntrack_flows import Flow, Flows
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.netlink import (
    InterruptedDumpError,
    NetlinkError,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._real_sockets import lines_of

VIP, VIP6 = b"\x0a\x60\0\x0a", b"\xfd\0\0\x96" + b"\0" * 11 + b"\x10"

# As Linux 6.18 wrote them.
DIRECT = (
    b"ipv4     2 tcp      6 432000 ESTABLISHED src=127.0.0.1 dst=127.0.0.1 sport=46236 dport=8080 src=127.0.0.1 "
    b"dst=127.0.0.1 sport=8080 dport=46236 [ASSURED] mark=0 zone=0 use=2\n"
)
TRANSLATED = (
    b"ipv4     2 tcp      6 431999 ESTABLISHED src=10.96.0.9 dst=10.96.0.10 sport=33804 dport=80 src=127.0.0.1 "
    b"dst=10.96.0.9 sport=8080 dport=33804 [ASSURED] mark=0 zone=0 use=2\n"
)
SIX = (
    b"ipv6     10 tcp      6 299 ESTABLISHED src=fd00:0096:0000:0000:0000:0000:0000:0009 "
    b"dst=fd00:0096:0000:0000:0000:0000:0000:0010 sport=60448 dport=80 src=0000:0000:0000:0000:0000:0000:0000:0001 "
    b"dst=fd00:0096:0000:0000:0000:0000:0000:0009 sport=8080 dport=60448 [ASSURED] mark=0 zone=0 use=2\n"
)

LINES = [
    pytest.param(TRANSLATED, [Flow((VIP, 80), 431999)], id="a translated address and port"),
    pytest.param(SIX, [Flow((VIP6, 80), 299)], id="IPv6"),
    pytest.param(TRANSLATED.replace(b"127.0.0.1", b"10.96.0.10"), [Flow((VIP, 80), 431999)], id="the port alone"),
    pytest.param(TRANSLATED.replace(b"8080", b"80"), [Flow((VIP, 80), 431999)], id="the address alone"),
    pytest.param(
        TRANSLATED.replace(b"dport=80 ", b"dport=80 zone-orig=3 packets=4 bytes=700 ").replace(
            b"dport=33804 ", b"dport=33804 zone-reply=3 packets=4 bytes=700 "
        ),
        [Flow((VIP, 80), 431999)],
        id="with counters and zones",
    ),
    pytest.param(
        TRANSLATED.replace(b"431999 ESTABLISHED ", b"").replace(b"ASSURED", b"OFFLOAD"),
        [Flow((VIP, 80), None)],
        id="a flow table has taken it over",
    ),
    pytest.param(DIRECT, [], id="nothing is translated"),
    pytest.param(TRANSLATED.replace(b"ESTABLISHED", b"TIME_WAIT"), [], id="another state"),
    pytest.param(TRANSLATED.replace(b"[ASSURED] ", b""), [], id="not yet answered"),
    pytest.param(TRANSLATED.replace(b"tcp      6", b"udp      17").replace(b" ESTABLISHED", b""), [], id="UDP"),
    pytest.param(TRANSLATED.replace(b"10.96.0.10", b"10.96.0.310"), [], id="no address"),
    pytest.param(TRANSLATED.replace(b"dport=80", b"dport=80000"), [], id="no port"),
    pytest.param(TRANSLATED[:90], [], id="cut off"),
]


@pytest.mark.parametrize(("line", "flows"), LINES)
def test_a_line(line, flows):
    assert list(conntrack_flows.parse([line])) == flows


def test_flows_are_counted_by_the_seconds_that_are_left():
    seconds = (0, 60, 61, 300, 900, 901, None)
    flows = [Flow((VIP, 80), each) for each in seconds] + [Flow((VIP6, 80), 432000)]
    assert conntrack_flows.collect(flows) == Flows({(VIP, 80), (VIP6, 80)}, {"60": 2, "300": 4, "900": 5}, None)


def test_no_more_destinations_are_kept_than_so_many(monkeypatch):
    monkeypatch.setattr(conntrack_flows, "MAX_DESTINATIONS", 2)
    flows = [Flow((VIP, port), 5) for port in (1, 2, 1, 3)]
    assert conntrack_flows.collect(flows) == Flows(
        {(VIP, 1), (VIP, 2)}, {"60": 4, "300": 4, "900": 4}, "there are more than 2 translated destinations"
    )


TRANSLATE = r"""
for program, address, to in (('iptables', '10.96.0.10', '127.0.0.1:8080'), ('ip6tables', 'fd00:96::10', '[::1]:8080')):
    rule = ['-A', 'OUTPUT', '-d', address, '-p', 'tcp', '--dport', '80', '-j', 'DNAT', '--to', to]
    subprocess.check_call([program, '-t', 'nat'] + rule)
subprocess.check_call(['ip', 'address', 'add', '10.96.0.9/24', 'dev', 'lo'])
subprocess.check_call(['ip', 'address', 'add', 'fd00:96::9/64', 'dev', 'lo', 'nodad'])
def to_service(server, host):
    client = socket.create_connection((host, 80), 30)
    kept.extend([client, server.accept()[0]])
    return client
four, six = listen('127.0.0.1', 8080), listen('::1', 8080)
def show_flows(read):
    seen = read()
    found = sorted([address.hex(), port] for address, port in seen.destinations)
    print(json.dumps([found, seen.cut_within, seen.error]))
"""
NEVER = {"60": 0, "300": 0, "900": 0}


@pytest.mark.parametrize("way", ["read", "_ask_netlink"])
def test_real_translated_connections(way):
    code = TRANSLATE + (
        "to_service(four, '10.96.0.10'); to_service(four, '10.96.0.10'); to_service(six, 'fd00:96::10')\n"
        "connect(listen('127.0.0.1', 81), '127.0.0.1')\n"
        f"show_flows(conntrack_flows.{way})\n"
        "with open('/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established', 'w') as file: file.write('200')\n"
        "to_service(four, '10.96.0.10')\n"
        f"show_flows(conntrack_flows.{way})"
    )
    before, after = lines_of("_kernel.conntrack_flows", code)
    services = [[VIP.hex(), 80], [VIP6.hex(), 80]]
    assert before == [services, NEVER, None]
    assert after == [services, {"60": 0, "300": 1, "900": 1}, None]


@pytest.mark.parametrize("way", ["read", "_ask_netlink"])
def test_a_connection_that_was_closed_is_not_established(way):
    code = TRANSLATE + (
        "to_service(four, '10.96.0.10').close(); kept.pop().close()\n" + f"show_flows(conntrack_flows.{way})"
    )
    assert lines_of("_kernel.conntrack_flows", code) == [[[], NEVER, None]]


def test_without_root_it_says_so():
    code = "os.setgroups([]); os.setgid(65534); os.setuid(65534)\nprint(json.dumps(conntrack_flows.read().error))"
    assert lines_of("_kernel.conntrack_flows", code) == ["/proc/net/nf_conntrack: Permission denied"]


HIDE = (
    "subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/proc/sys/net'])\n"  # as on a kernel without conntrack
    "subprocess.check_call(['mount', '-t', 'tmpfs', 'none', '/sys/module'])\n"
    "print(json.dumps([list(each or ()) for each in conntrack_flows.read()]))"
)


def test_where_there_is_no_connection_tracking_nothing_is_missing():
    assert lines_of("_kernel.conntrack_flows", HIDE, ("unshare", "-mn")) == [[[], [], []]]


def nowhere():
    raise FileNotFoundError(2, "No such file or directory")


def test_without_the_file_netlink_is_asked_unless_that_loads_a_module(monkeypatch):
    monkeypatch.setattr(conntrack_flows, "module_loaded", lambda name: name == "nf_conntrack")
    monkeypatch.setattr(conntrack_flows, "_read_file", nowhere)
    monkeypatch.setattr(conntrack_flows, "_read_netlink", lambda: iter([Flow((VIP, 80), 5)]))
    monkeypatch.setattr(conntrack_flows, "use_loads_nothing", lambda name: name == "nf_conntrack_netlink")
    assert conntrack_flows.read().destinations == {(VIP, 80)}
    monkeypatch.setattr(conntrack_flows, "use_loads_nothing", lambda _name: False)
    assert conntrack_flows.read() == Flows(
        set(), None, "/proc/net/nf_conntrack is not there, and asking netlink would load nf_conntrack_netlink"
    )


FAILURES = [
    pytest.param(NetlinkError("Operation not permitted"), "Operation not permitted", 1, id="the kernel refuses"),
    pytest.param(OSError(93, "Protocol not supported"), "Protocol not supported", 1, id="no such netlink"),
    pytest.param(
        InterruptedDumpError("the table kept changing while it was read"),
        "the table kept changing while it was read",
        3,
        id="the table never holds still",
    ),
]


@pytest.mark.parametrize(("error", "text", "attempts"), FAILURES)
def test_a_dump_that_fails(monkeypatch, error, text, attempts):
    asked = []

    def read():
        asked.append(1)
        yield Flow((VIP, 80), 5)
        raise error

    monkeypatch.setattr(conntrack_flows, "_read_netlink", read)
    assert conntrack_flows._ask_netlink() == Flows(set(), None, f"connection tracking's table through netlink: {text}")
    assert len(asked) == attempts


def attribute(kind, content):
    return struct.pack("=HH", 4 + len(content), kind) + content + bytes(-len(content) % 4)


def ends(source, source_port, destination, destination_port, protocol=6, flag=0x8000):
    """A tuple as ctnetlink_dump_tuples in the kernel's net/netfilter/nf_conntrack_netlink.c writes it."""
    kinds = (1, 2) if len(source) == 4 else (3, 4)
    addresses = attribute(kinds[0], source) + attribute(kinds[1], destination)
    ports = attribute(2, struct.pack(">H", source_port)) + attribute(3, struct.pack(">H", destination_port))
    return attribute(flag | 1, addresses) + attribute(flag | 2, attribute(1, bytes([protocol])) + ports)


POD, BACKEND = b"\x0a\x01\0\x02", b"\x0a\x02\0\x02"


def message(status=0x2E, state=3, answering=BACKEND, protocol=6, timeout=431998, without=()):
    parts = {
        1: attribute(0x8001, ends(POD, 40000, VIP, 80, protocol)),
        2: attribute(0x8002, ends(answering, 80, POD, 40000, protocol)),
        3: attribute(3, struct.pack(">I", status)),
        7: attribute(7, struct.pack(">I", timeout)),
        4: attribute(0x8004, attribute(0x8001, attribute(1, bytes([state])))),
        8: attribute(8, bytes(4)),
    }
    return bytes([2, 0, 0, 0]) + b"".join(part for kind, part in parts.items() if kind not in without)


def parsed(data):
    return conntrack_flows.parse_message(bytearray(data), 0, len(data))


MESSAGES = [
    pytest.param(message(), Flow((VIP, 80), 431998), id="a translated flow"),
    pytest.param(message(status=0x402E), Flow((VIP, 80), None), id="a flow table has taken it over"),
    pytest.param(message(status=0x2A), None, id="not assured"),
    pytest.param(message(state=7), None, id="another state"),
    pytest.param(message(answering=VIP), None, id="nothing is translated"),
    pytest.param(message(protocol=17), None, id="UDP"),
    pytest.param(message(without=[7]), Flow((VIP, 80), None), id="no seconds"),
    pytest.param(message(without=[1]), None, id="no original tuple"),
    pytest.param(message(without=[2]), None, id="no reply tuple"),
    pytest.param(message(without=[3]), None, id="no status"),
    pytest.param(message(without=[4]), None, id="no state"),
    pytest.param(b"", None, id="nothing"),
]


@pytest.mark.parametrize(("data", "flow"), MESSAGES)
def test_a_message(data, flow):
    assert parsed(data) == flow


def test_a_message_whose_parts_do_not_fit():
    with pytest.raises(NetlinkError, match=r"^an attribute of 8 bytes does not fit the 7 that are left$"):
        parsed(message()[:-1])


@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(st.integers(0, len(message()) - 1), st.integers(0, 255)).map(
            lambda change: message()[: change[0]] + bytes([change[1]]) + message()[change[0] + 1 :]
        ),
    )
)
def test_no_message_makes_the_parser_raise_anything_else(data):
    try:
        flow = parsed(data)
    except NetlinkError:
        return
    assert flow is None or len(flow.destination[0]) in (4, 16)


@given(st.lists(st.binary()), st.integers(0, len(TRANSLATED) - 1), st.binary(min_size=1, max_size=1))
def test_no_lines_make_the_parser_raise(lines, at, byte):
    json.dumps(
        [flow.seconds for flow in conntrack_flows.parse([*lines, TRANSLATED[:at] + byte + TRANSLATED[at + 1 :]])]
    )
