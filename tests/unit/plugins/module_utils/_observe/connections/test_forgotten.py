# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import socket

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_tables
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.inet_diag import Socket
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.namespaces import Space
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import forgotten, tallies

ENTRY = "TCP 0A010002 E052 0A60000A 0050 0A020002 1F90 ESTABLISHED     800\n"
SIX = (
    "TCP fd00:0001:0000:0000:0000:0000:0000:0002 E052 fd00:0096:0000:0000:0000:0000:0000:000a 0050 "
    "fd00:0002:0000:0000:0000:0000:0000:0002 1F90 ESTABLISHED     800\n"
)
HEAD = "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
SERVICE = (socket.inet_aton("10.96.0.10"), 80)
NAMES = {SERVICE: "10.96.0.10:80"}
LOST = frozenset({"0A010002 E052 0A60000A 0050"})


def established(idle_ms=60000, client="10.1.0.2", service="10.96.0.10", port=57426, timer=0):
    family = socket.AF_INET6 if ":" in client else socket.AF_INET
    near, far = (socket.inet_pton(family, each) for each in (client, service))
    return Socket(family, near, port, far, 80, timer, 0, 0, 0, idle_ms)


def own(silent=tuple(LOST), tracked=False, tables=None, is_own=True):
    inside = {"silent": list(silent), "tracked": tracked, "tables": tables}
    return Space(1 if is_own else 2, is_own, [], [], None, None, inside, None, "", False)


def read(tmp_path, *entries, spaces=None, addresses=(SERVICE,)):
    table = tmp_path / "ip_vs_conn"
    table.write_text("".join([HEAD, *entries]))
    return forgotten.read([own()] if spaces is None else spaces, addresses, "/proc", str(table))


@pytest.mark.parametrize(
    ("found", "entry"),
    [
        (established(), ENTRY),
        (established(client="fd00:1::2", service="fd00:96::a"), SIX),
    ],
)
def test_a_flow_is_written_as_the_table_has_it(found, entry):
    assert forgotten.flow_of(found) == " ".join(entry.split()[1:5])


def test_what_the_table_does_not_have_is_lost(tmp_path):
    assert read(tmp_path) == LOST
    assert read(tmp_path, ENTRY.replace("E052", "E053"), ENTRY.replace("TCP", "UDP")) == LOST


@pytest.mark.parametrize("entry", [ENTRY, ENTRY.replace("ESTABLISHED", "FIN_WAIT")])
def test_what_it_has_is_not(tmp_path, entry):
    assert read(tmp_path, entry) == frozenset()


NOT_TOLD = [
    pytest.param({"spaces": [own(tracked=True)]}, id="it may be translated before"),
    pytest.param({"spaces": [own(), own((), tables={"ipvs": {}, "errors": ["x"]}, is_own=False)]}, id="other tables"),
    pytest.param({"spaces": [own(), own((), tables={"ipvs": {"services": 1}, "errors": []}, is_own=False)]}, id="IPVS"),
    pytest.param({"spaces": [own(is_own=False)]}, id="a namespace of nobody, behind what may translate"),
    pytest.param({"addresses": [(SERVICE[0], 81)]}, id="no service of this node's IPVS"),
    pytest.param({"addresses": []}, id="no service at all"),
]


@pytest.mark.parametrize("given", NOT_TOLD)
def test_where_no_entry_tells_nothing_it_is_not_called_lost(tmp_path, given):
    assert read(tmp_path, **given) == frozenset()


def test_a_table_that_takes_too_long_tells_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(ipvs_tables, "_WALK_SECONDS", -1)
    assert read(tmp_path) == frozenset()


def test_a_table_that_cannot_be_read_tells_nothing(tmp_path):
    assert forgotten.read([own()], [SERVICE], "/proc", str(tmp_path / "none")) == frozenset()


def test_a_lost_connection_is_counted_apart():
    count = tallies.tally([established(), established(port=57427)], NAMES, LOST)
    assert (count.connections, count.lost, count.silent) == (2, 1, ["0A010002 E053 0A60000A 0050"])
    assert count.services.tallies["10.96.0.10:80"].without_keepalive == 1


@pytest.mark.parametrize("idle_ms", [0, 59999, None])
def test_a_connection_that_spoke_a_while_ago_or_may_have_is_not_looked_for(idle_ms):
    count = tallies.tally([established(idle_ms)], NAMES, LOST)
    assert (count.lost, count.silent) == (0, [])
    assert count.services.tallies["10.96.0.10:80"].connections == 1


def test_however_many_are_silent_few_are_looked_for():
    count = tallies.tally((established(port=port) for port in range(1, 30001)), NAMES)
    assert len(count.silent) == forgotten.MAX_IDLE
