# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables of real kernels, shown in a namespace whose kernel may have none."""

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._strange_nodes import (
    FIXTURES,
    seen_after,
    with_ipvs,
)

READ = "found = problems.Problems()\nprint(json.dumps([ipvs.read(found)[0], found.found]))"


def ipvs_after(code):
    """IPVS as node_info documents it, and the problems."""
    return seen_after(code, "_observe.problems, _observe.ipvs", READ)


@pytest.mark.parametrize("kernel", sorted(path.name for path in FIXTURES.iterdir()))
def test_the_tables_of_a_real_kernel_with_ipvs(kernel):
    ipvs, problems = ipvs_after(with_ipvs(kernel, "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300"))
    assert problems == []
    assert (ipvs["loaded"], ipvs["timeouts"]) == (True, {"tcp": 900, "tcpfin": 120, "udp": 300})
    assert ipvs["timeouts_from"] == "ipvsadm"
    assert ipvs["connections"] == {"TCP": {"ASSURED": 1, "ESTABLISHED": 4, "TIME_WAIT": 1}, "UDP": {"UDP": 1}}
    assert ipvs["cut_within"] == {"60": 0, "300": 0, "900": 4}
    assert (len(ipvs["services"]), ipvs["services_omitted"], ipvs["services_by_mark"]) == (5, 0, 1)
    assert ipvs["draining"] == []
    assert ipvs["totals"] == {
        "services": 5,
        "real_servers": 7,
        "persistent": 1,
        "scattering": 1,
        "draining": 0,
        "draining_connections": 0,
        "tcp_services": 4,
    }
    assert [(each["idle_seconds"], each["seconds_left"]) for each in ipvs["idlest"]] == [(5, 895)] * 4
    assert sorted(ipvs["idlest"][0]) == ["client", "idle_seconds", "real_server", "seconds_left", "service"]
    assert {
        "protocol": "UDP",
        "address": "10.96.0.10",
        "port": 53,
        "fwmark": None,
        "scheduler": "rr",
        "flags": "",
        "real_servers": 1,
    } in ipvs["services"]


def test_services_by_firewall_mark_are_counted_where_they_are_not_listed():
    lines = "".join(f"FWM  {mark:08X} rr \\n" for mark in range(1, 151))
    code = with_ipvs("6.1.0-56-cloud-amd64", "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300")
    ipvs, problems = ipvs_after(f"{code}write('/proc/net/ip_vs', '{lines}')\n")
    assert (problems, len(ipvs["services"]), ipvs["services_by_mark"]) == ([], 100, 150)


def test_a_timeout_that_is_lower_than_it_was_does_not_tell_how_long_connections_were_idle():
    ipvs, _problems = ipvs_after(
        with_ipvs("6.1.0-56-cloud-amd64", "echo Timeout \\\\(tcp tcpfin udp\\\\): 890 120 300")
    )
    assert [(each["idle_seconds"], each["seconds_left"]) for each in ipvs["idlest"]] == [(None, 895)] * 4


def test_garbage_from_ipvsadm_is_a_problem_and_the_rest_still_counts():
    ipvs, problems = ipvs_after(with_ipvs("6.1.0-56-cloud-amd64", "echo garbage"))
    assert (ipvs["timeouts"], ipvs["timeouts_from"]) == (None, None)
    assert len(ipvs["services"]) == 5
    assert [(each["idle_seconds"], each["seconds_left"]) for each in ipvs["idlest"]] == [(None, 895)] * 4
    (problem,) = problems
    assert (problem["id"], problem["what"]) == ("ipvs-timeouts", "IPVS timeouts")
    assert problem["why"].endswith(
        "ipvsadm -l --timeout: printed 'garbage', expected 'Timeout (tcp tcpfin udp): 900 120 300'."
    )


def test_tables_that_make_no_sense_or_cannot_be_read_are_problems():
    code = with_ipvs("6.1.0-56-cloud-amd64", "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300") + (
        "write('/proc/net/ip_vs', 'nonsense\\nnonsense\\n')\nos.remove('/proc/net/ip_vs_conn')\n"
        "os.mkdir('/proc/net/ip_vs_conn')\n"
    )
    ipvs, problems = ipvs_after(code)
    assert (ipvs["totals"]["services"], ipvs["services"], ipvs["connections"]) == (0, [], {})
    assert [(problem["what"], problem["why"]) for problem in problems] == [
        ("/proc/net/ip_vs", "2 lines make no sense"),
        ("/proc/net/ip_vs_conn", "Is a directory"),
    ]


def test_virtual_services_that_cannot_be_read_are_not_none_at_all():
    code = with_ipvs("6.1.0-56-cloud-amd64", "echo Timeout \\\\(tcp tcpfin udp\\\\): 900 120 300")
    ipvs, problems = ipvs_after(code + "os.remove('/proc/net/ip_vs')\nos.mkdir('/proc/net/ip_vs')\n")
    assert (ipvs["totals"], ipvs["services"], ipvs["draining"]) == (None, [], [])
    assert [(problem["what"], problem["why"]) for problem in problems] == [("/proc/net/ip_vs", "Is a directory")]
