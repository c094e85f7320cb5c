# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections on several paths, idle beyond the limits of these. Run: pytest tests/lab/test_paths.py."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.lab import paths
from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, observed, rows_of
from ansible_collections.kubenode.connections.tests.lab.vm import Lab

SERIES = "6.1"
ANSWERED, RESET = "answered", "ECONNRESET"
CUT = ("closed", RESET, "EPIPE")
PROXY = {"name": "relay", "seconds": paths.RELAY_SECONDS, "proxy": True, "destinations": ["10.4.0.2:7000"]}
HOURS = r"keepalive,1[12]\dmin,0"


@dataclass(frozen=True)
class Story:
    """Two audits, the second with the proxy declared, and what came of the connections of each pod afterwards."""

    audit: dict[str, Any]
    declared: dict[str, Any]
    used: dict[str, list[dict[str, Any]]]

    def got(self, pod: str) -> list[str]:
        return [each["got"] for each in self.used[pod]]

    def pod(self, name: str) -> dict[str, Any]:
        return rows_of(self.audit["nodes"][0])[f"shop/{name}-0"]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    lab = Lab("paths")
    try:
        vm = lab.up([SERIES])[0]
        vm.reset()
        paths.make_node(vm)
        playbooks = Playbooks(vm, tmp_path_factory.mktemp("paths"))
        playbooks.audit()
        audit = playbooks.document()
        playbooks.audit(keepalive_middleboxes=[PROXY])
        paths.be_quiet(vm)
        time.sleep(paths.IDLE_SECONDS)
        yield Story(audit, playbooks.document(), paths.use(vm))
    finally:
        lab.down()


def destination(name: str, row: dict[str, Any]) -> dict[str, Any]:
    (found,) = [each for each in row["outside"] if each["destination"] == name]
    return dict(found)


def test_nat_forgets_those_that_do_not_probe_and_the_audit_counts_these(story: Story) -> None:
    assert story.got("cart") == [RESET, RESET, RESET, ANSWERED]
    pooler = destination("203.0.113.2:6432", story.pod("cart"))
    assert (pooler["connections"], pooler["at_risk"], pooler["without_keepalive"], pooler["undecided"]) == (4, 3, 3, 0)
    assert pooler["limit"]["name"] == "conntrack established"
    (process,) = pooler["processes"]
    assert (process["name"], process["without_keepalive"]) == ("python3", 3)
    (told,) = observed("outside-without-keepalive", story.audit)
    assert re.fullmatch(
        r"3 connections without SO_KEEPALIVE: shop/cart-0: 3 of python3 \(\d+\) to 203\.0\.113\.2:6432 \[python\]", told
    )


def test_a_proxy_cuts_what_probes_in_time_and_no_keepalive_is_planned_for_it(story: Story) -> None:
    direct, through = story.got("mail")
    assert (direct, story.used["mail"][1]["chat"]) == (ANSWERED, ANSWERED)
    assert through in CUT
    (told,) = observed("proxy-on-path", story.declared)
    assert told == "relay: 20 s"
    assert observed("proxy-on-path", story.audit) == []
    assert story.declared["keepalive"] == story.audit["keepalive"]
    assert [each["name"] for each in story.declared["limits"]] == ["IPVS tcp", "conntrack established"]
    (node,) = story.declared["nodes"]
    row = rows_of(node)["shop/mail-0"]
    relayed, behind = (destination(name, row) for name in ("10.4.0.2:7000", "10.2.0.2:80"))
    assert [(each["undecided"], each["at_risk"]) for each in (relayed, behind)] == [(1, 0), (0, 0)]
    assert (story.pod("mail")["verdict"], row["verdict"]) == ("safe", "unknown")
    assert node["why"].endswith("; not for connections through relay (20 s), where keepalive does not count")


def test_a_server_that_probes_keeps_a_connection_of_a_client_that_does_not(story: Story) -> None:
    assert story.got("queue") == [ANSWERED, RESET]


def test_a_lower_sysctl_leaves_an_old_timer_though_getsockopt_tells_the_new_value(story: Story) -> None:
    old, old_outside, new, new_outside = story.used["stock"]
    for each in (old, old_outside):
        assert re.fullmatch(HOURS, each["armed"])
        assert (each["keepidle"], each["got"]) == (4, RESET)
    for each in (new, new_outside):
        assert not re.fullmatch(HOURS, each["armed"])
        assert (each["keepidle"], each["got"]) == (4, ANSWERED)


def test_the_audit_counts_the_old_timers_as_late_and_the_new_ones_not(story: Story) -> None:
    row = story.pod("stock")
    pooler = destination("203.0.113.2:6432", row)
    assert (row["verdict"], row["to_services"], row["late"], row["undecided"]) == ("unsafe", 2, 1, 0)
    assert (pooler["connections"], pooler["late"], pooler["undecided"], pooler["at_risk"]) == (2, 1, 0, 1)
    assert observed("connections-armed-late", story.audit) == ["1 open connection to services in shop/stock-0 (1)"]
    (outside,) = observed("outside-armed-late", story.audit)
    assert outside.endswith(": shop/stock-0: 1 to 203.0.113.2:6432")
