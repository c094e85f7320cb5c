# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables of network namespaces made for real. The kernel here has no IPVS: its table is a file that each shows."""

import json

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import namespace_tables
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.namespace_tables import (
    Services,
    count_services,
    summary,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

HEADER = (
    "IP Virtual Server version 1.2.1 (size=4096)\n"
    "Prot LocalAddress:Port Scheduler Flags\n"
    "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
)
REAL_SERVER = "  -> 0A020001:1F90      Masq    1      0          0\n"
INGRESS = f"FWM  00000100 rr\n{REAL_SERVER}FWM  00000101 rr\n"
DNS = f"UDP  0A60000A:0035 rr\n{REAL_SERVER}"
SIGNALLING = "SCTP 0A60000A:0B54 rr\n"

PRELUDE = r"""
import json, os, subprocess, tempfile
from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import Timeouts
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_timeouts, namespaces
running = []
def namespace(established=None, *unshare):
    change = 'echo %s >/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established; ' % established
    command = ['unshare', '-n', *unshare, 'sh', '-c', (change if established else '') + 'echo; exec sleep 600']
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    running.append(process)
    process.stdout.readline()
    return os.stat('/proc/%d/ns/net' % process.pid).st_ino
def table(text, timeouts):
    # What every namespace shows, for the kernel has no IPVS.
    tables._SERVICES = tempfile.mkstemp(dir='/dev/shm')[1]
    with open(tables._SERVICES, 'w') as handle:
        handle.write(text)
    def get():
        if isinstance(timeouts, str):
            raise ipvs_timeouts.IpvsError(timeouts)
        return timeouts
    ipvs_timeouts.get_timeouts = get
def show(ipvs, conntrack):
    read = tables.reader(ipvs, conntrack)
    spaces = namespaces.read(inside=lambda pids: {'tables': read()}).spaces
    print(json.dumps([each.inside['tables'] for each in spaces]))
"""


def seen_after(code):
    rooms = "_observe.connections.namespace_tables as tables"
    return json.loads(run_python(rooms, PRELUDE + code, "unshare", "-pfmn", "--mount-proc").splitlines()[-1])


def test_the_callers_own_namespace_is_read_elsewhere():
    assert seen_after(f"table({HEADER + INGRESS!r}, Timeouts(900, 120, 300))\nshow(True, True)") == [None]


def test_where_the_kernel_has_neither_nothing_is_looked_at():
    assert seen_after("namespace()\ntables._own_inode = None\nshow(False, False)") == [None, None]


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        pytest.param("", None, id="no service"),
        pytest.param(INGRESS, {"services": 2, "tcp_services": 2}, id="by firewall mark, as in ingress_sbox"),
        pytest.param(DNS + SIGNALLING, {"services": 2, "tcp_services": 0}, id="none for TCP"),
        pytest.param(DNS + "TCP  [fd00::1]:0050 rr\n", {"services": 2, "tcp_services": 1}, id="one of them for TCP"),
    ],
)
def test_ipvs_of_another_namespace(services, expected):
    code = f"namespace()\ntable({HEADER + services!r}, Timeouts(300, 60, 60))\nshow(True, False)"
    own, other = seen_after(code)
    assert own is None
    timeouts = {"timeouts": {"tcp": 300, "tcpfin": 60, "udp": 60}}
    assert other["ipvs"] == (None if expected is None else dict(expected, **timeouts))
    assert (other["conntrack"], other["unprivileged"], other["errors"]) == (None, False, [])


def test_timeouts_that_the_kernel_refuses_are_told_and_the_services_stay():
    code = f"namespace()\ntable({HEADER + INGRESS!r}, 'Operation not permitted')\nshow(True, False)"
    _own, other = seen_after(code)
    assert other["ipvs"] == {"services": 2, "tcp_services": 2, "timeouts": None}
    assert other["errors"] == ["Operation not permitted"]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param("DCCP 0A60000A:0035 rr\n", "1 lines make no sense", id="a protocol of a later kernel"),
        pytest.param(DNS * 3, "none of the first 3 lines is a service for TCP, and there are more", id="very many"),
    ],
)
def test_a_table_that_does_not_tell_is_an_error(text, error):
    code = f"namespace()\ntables._MAX_LINES = 3\ntable({text!r}, Timeouts(900, 120, 300))\nshow(True, False)"
    _own, other = seen_after(code)
    assert [each.rpartition(": ")[2] for each in other["errors"]] == [error]


def test_connection_tracking_with_another_timeout_than_every_namespace_starts_with():
    _own, first, second, third = seen_after("namespace()\nnamespace(600)\nnamespace(86400)\nshow(False, True)")
    assert sorted(each["conntrack"]["established"] for each in (first, second, third) if each["conntrack"]) == [
        600,
        86400,
    ]
    assert {each["conntrack"]["entries"] for each in (first, second, third) if each["conntrack"]} == {0}


def test_a_namespace_of_an_ordinary_user_is_told_from_those_of_root():
    own, *others = seen_after("namespace(600)\nnamespace(700, '-U', '-r')\nshow(False, True)")
    assert own is None
    assert {each["conntrack"]["established"]: each["unprivileged"] for each in others} == {600: False, 700: True}


def test_so_it_is_where_the_table_cannot_be_read():
    code = "namespace()\nnamespace(None, '-U', '-r')\ntables._SERVICES = '/proc'\nshow(True, False)"
    _own, *others = seen_after(code)
    assert sorted((each["unprivileged"], *each["errors"]) for each in others) == [
        (False, "/proc: Is a directory"),
        (True, "/proc: Is a directory"),
    ]


def test_lines_of_a_table_are_counted():
    assert count_services((HEADER + INGRESS + DNS + "nonsense\n\n").encode().splitlines(True)) == Services(3, 2, 1)


def row(label, tcp=None, established=None, unprivileged=False, error=None):
    timeouts = {"tcp": tcp, "tcpfin": 120, "udp": 300}
    ipvs = {"services": 1, "tcp_services": 1, "timeouts": timeouts} if tcp else None
    conntrack = {"established": established, "entries": 1} if established else None
    tables = {"ipvs": ipvs, "conntrack": conntrack, "unprivileged": unprivileged, "errors": [error] if error else []}
    return {"kind": "other", "label": label, "netns": 7, "services": []}, tables


def test_the_lowest_limits_are_listed_and_all_others_are_counted():
    many = [row(f"lb_{number:03}", tcp=900) for number in range(150)]
    seen = summary(
        [*many, row("shop/api", established=600), row("user's", tcp=9, unprivileged=True), (row("x")[0], None)]
    )
    assert [each["label"] for each in seen["rows"][:2]] == ["shop/api", "lb_000"]
    assert (len(seen["rows"]), seen["omitted"], seen["unread"]) == (namespace_tables.MAX_ROWS, 52, 0)


def test_those_that_could_not_be_read_are_counted():
    seen = summary([row("a", error="no"), row("b", error="not either"), row("c")])
    assert seen == {"rows": [], "omitted": 0, "unread": 2, "error": "no"}


def test_those_of_an_ordinary_user_that_could_not_be_read_are_told_by_themselves():
    seen = summary([row("b", unprivileged=True, error="no"), row("c", tcp=900, unprivileged=True, error="not either")])
    assert (seen["unread"], seen["error"]) == (0, None)
    assert [(each["label"], each["unprivileged"], each["error"]) for each in seen["rows"]] == [
        ("c", True, "not either"),
        ("b", True, "no"),
    ]
