# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.plan import (
    write_keepalive,
    write_limits,
    write_seen,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._lines import lines, styled


def limit(seconds=900, name="IPVS tcp", node="w1"):
    return {"seconds": seconds, "name": name, "node": node}


def unseen(name="IPVS tcp", node="w1", why="not allowed"):
    return {"name": name, "node": node, "why": why}


def limits(*several, not_seen=()):
    return {"limit_reason": "the lowest there is", "limits": list(several), "not_seen": list(not_seen)}


def test_without_limits_there_is_nothing():
    assert lines(write_limits, limits()) == []


def test_limits_and_whose_they_are_aligned():
    several = [limit(350, "AWS NLB", None), limit(), limit(node="w2"), limit(86400, "conntrack")]
    assert lines(write_limits, limits(*several)) == [
        "",
        "Limits: the lowest there is",
        "  350 s    AWS NLB (declared in keepalive_middleboxes)",
        "  900 s    IPVS tcp on w1, w2",
        "  86400 s  conntrack on w1",
    ]


@pytest.mark.parametrize(("number", "more"), [(8, []), (10, ["  and 2 higher"])])
def test_many_limits_are_bounded_and_counted(number, more):
    shown = lines(write_limits, limits(*(limit(100 + each) for each in range(number))))
    assert shown[9:] == ["  107 s  IPVS tcp on w1", *more]


def test_limits_that_are_not_known_with_the_reason_those_alike_in_one():
    several = [unseen(), unseen(node="w2"), unseen("conntrack"), unseen("conntrack", "w2"), unseen("x", "w3", "gone")]
    assert lines(write_limits, limits(not_seen=several)) == [
        "",
        "Limits: the lowest there is",
        "  ?        IPVS tcp, conntrack on w1, w2: not allowed",
        "  ?        x on w3: gone",
    ]


@pytest.mark.parametrize(("number", "more"), [(8, []), (9, ["  and 1 more that are not known"])])
def test_many_limits_that_are_not_known_are_bounded_and_counted(number, more):
    shown = lines(write_limits, limits(not_seen=[unseen(why=f"reason {each}") for each in range(number)]))
    assert shown[9:] == ["  ?        IPVS tcp on w1: reason 7", *more]


REASONS = {"time": "two thirds", "intvl": "a thirtieth", "probes": "the kernel's own"}
PLANNED = {
    "time": 600,
    "intvl": 30,
    "probes": 9,
    "stays": False,
    "safe": True,
    "sum": "744 of 900 s",
    "reasons": REASONS,
}


def planned(keepalive, lost_probes=2, margin=0, not_seen=()):
    return {
        "keepalive": keepalive,
        "policy": {"lost_probes": lost_probes, "margin": margin},
        "not_seen": list(not_seen),
    }


def test_no_keepalive_is_planned():
    assert lines(write_keepalive, planned(None)) == ["", "Keepalive: none planned, no limit asks for it"]


def test_the_values_with_their_reasons_and_the_sum():
    assert lines(write_keepalive, planned(PLANNED)) == [
        "",
        "Keepalive planned: 600/30/9 (time/intvl/probes)",
        "  time      600  two thirds",
        "  intvl      30  a thirtieth",
        "  probes      9  the kernel's own",
        "  sum            744 of 900 s: SAFE",
        "                 counts 2 lost probes in a row, and timers that fire up to 8/63",
        "                 late (slack)",
    ]


def test_a_keepalive_that_stays_and_no_limit_to_count_against():
    assert lines(write_keepalive, planned({**PLANNED, "stays": True, "sum": None}))[1:] == [
        "Keepalive stays: 600/30/9 (time/intvl/probes)",
        "  time      600  two thirds",
        "  intvl      30  a thirtieth",
        "  probes      9  the kernel's own",
    ]


@pytest.mark.parametrize(
    ("safe", "not_seen", "verdict", "rest"),
    [
        (True, [], ("SAFE", "safe"), ""),
        (True, [unseen()], ("SAFE", "safe"), " for the limits that were seen"),
        (False, [], ("UNSAFE", "unsafe"), ""),
        (False, [unseen()], ("UNSAFE", "unsafe"), ""),
    ],
)
def test_the_verdict_on_the_sum(safe, not_seen, verdict, rest):
    line = styled(write_keepalive, planned({**PLANNED, "safe": safe}, not_seen=not_seen))[5]
    assert [(span.text, span.style) for span in line][1] == verdict
    assert "".join(span.text for span in line) == f"  sum            744 of 900 s: {verdict[0]}{rest}"


def test_the_sum_says_what_the_policy_wants():
    shown = lines(write_keepalive, planned(PLANNED, lost_probes=1, margin=20), width=110)
    assert shown[-1].strip() == (
        "counts 1 lost probe in a row, a margin of 20 s, and timers that fire up to 8/63 late (slack)"
    )


KERNEL = {"time": 7200, "intvl": 75, "probes": 9}
SAFE = {"time": 600, "intvl": 30, "probes": 9}


def group(keepalive=KERNEL, namespaces=1, own=True):
    return {"keepalive": keepalive, "namespaces": namespaces, "own": own}


def node(name="w1", notes=(), **more):
    return {
        "name": name,
        "observed": True,
        "hostname": "host1",
        "kernel": "6.1.0",
        "container": None,
        "cloud": None,
        "root": True,
        "mode": "ipvs",
        "kube_proxy": {"version": "v1.34.2", "address": "127.0.0.1:10249", "error": None},
        "ipvs": {
            "loaded": True,
            "timeouts": {"tcp": 900, "tcpfin": 120},
            "services": 2,
            "connections": {"TCP": {"ESTABLISHED": 4}, "UDP": {"UDP": 1}},
        },
        "conntrack": {"loaded": True, "established_seconds": 86400, "count": 412, "max": 131072},
        "keepalive": {"live": SAFE, "at_boot": KERNEL, "boot_sources": ["/etc/a.conf:3", "/etc/a.conf:4"]},
        "namespaces": {"groups": [group(namespaces=3)], "unreadable": 0, "error": None},
        "notes": list(notes),
        **more,
    }


def test_all_that_was_seen_of_one_node():
    assert lines(write_seen, {"nodes": [node()]}) == [
        "",
        "Seen on w1",
        "  node        host1, kernel 6.1.0; read as root",
        "  kube-proxy  v1.34.2, ipvs mode, says 127.0.0.1:10249",
        "  IPVS        tcp 900 s, tcpfin 120 s; 2 virtual services; 4 ESTABLISHED, 1 UDP",
        "  conntrack   established 86400 s; 412 of 131072 entries",
        "  keepalive   600/30/9 now; 7200/75/9 after a reboot (/etc/a.conf:3,4)",
        "  namespaces  7200/75/9 in the node's own and 2 others",
    ]


def ipvs(**more):
    return {"ipvs": {**node()["ipvs"], **more}}


def conntrack(**more):
    return {"conntrack": {**node()["conntrack"], **more}}


def proxy(mode, **more):
    return {"mode": mode, "kube_proxy": {**node()["kube_proxy"], **more}}


def keepalive(**more):
    return {"keepalive": {**node()["keepalive"], **more}}


def spaces(*groups, unreadable=0, error=None):
    return {"namespaces": {"groups": list(groups), "unreadable": unreadable, "error": error}}


@pytest.mark.parametrize(
    ("differs", "label", "text"),
    [
        pytest.param(
            {"cloud": {"provider": "aws", "instance_type": "m8i.large"}},
            "node",
            "host1, kernel 6.1.0, on AWS (m8i.large); read as root",
            id="a machine of a cloud, and its type",
        ),
        pytest.param(
            {"cloud": {"provider": "gcp", "instance_type": None}},
            "node",
            "host1, kernel 6.1.0, on Google Cloud; read as root",
            id="a machine of a cloud",
        ),
        pytest.param(
            {"root": False, "container": "podman"},
            "node",
            "host1, kernel 6.1.0, inside a container (podman); NOT read as root, so a part is missing",
            id="without root in a container",
        ),
        pytest.param(proxy("none"), "kube-proxy", "does not run here", id="no kube-proxy"),
        pytest.param(
            proxy("unknown", error="refused"), "kube-proxy", "did not say its mode (refused)", id="kube-proxy is silent"
        ),
        pytest.param(
            proxy("unknown"), "kube-proxy", "did not say its mode (127.0.0.1:10249)", id="it said what nobody knows"
        ),
        pytest.param(
            proxy("nftables", version=None), "kube-proxy", "nftables mode, says 127.0.0.1:10249", id="without a version"
        ),
        pytest.param(ipvs(loaded=False), "IPVS", "not loaded", id="no IPVS"),
        pytest.param(ipvs(loaded=None), "IPVS", "could not be read", id="IPVS that could not be read"),
        pytest.param(
            ipvs(timeouts=None, services=1, connections={}),
            "IPVS",
            "timeouts could not be read; 1 virtual service",
            id="timeouts that could not be read",
        ),
        pytest.param(conntrack(loaded=False), "conntrack", "not loaded", id="no conntrack"),
        pytest.param(conntrack(loaded=None), "conntrack", "could not be read", id="conntrack that could not be read"),
        pytest.param(
            conntrack(established_seconds=None, max=None),
            "conntrack",
            "timeouts could not be read; 412 of ? entries",
            id="no timeout and no maximum",
        ),
        pytest.param(conntrack(count=None), "conntrack", "established 86400 s", id="no count"),
        pytest.param(
            keepalive(live=None, at_boot=None),
            "keepalive",
            "could not be read; not known after a reboot",
            id="no keepalive",
        ),
        pytest.param(
            keepalive(boot_sources=[]),
            "keepalive",
            "600/30/9 now; 7200/75/9 after a reboot (no file sets it: the kernel's default)",
            id="no file sets it",
        ),
        pytest.param(spaces(), "namespaces", "could not be read: no data", id="no namespace"),
        pytest.param(spaces(error="denied"), "namespaces", "could not be read: denied", id="namespaces were refused"),
        pytest.param(
            spaces(group(SAFE, 2), group(KERNEL, 1, own=False), unreadable=4),
            "namespaces",
            "600/30/9 in the node's own and 1 other, 7200/75/9 in 1 other; 4 could not be read",
            id="namespaces, some of which could not be read",
        ),
    ],
)
def test_a_part_that_was_seen_differently_or_not_at_all(differs, label, text):
    shown = lines(write_seen, {"nodes": [node(**differs)]}, width=200)
    assert f"  {label:<12}{text}" in shown


@pytest.mark.parametrize(
    "nodes",
    [[node(), node("w2")], [node(observed=False)]],
    ids=["several nodes", "a node that was not observed"],
)
def test_of_others_nothing_is_told_one_by_one(nodes):
    assert lines(write_seen, {"nodes": nodes}) == []


def test_notes_are_told_once_with_their_nodes():
    nodes = [node(notes=["Mind the gap.", "x"]), node("w2", notes=["Mind the gap."])]
    assert lines(write_seen, {"nodes": nodes}) == ["", "Notes", "  w1, w2: Mind the gap.", "  w1: x"]


@pytest.mark.parametrize(("number", "more"), [(8, []), (9, ["  and 1 more"])])
def test_many_notes_are_bounded_and_counted(number, more):
    nodes = [node(notes=[f"note {each}" for each in range(number)]), node("w2")]
    assert lines(write_seen, {"nodes": nodes})[9:] == ["  w1: note 7", *more]
