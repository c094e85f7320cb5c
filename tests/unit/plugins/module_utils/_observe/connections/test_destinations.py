# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import conntrack_flows
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.conntrack_flows import Flows
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import destinations
from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections.destinations import Destinations

VIP, VIP6 = b"\x0a\x60\0\x0a", b"\xfd\0\0\x96" + b"\0" * 11 + b"\x10"
FLOW = (b"\x0a\x60\0\x0b", 443)


@pytest.fixture(autouse=True)
def flows(monkeypatch):
    """What connection tracking is asked, counted; its own tests read a real one."""
    asked = []

    def read():
        asked.append(1)
        return Flows({FLOW}, {"60": 0, "300": 1, "900": 2}, None)

    monkeypatch.setattr(conntrack_flows, "read", read)
    return asked


SERVICES = [
    pytest.param([(VIP, 80)], {(VIP, 80): "10.96.0.10:80"}, id="IPv4"),
    pytest.param([(VIP6, 80)], {(VIP6, 80): "[fd00:96::10]:80"}, id="IPv6"),
]


@pytest.mark.parametrize("mode", [None, "ipvs"])
@pytest.mark.parametrize(("addresses", "names"), SERVICES)
def test_the_services_of_ipvs(flows, addresses, names, mode):
    assert destinations.read(addresses, mode) == Destinations(names, None, [])
    assert flows == []


@pytest.mark.parametrize("mode", [None, "ipvs", "iptables"])
def test_where_ipvs_has_no_services_it_is_those_that_connections_were_translated_for(mode):
    assert destinations.read([], mode) == Destinations({FLOW: "10.96.0.11:443"}, {"60": 0, "300": 1, "900": 2}, [])


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_services_of_ipvs_next_to_a_kube_proxy_without_it_are_both_counted(mode):
    assert destinations.read([(VIP, 80)], mode).names == {
        (VIP, 80): "10.96.0.10:80",
        FLOW: "10.96.0.11:443",
    }


def test_what_connection_tracking_cannot_tell_is_said(monkeypatch):
    monkeypatch.setattr(
        conntrack_flows, "read", lambda: Flows(set(), None, "/proc/net/nf_conntrack: Permission denied")
    )
    error = "/proc/net/nf_conntrack: Permission denied"
    assert destinations.read([], None) == Destinations({}, None, [error])
