# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.derive import (
    SHORTEST_LIMIT_SECONDS,
    derive,
    reasons,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import Policy

LIMITS = st.one_of(st.integers(1, 40), st.integers(1, 2000), st.integers(1, 500000))
MARGINS = st.one_of(st.just(0), st.integers(0, 1000))
LOST = st.one_of(st.integers(0, 5), st.integers(0, 126))
CEILINGS = st.one_of(st.integers(1, 50), st.integers(1, 32767))
POLICIES = st.builds(Policy, lost_probes=LOST, margin=MARGINS, time_ceiling=CEILINGS, intvl_ceiling=CEILINGS)
OWN_POLICIES = st.builds(
    Policy,
    lost_probes=LOST,
    margin=MARGINS,
    time=st.none() | st.integers(1, 32767) | st.integers(1, 900),
    intvl=st.none() | st.integers(1, 32767) | st.integers(1, 90),
    probes=st.none() | st.integers(1, 127),
)


def ipvs(seconds: int) -> Limit:
    return Limit(seconds, "IPVS tcp", "worker1")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        pytest.param(900, Keepalive(600, 30, 9), id="IPVS: two thirds, a thirtieth, nine"),
        pytest.param(86400, Keepalive(7200, 75, 9), id="conntrack at 24 hours: the kernel's own"),
        pytest.param(432000, Keepalive(7200, 75, 9), id="conntrack at five days: the kernel's own"),
        pytest.param(350, Keepalive(233, 11, 9), id="AWS NLB"),
        pytest.param(240, Keepalive(160, 8, 9), id="Azure LB"),
        pytest.param(600, Keepalive(400, 20, 9), id="GCP firewall"),
        pytest.param(15, Keepalive(10, 1, 4), id="15 s: fewer probes, so that a verdict fits"),
        pytest.param(10, Keepalive(6, 1, 3), id="the shortest limit"),
    ],
)
def test_the_default_policy(seconds, expected):
    assert derive(ipvs(seconds), Policy()) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(Policy(lost_probes=9), Keepalive(600, 22, 10), id="more lost probes shrink intvl"),
        pytest.param(Policy(lost_probes=100), Keepalive(600, 1, 101), id="many lost probes shrink intvl to 1"),
        pytest.param(Policy(lost_probes=126, margin=200), Keepalive(466, 1, 127), id="intvl is 1, and time still fits"),
        pytest.param(Policy(margin=300), Keepalive(400, 20, 9), id="a margin counts as a shorter limit"),
        pytest.param(Policy(time_ceiling=120), Keepalive(120, 30, 9), id="a ceiling on time"),
        pytest.param(Policy(intvl_ceiling=10), Keepalive(600, 10, 9), id="a ceiling on intvl"),
        pytest.param(Policy(time=780), Keepalive(780, 9, 9), id="the user's time stays, intvl gives way"),
        pytest.param(Policy(intvl=60), Keepalive(600, 60, 4), id="the user's intvl stays, probes give way"),
        pytest.param(Policy(intvl=200), Keepalive(299, 200, 3), id="the user's intvl stays, time gives way"),
        pytest.param(Policy(probes=30), Keepalive(600, 9, 30), id="the user's probes stay, intvl gives way"),
        pytest.param(
            Policy(time=100, intvl=349), Keepalive(100, 349, 9), id="the user's values are safe, never decided"
        ),
        pytest.param(Policy(profile="article"), Keepalive(600, 30, 10), id="the article is taken as it is"),
    ],
)
def test_policies_below_900_seconds(policy, expected):
    assert derive(ipvs(900), policy) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param(Policy(time=300), Keepalive(300, 75, 9), id="the user's time, the kernel's rest"),
        pytest.param(Policy(profile="article"), Keepalive(600, 30, 10), id="the article"),
    ],
)
def test_without_a_limit_the_ceilings_hold(policy, expected):
    assert derive(None, policy) == expected


@pytest.mark.parametrize(
    ("limit", "policy", "message"),
    [
        pytest.param(
            ipvs(9),
            Policy(),
            "IPVS tcp on worker1: 9 s is below 10 s (the shortest idle limit that keepalive in whole seconds can "
            "stay below). "
            "Raise it in keepalive_ipvs_timeouts.",
            id="too short a limit names itself and its node",
        ),
        pytest.param(
            Limit(5, "AWS NLB", None),
            Policy(),
            "AWS NLB: 5 s is below 10 s (the shortest idle limit that keepalive in whole seconds can stay below). "
            "Raise it there, or correct keepalive_middleboxes.",
            id="too short a middlebox",
        ),
        pytest.param(
            Limit(0, "conntrack established", "worker1"),
            Policy(profile="article"),
            "conntrack established on worker1: 0 s is below 10 s (the shortest idle limit that keepalive in whole "
            "seconds "
            "can stay below). Raise it in keepalive_sysctls.",
            id="a conntrack timeout of 0",
        ),
        pytest.param(
            ipvs(900),
            Policy(margin=895),
            "keepalive_margin: 895 s leaves 5 s of 900 s (IPVS tcp on worker1), below 10 s (the shortest idle limit "
            "that "
            "keepalive in whole seconds can stay below). Lower keepalive_margin.",
            id="a margin that leaves nothing",
        ),
        pytest.param(
            ipvs(100),
            Policy(lost_probes=126),
            "keepalive_lost_probes: 126 is too many: 1 + 126 x 1 = 127 s, with timer slack 144 s, is 44 s beyond 100 s "
            "(IPVS tcp on worker1). Lower keepalive_lost_probes.",
            id="lost probes that cannot fit",
        ),
        pytest.param(
            ipvs(900),
            Policy(time=800),
            "keepalive_time: 800 + 2 x 1 = 802 s, with timer slack 904 s, is 4 s beyond 900 s (IPVS tcp on worker1). "
            "Lower keepalive_time, or leave it unset to have it worked out.",
            id="the user's time is unsafe whatever intvl",
        ),
        pytest.param(
            ipvs(900),
            Policy(intvl=1000),
            "keepalive_intvl: 1 + 2 x 1000 = 2001 s, with timer slack 2256 s, is 1356 s beyond 900 s (IPVS tcp on "
            "worker1). "
            "Lower keepalive_intvl, or leave it unset to have it worked out.",
            id="the user's intvl is longer than the limit",
        ),
        pytest.param(
            ipvs(900),
            Policy(time=700, intvl=60, probes=5),
            "keepalive_time, keepalive_intvl, keepalive_probes: 700 + 2 x 60 = 820 s, with timer slack 925 s, is 25 "
            "s beyond "
            "900 s (IPVS tcp on worker1). Lower keepalive_time, keepalive_intvl, keepalive_probes, or leave it "
            "unset to have "
            "it worked out.",
            id="all three are the user's",
        ),
        pytest.param(
            Limit(350, "AWS NLB", None),
            Policy(profile="article"),
            "keepalive_profile: article is 600/30/10: 600 + 2 x 30 = 660 s, with timer slack 744 s, is 394 s beyond "
            "350 s "
            "(AWS NLB). Use keepalive_profile: derived.",
            id="the article behind a load balancer",
        ),
    ],
)
def test_what_cannot_be_safe_is_refused_with_the_sum(limit, policy, message):
    with pytest.raises(PlanError) as caught:
        derive(limit, policy)
    assert str(caught.value) == message


@settings(max_examples=1000)
@given(LIMITS, POLICIES)
def test_what_is_derived_is_safe_decided_in_time_and_in_range_or_refused(seconds, policy):
    try:
        keepalive = derive(ipvs(seconds), policy)
    except PlanError:
        # Refused only where nothing fits: not even the shortest keepalive there is.
        room = seconds - policy.margin
        least = Keepalive(1, 1, policy.lost_probes + 1)
        assert room < SHORTEST_LIMIT_SECONDS or not keepalive_math.is_safe(
            least, seconds, policy.lost_probes, policy.margin
        )
        return
    assert keepalive_math.is_safe(keepalive, seconds, policy.lost_probes, policy.margin)
    assert keepalive_math.decided_in_time(keepalive, seconds)
    assert 1 <= keepalive.time <= policy.time_ceiling
    assert 1 <= keepalive.intvl <= policy.intvl_ceiling
    assert policy.lost_probes + 1 <= keepalive.probes <= 127


@settings(max_examples=1000)
@given(LIMITS, OWN_POLICIES)
def test_the_users_values_are_never_changed_and_the_result_is_safe_or_refused(seconds, policy):
    assume(policy.probes is None or policy.probes > policy.lost_probes)
    try:
        keepalive = derive(ipvs(seconds), policy)
    except PlanError:
        return
    assert keepalive_math.is_safe(keepalive, seconds, policy.lost_probes, policy.margin)
    for name in ("time", "intvl", "probes"):
        assert getattr(policy, name) in (None, getattr(keepalive, name))
    assert policy.lost_probes + 1 <= keepalive.probes <= 127


@given(st.integers(10, 500000))
def test_the_default_policy_always_finds_a_keepalive(seconds):
    keepalive = derive(ipvs(seconds), Policy())
    assert keepalive.time <= seconds * 2 / 3


@pytest.mark.parametrize(
    ("limit", "policy", "expected"),
    [
        pytest.param(
            ipvs(900),
            Policy(),
            {
                "time": "two thirds of 900 s (IPVS tcp on worker1)",
                "intvl": "a thirtieth of 900 s (IPVS tcp on worker1)",
                "probes": "the kernel's own number; a dead peer is typically given up after 870 s, "
                "before 900 s (IPVS tcp on worker1)",
            },
            id="worked out",
        ),
        pytest.param(
            ipvs(86400),
            Policy(time_ceiling=3600),
            {
                "time": "keepalive_time_ceiling, less than two thirds of 86400 s (IPVS tcp on worker1)",
                "intvl": "the kernel's own value, less than a thirtieth of 86400 s (IPVS tcp on worker1)",
                "probes": "the kernel's own number; a dead peer is typically given up after 4275 s, "
                "before 86400 s (IPVS tcp on worker1)",
            },
            id="held down by ceilings",
        ),
        pytest.param(
            ipvs(900),
            Policy(lost_probes=20, margin=30),
            {
                "time": "two thirds of 900 s (IPVS tcp on worker1) less keepalive_margin 30",
                "intvl": "less than a thirtieth of 900 s (IPVS tcp on worker1) less keepalive_margin 30, "
                "which leaves room for the other values",
                "probes": "one more than keepalive_lost_probes 20; a dead peer is typically given up after 769 s, "
                "before 900 s (IPVS tcp on worker1)",
            },
            id="shrunk for lost probes",
        ),
        pytest.param(
            ipvs(900),
            Policy(time=600, intvl=60),
            {
                "time": "keepalive_time as you set it",
                "intvl": "keepalive_intvl as you set it",
                "probes": "as many as fit; a dead peer is typically given up after 840 s, before 900 s (IPVS "
                "tcp on worker1)",
            },
            id="the user's own",
        ),
        pytest.param(
            ipvs(900),
            Policy(profile="article"),
            {
                "time": "keepalive_profile article",
                "intvl": "keepalive_profile article",
                "probes": "keepalive_profile article; a dead peer is typically given up after 900 s, "
                "not before 900 s (IPVS tcp on worker1)",
            },
            id="the article",
        ),
        pytest.param(
            None,
            Policy(time=300),
            {
                "time": "keepalive_time as you set it",
                "intvl": "keepalive_intvl_ceiling: no limit asks for less",
                "probes": "the kernel's own number; a dead peer is typically given up after 975 s",
            },
            id="no limit",
        ),
    ],
)
def test_every_number_has_its_reason(limit, policy, expected):
    assert reasons(derive(limit, policy), limit, policy) == expected
