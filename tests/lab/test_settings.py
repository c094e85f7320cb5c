# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What settings of IPVS and conntrack do to connections, by the playbooks. Run: pytest tests/lab/test_settings.py."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, observed
from ansible_collections.kubenode.connections.tests.lab.stories import Stories
from ansible_collections.kubenode.connections.tests.lab.vm import KERNELS, Vm
from ansible_collections.kubenode.connections.tests.proof.play import IN_GUEST, guest, put_programs, start_server

SERIES = (next(iter(KERNELS)), next(reversed(KERNELS)))
"""The oldest kernel and the newest."""
SLOPPY = SERIES[-1]
"""Where the role is asked for sloppy_tcp, too: it changes what becomes of others."""
PROGRAM = Path(__file__).parent / "guest/effects.py"
READY_SECONDS = 120
SAMPLE_SECONDS = 2
SHORT_SECONDS = 6
GIVEN = {
    "timeouts": "900 120 300",
    "net.ipv4.vs.conn_reuse_mode": "0",
    "net.ipv4.vs.expire_nodest_conn": "0",
    "net.ipv4.vs.expire_quiescent_template": "0",
    "net.ipv4.vs.sloppy_tcp": "0",
    "net.netfilter.nf_conntrack_tcp_be_liberal": "0",
}
"""In force without the role: the kernel's own, but for conn_reuse_mode, which is kube-proxy's on kernels before 5.9."""


def asked_for(series: str) -> dict[str, Any]:
    """The role's variables."""
    return {
        "keepalive_ipvs_timeouts": {"tcpfin": SHORT_SECONDS, "udp": SHORT_SECONDS},
        "keepalive_conn_reuse_mode": "auto",
        "keepalive_expire_nodest_conn": True,
        "keepalive_expire_quiescent_template": True,
        "keepalive_sloppy_tcp": series == SLOPPY,
        "keepalive_be_liberal": True,
    }


def wanted(series: str) -> dict[str, str]:
    """What is in force with them."""
    return dict.fromkeys(GIVEN, "1") | {
        "timeouts": f"900 {SHORT_SECONDS} {SHORT_SECONDS}",
        "net.ipv4.vs.sloppy_tcp": "1" if series == SLOPPY else "0",
    }


@dataclass(frozen=True)
class Moment:
    """The settings in force, what becomes of connections (guest/effects.py), and the report on the busy node."""

    values: dict[str, str]
    effects: dict[str, Any]
    report: dict[str, Any]

    @property
    def findings(self) -> set[str]:
        return {finding["id"] for finding in self.report["findings"]}


@dataclass(frozen=True)
class Story:
    """A node before the role and after it, and its settings after restore.

    drains: how long the entries of the real server with weight 0 last at most, seconds by state, as the kernel says.
    """

    before: Moment
    after: Moment
    restored: dict[str, str]
    drains: dict[str, int]


def play(vm: Vm, folder: Path) -> Story:
    """Measure, audit, apply, measure, restore."""
    playbooks = Playbooks(vm, folder)
    put_programs(vm, PROGRAM)
    vm.run(["mkdir", "-p", "/run/proof"])
    guest(vm, "effects.py", "build")
    for name in ("s1", "s2"):
        start_server(vm, name, name)
    given, effects = values(vm), measure(vm)

    vm.run(["systemd-run", "--quiet", "--unit=busy", "python3", f"{IN_GUEST}/effects.py", "busy"])
    vm.run(["timeout", str(READY_SECONDS), "sh", "-c", "until test -e /run/proof/busy; do sleep 0.2; done"])
    playbooks.run("audit", keepalive_sample_seconds=SAMPLE_SECONDS)
    before, drains = Moment(given, effects, playbooks.document()), json.loads(guest(vm, "effects.py", "drains"))
    playbooks.run("apply", keepalive_sample_seconds=SAMPLE_SECONDS, **asked_for(vm.series))
    vm.run(["touch", "/run/proof/quiet"])

    after = Moment(values(vm), measure(vm), playbooks.document())
    playbooks.run("restore")
    return Story(before, after, values(vm), drains)


def values(vm: Vm) -> dict[str, str]:
    """The settings in force."""
    keys = [key for key in GIVEN if key != "timeouts"]
    shown = vm.run(["sysctl", "-n", *keys]).stdout.split()
    timeouts = vm.run(["ipvsadm", "-l", "--timeout"]).stdout.partition(": ")[2].strip()
    return {"timeouts": timeouts, **dict(zip(keys, shown, strict=True))}


def measure(vm: Vm) -> dict[str, Any]:
    """What becomes of connections now."""
    return dict(json.loads(guest(vm, "effects.py", "measure")))


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories[Story]]:
    made = Stories("owners", SERIES, tmp_path_factory.mktemp("stories"), play)
    yield made
    made.end()


@pytest.fixture(params=SERIES)
def story(request: pytest.FixtureRequest, stories: Stories[Story]) -> Story:
    return stories.of(request.param)


@pytest.fixture
def sloppy(story: Story) -> bool:
    """Whether the role was asked for sloppy_tcp."""
    return story.after.values["net.ipv4.vs.sloppy_tcp"] == "1"


@pytest.mark.parametrize("series", SERIES)
def test_the_role_sets_what_is_asked_for_and_restore_gives_it_back(series: str, stories: Stories[Story]) -> None:
    story = stories.of(series)
    assert (story.before.values, story.after.values, story.restored) == (GIVEN, wanted(series), GIVEN)


def test_a_connection_that_the_server_has_closed_is_forgotten_after_the_shorter_tcpfin(story: Story) -> None:
    before, after = (moment.effects["fin_wait"] for moment in (story.before, story.after))
    assert before["seconds"] > SHORT_SECONDS >= after["seconds"]
    assert (before["state"], before["later"], after["state"], after["later"]) == ("FIN_WAIT", True, "FIN_WAIT", False)


def test_a_client_of_udp_that_keeps_its_port_goes_to_another_server_after_the_shorter_udp(story: Story) -> None:
    before, after = (moment.effects["udp"] for moment in (story.before, story.after))
    assert before["seconds"] > SHORT_SECONDS >= after["seconds"]
    assert (before["same_server"], after["same_server"]) == (True, False)


def test_expire_nodest_conn_tells_the_client_whose_real_server_is_gone(story: Story) -> None:
    assert (story.before.effects["removed"], story.after.effects["removed"]) == ("hangs", "ECONNRESET")


def test_with_sloppy_tcp_it_hangs_all_the_same_where_no_real_server_is_left(story: Story, sloppy: bool) -> None:
    assert story.before.effects["last_removed"] == "hangs"
    assert story.after.effects["last_removed"] == ("hangs" if sloppy else "ECONNRESET")


def test_expire_quiescent_template_leads_a_client_away_from_a_real_server_with_weight_0(story: Story) -> None:
    assert (story.before.effects["affine"], story.after.effects["affine"]) == ("stays", "goes to another")


def test_sloppy_tcp_picks_up_a_forgotten_connection_but_maybe_at_the_wrong_server(story: Story, sloppy: bool) -> None:
    reset, picked_up = ["ECONNRESET"], ["answered"]
    assert story.before.effects["forgotten"] == {"one": reset, "two": reset}
    assert story.after.effects["forgotten"] == {
        "one": picked_up if sloppy else reset,
        "two": reset + picked_up if sloppy else reset,
    }


def test_the_audit_says_that_packets_are_invalid_now_and_be_liberal_ends_that(story: Story) -> None:
    (seen,) = observed("conntrack-invalid-grows", story.before.report)
    assert re.fullmatch(
        r"[1-9]\d* more packets INVALID in \d+\.\d s, net\.netfilter\.nf_conntrack_tcp_be_liberal 0", seen
    )
    (node,) = story.after.report["nodes"]
    assert node["growth"]["conntrack"]["invalid"] == 0


def test_the_audit_says_what_drains_and_how_long_at_most(story: Story) -> None:
    server = "TCP 10.2.0.2:80 of 10.96.0.10:8005: 1 active, 1 inactive, at most 900 s"
    seen = f"1 real server with weight 0 and 2 connections: {server}"
    assert observed("real-servers-draining", story.before.report) == [seen]
    assert story.drains["FIN_WAIT"] <= 120 < story.drains["ESTABLISHED"] <= 900


def test_what_the_audit_names_is_cured(story: Story, sloppy: bool) -> None:
    named = {"conn-reuse-mode-off", "expire-nodest-off", "expire-quiescent-off", "conntrack-invalid-grows"}
    assert story.before.findings & named == named
    assert story.after.findings & named == set()
    assert ("sloppy-tcp-on" in story.after.findings) == sloppy
