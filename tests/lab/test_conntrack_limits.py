# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When connection tracking forgets, and when it has no room. Run: pytest tests/lab/test_conntrack_limits.py.

What docs/conntrack-expiry.md and the findings say of it, with limits of seconds in the place of minutes. tcp_loose is 0
but where it is asked for: with 1 the packet after the end may be picked up, and only luck tells the two apart.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.kubenode.connections.tests.lab.playbooks import Playbooks, observed, remedy
from ansible_collections.kubenode.connections.tests.lab.stories import Stories
from ansible_collections.kubenode.connections.tests.lab.vm import Vm
from ansible_collections.kubenode.connections.tests.proof.model import KEYS
from ansible_collections.kubenode.connections.tests.proof.play import (
    ATTEMPTS,
    IN_GUEST,
    STANDSTILL_SECONDS,
    guest,
    put_programs,
    start_server,
)

SERIES = ("5.10", "6.1")
PROGRAM = Path(__file__).parent / "guest/limits.py"
READY_SECONDS = 180
SERVICE = ("10.96.0.20", 80)
"""By connection tracking's NAT, one endpoint."""
TRACKING = "net.netfilter.nf_conntrack"
LOOSE, MAX = f"{TRACKING}_tcp_loose", f"{TRACKING}_max"
ESTABLISHED, CLOSE_WAIT = f"{TRACKING}_tcp_timeout_established", f"{TRACKING}_tcp_timeout_close_wait"
CAP, UNACKNOWLEDGED = f"{TRACKING}_tcp_timeout_max_retrans", f"{TRACKING}_tcp_timeout_unacknowledged"
CAP_SECONDS, LONGER_CAP_SECONDS, KERNELS_CAP_SECONDS = 3, 60, 300
CLOSE_WAIT_SECONDS, KUBE_PROXYS_CLOSE_WAIT_SECONDS, UNACKNOWLEDGED_SECONDS = 5, 3600, 9
DAY = 86400
LIMIT_SECONDS = 20
SHORT = {LOOSE: 0, CLOSE_WAIT: CLOSE_WAIT_SECONDS, CAP: CAP_SECONDS, UNACKNOWLEDGED: UNACKNOWLEDGED_SECONDS}
TIME, LATE_INTVL, SOON_INTVL, PROBES = 3, 7, 2, 9
"""A keepalive whose next probe comes after the cap (71/63 * 7 s > 3 s), or before (71/63 * 2 s)."""
PLANNED, NO_ROOM = (13, 1, 6), (16, 8, 9)
"""Below LIMIT_SECONDS: what the plan comes to, and what is in time only while no probe is lost (71/63 * 16 s)."""
ROOM = 65536
Results = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Case:
    """What is done (guest/limits.py), and what must come of it."""

    what: dict[str, Any]
    holds: Callable[[Mapping[str, Any]], bool]

    def is_met(self, got: Mapping[str, Any]) -> bool:
        """What went wrong on the way is no answer."""
        with contextlib.suppress(KeyError, TypeError):
            return self.holds(got)
        return False


def outage(intvl: int, holds: Callable[[Mapping[str, Any]], bool]) -> Case:
    """Of five probes the answers are lost: the peer is well, and the fourth unanswered one brings the cap."""
    options = {"TCP_KEEPIDLE": TIME, "TCP_KEEPINTVL": intvl, "TCP_KEEPCNT": PROBES}
    return Case({"kind": "outage", "answers": 5, "patience": intvl + 2, "options": options}, holds)


def forgotten_after_the_cap(got: Mapping[str, Any]) -> bool:
    *early, fourth, fifth = got["left"]
    whole = all(seconds is not None and seconds > LONGER_CAP_SECONDS for seconds in early)
    return whole and fourth <= CAP_SECONDS and (fifth, got["later"], got["got"]) == (None, None, "hangs")


def kept_below(cap: int) -> Callable[[Mapping[str, Any]], bool]:
    """The entry is capped as well, and the answer to a probe after the outage lifts that."""

    def holds(got: Mapping[str, Any]) -> bool:
        capped = all(seconds is not None and seconds <= cap for seconds in got["left"][3:])
        return capped and got["later"] > LONGER_CAP_SECONDS and got["got"] == "answered"

    return holds


def lost_probes(number: int, holds: Callable[[Mapping[str, Any]], bool]) -> Case:
    """A pod that is idle for longer than the limit, and so many of its probes are lost before the node sees them."""
    case = {"kind": "idle", "from": "own", "idle": LIMIT_SECONDS * 3 // 2}
    return Case({**case, "lose": number} if number else case, holds)


UNDER_SHORT = {
    "outage, next probe after the cap": outage(LATE_INTVL, forgotten_after_the_cap),
    "outage, next probe before the cap": outage(SOON_INTVL, kept_below(CAP_SECONDS)),
    "data": Case(
        {"kind": "unanswered", "wait": 7},
        lambda got: got["before"] > DAY - 60 and (got["left"] is None or got["left"] <= CAP_SECONDS),
    ),
    "half": Case(
        {"kind": "half_closed", "wait": 3 * CLOSE_WAIT_SECONDS},
        lambda got: got["left"] <= CLOSE_WAIT_SECONDS and got["got"] == "hangs",
    ),
    "flushed": Case({"kind": "flushed"}, lambda got: (got["got"], got["later"]) == ("hangs", None)),
    "picked up, not answered": Case({"kind": "unanswered", "wait": 1, "flush": True}, lambda got: got["left"] is None),
}
UNDER_LONG = {
    "outage, next probe before the longer cap": outage(LATE_INTVL, kept_below(LONGER_CAP_SECONDS)),
    "data": Case({"kind": "unanswered", "wait": 7}, lambda got: CAP_SECONDS < got["left"] <= LONGER_CAP_SECONDS),
    "half": Case(
        {"kind": "half_closed", "wait": 3 * CLOSE_WAIT_SECONDS},
        lambda got: got["left"] > KUBE_PROXYS_CLOSE_WAIT_SECONDS - 60 and got["got"] == "answered",
    ),
    "flushed": Case({"kind": "flushed"}, lambda got: got["got"] == "answered" and got["later"] > DAY - 60),
    "picked up, not answered": Case(
        {"kind": "unanswered", "wait": 1, "flush": True},
        lambda got: got["before"] is None and got["left"] <= UNACKNOWLEDGED_SECONDS,
    ),
}
WITHOUT_ROOM = {
    "no probe lost": lost_probes(0, lambda got: got["got"] == "answered"),
    "one probe lost": lost_probes(1, lambda got: got["got"] == "hangs"),
}
WITH_THE_PLAN = {
    f"{number} lost": lost_probes(number, lambda got, n=number: (got["got"], got["lost"]) == ("answered", n))
    for number in (1, 2)
}

STAGES = {"short": UNDER_SHORT, "long": UNDER_LONG, "no room": WITHOUT_ROOM, "planned": WITH_THE_PLAN}


@dataclass(frozen=True)
class Story:
    """A kernel: measured, by stage and case; the reports; what came of full tables (guest/limits.py)."""

    measured: dict[str, Results]
    reports: dict[str, Any]
    crowd: dict[str, Any]
    strangers: dict[str, Any]


def play(vm: Vm, folder: Path) -> Story:
    """Set limits by hand, audit, measure, apply, audit, measure: of timeouts, of lost probes, of a full table."""
    playbooks = Playbooks(vm, folder)
    measured: dict[str, Results] = {}
    reports: dict[str, Any] = {}

    def run(name: str, playbook: str, **variables: Any) -> None:
        playbooks.run(playbook, **variables)
        reports[name] = playbooks.document()

    put_programs(vm, PROGRAM)
    vm.run(["mkdir", "-p", "/run/proof"])
    guest(vm, "limits.py", "build")
    start_server(vm, "s1", "s1")
    write(vm, {**SHORT, **dict(zip(KEYS, (TIME, LATE_INTVL, PROBES), strict=True))})
    run("short", "audit", keepalive_time=TIME, keepalive_intvl=LATE_INTVL, keepalive_probes=PROBES)
    run("short, sooner", "audit", keepalive_time=TIME, keepalive_intvl=SOON_INTVL, keepalive_probes=PROBES)
    measured["short"] = measure(vm, "short")
    longer = {LOOSE: 1, CLOSE_WAIT: KUBE_PROXYS_CLOSE_WAIT_SECONDS, CAP: LONGER_CAP_SECONDS}
    run("long", "apply", keepalive_sysctls=longer)
    measured["long"] = measure(vm, "long")
    playbooks.run("restore")

    write(vm, {ESTABLISHED: LIMIT_SECONDS, **dict(zip(KEYS, NO_ROOM, strict=True))})
    give_pod(vm, NO_ROOM)
    run("no room", "audit")
    measured["no room"] = measure(vm, "no room")
    run("planned", "apply")
    give_pod(vm, tuple(map(int, vm.run(["sysctl", "-n", *KEYS]).stdout.split())))
    measured["planned"] = measure(vm, "planned")
    playbooks.run("restore")

    write(vm, {ESTABLISHED: DAY, CAP: KERNELS_CAP_SECONDS})
    vm.run(["systemd-run", "--quiet", "--unit=crowd", "python3", f"{IN_GUEST}/limits.py", "crowd"])
    wait_for(vm, "/run/proof/crowded")
    run("full", "audit", keepalive_sample_seconds=5)
    run("larger", "apply", keepalive_sysctls={MAX: ROOM})
    vm.run(["sleep", "5"])
    vm.run(["touch", "/run/proof/quiet"])
    wait_for(vm, "/run/proof/crowd.json")
    crowd = json.loads(vm.run(["cat", "/run/proof/crowd.json"]).stdout)
    return Story(measured, reports, crowd, json.loads(guest(vm, "limits.py", "strangers")))


def write(vm: Vm, values: Mapping[str, int]) -> None:
    """Set sysctls of the node by hand."""
    vm.run(["sysctl", "-q", "-w", *(f"{key}={value}" for key, value in values.items())])


def give_pod(vm: Vm, keepalive: tuple[int, ...]) -> None:
    """A keepalive for a pod, as securityContext.sysctls gives it."""
    guest(vm, "network.py", "set", "own", *(f"{key}={value}" for key, value in zip(KEYS, keepalive, strict=True)))


def wait_for(vm: Vm, path: str) -> None:
    vm.run(["timeout", str(READY_SECONDS), "sh", "-c", f"until test -e {path}; do sleep 0.5; done"])


def measure(vm: Vm, stage: str) -> Results:
    """What came of its cases, side by side; once more of those that a standstill of the machine has spoilt."""
    measured: dict[str, Mapping[str, Any]] = {}
    for attempt in range(ATTEMPTS):
        left = {name: case for name, case in STAGES[stage].items() if name not in measured}
        if not left:
            break
        given = json.dumps([{"from": "c1", "to": SERVICE, **case.what} for case in left.values()])
        first_port = str(10000 + 1000 * list(STAGES).index(stage) + 100 * attempt)
        answers = json.loads(guest(vm, "limits.py", "measure", first_port, data=given))
        for (name, case), answer in zip(left.items(), answers, strict=True):
            (got,) = answer["connections"]
            if case.is_met(got) or answer["stalled"] <= STANDSTILL_SECONDS or attempt == ATTEMPTS - 1:
                measured[name] = got
    return measured


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stories[Story]]:
    made = Stories("conntrack-limits", SERIES, tmp_path_factory.mktemp("stories"), play)
    yield made
    made.end()


@pytest.fixture(params=SERIES)
def story(request: pytest.FixtureRequest, stories: Stories[Story]) -> Story:
    return stories.of(request.param)


@pytest.mark.parametrize(("stage", "name"), [(stage, name) for stage, cases in STAGES.items() for name in cases])
def test_what_comes_of_a_connection(story: Story, stage: str, name: str) -> None:
    got = story.measured[stage][name]
    assert STAGES[stage][name].is_met(got), got


def told(story: Story, finding: str) -> dict[str, list[str]]:
    """What the report of each stage says of a finding, without those that do not have it."""
    return {name: seen for name, report in story.reports.items() if (seen := observed(finding, report))}


def severity(story: Story, name: str, finding: str) -> str:
    (found,) = (each for each in story.reports[name]["findings"] if each["id"] == finding)
    return str(found["severity"])


def test_the_audit_says_of_an_outage_that_costs_the_connection_and_which_interval_does_not(story: Story) -> None:
    observed_at_cap = (
        f"keepalive 3/{LATE_INTVL}/9: after 3 + 3 x {LATE_INTVL} = 24 s of silence 4 probes are unanswered, the next "
        f"comes {LATE_INTVL} s later, with timer slack 8 s; conntrack waits {CAP_SECONDS} s"
    )
    assert told(story, "conntrack-retransmission-cap") == {"short": [observed_at_cap]}
    enough = f"To survive longer outages, lower keepalive_intvl to {SOON_INTVL} or less."
    assert remedy("conntrack-retransmission-cap", story.reports["short"]) == enough


def test_the_audit_says_that_nothing_is_picked_up_while_tcp_loose_is_0(story: Story) -> None:
    by_hand = [f"{LOOSE} 0 (no file sets it)"]
    assert told(story, "conntrack-loose-off") == dict.fromkeys(story.reports.keys() - {"long"}, by_hand)


def test_the_audit_says_that_no_probe_may_be_lost_and_the_plan_lets_two(story: Story) -> None:
    ((stage, (lost,)),) = told(story, "keepalive-lost-probes").items()
    assert (stage, lost.partition(", but ")[0]) == ("no room", "keepalive 16/8/9: kept while no probe is lost")
    planned = story.reports["planned"]["keepalive"]
    assert tuple(planned[name] for name in ("time", "intvl", "probes")) == PLANNED


def test_a_full_table_drops_new_connections_and_keeps_those_that_are_established(story: Story) -> None:
    assert story.crowd == {"knocked": ["hangs", "connected"], "held": ["answered"]}
    (full,) = told(story, "conntrack-nearly-full")["full"]
    entries, most, percent = map(int, re.fullmatch(r"(\d+) of (\d+) entries, (\d+) %", full).groups())
    assert entries >= most - 1
    assert percent >= 95
    assert [severity(story, "full", name) for name in ("conntrack-nearly-full", "conntrack-drops")] == ["critical"] * 2


def test_a_larger_table_by_the_role_takes_them(story: Story) -> None:
    assert list(told(story, "conntrack-nearly-full")) == ["full"]
    assert severity(story, "larger", "conntrack-drops") == "warning"


def test_what_nobody_has_answered_makes_room_and_what_is_established_stays(story: Story) -> None:
    assert story.strangers["knocked"] == ["connected"] * 5
    assert story.strangers["thrown_out"] >= 5
    assert story.strangers["held"] == ["answered"]
