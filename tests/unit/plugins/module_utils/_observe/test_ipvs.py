# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._strange_nodes import (
    FIXTURES,
    seen_after,
    with_ipvs,
)

KERNEL = sorted(path.name for path in FIXTURES.iterdir())[0]
READ = "found = problems.Problems()\nprint(json.dumps([*ipvs.read(found), found.found], default=list))"
ROOMS = "_observe.problems, _observe.ipvs"


def test_without_ipvs_nothing_is_seen_and_nothing_is_wrong():
    node, addresses, problems = seen_after("empty_net()\n", ROOMS, READ)
    assert (node["loaded"], node["timeouts"], node["totals"], node["services"]) == (False, None, None, [])
    assert (addresses, problems) == ([], [])


def test_with_it_the_same_is_told_and_what_services_there_are():
    read = "found = problems.Problems()\nnode, places = ipvs.read(found)\n"
    code = with_ipvs(KERNEL, "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300")
    without = seen_after("empty_net()\n", ROOMS, READ)[0]
    node, ports = seen_after(code, ROOMS, read + "print(json.dumps([node, sorted(port for _address, port in places)]))")
    assert sorted(node) == sorted(without)
    assert (ports, without["services_by_mark"], node["services_by_mark"]) == ([80, 80, 443], 0, 1)
