# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import Row, RpsSettings
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import NodeLimits
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import NOTHING_ELSEWHERE
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.types import (
    Change,
    Finding,
    NodePlan,
    Plan,
    Settings,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import parse_policy
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.policies import Policies

NOTHING = {
    "modules": [],
    "sysctls": {},
    "ipvs_timeouts": {},
    "ipvs_timeouts_persistent": False,
    "rps": None,
    "pods": None,
    "containers": None,
    "namespace_ipvs_timeouts": {},
}
CHANGE = {
    "key": "a.b",
    "what": "a.b after a reboot",
    "after_reboot": True,
    "from": "0",
    "to": "1",
    "why": "asked for",
    "pods": False,
    "sentence": "a.b after a reboot: 0 becomes 1; asked for.",
}


def test_settings_of_a_node_that_needs_nothing():
    assert Settings().as_dict() == NOTHING


def test_settings_are_options_of_node_settings():
    rps = RpsSettings((Row("0-3"),), 32768)
    inside = {"ingress_sbox": {"tcp": 900}}
    settings = Settings(
        ("ip_vs",), {"a.b": "1"}, {"tcp": 900}, True, rps, Keepalive(600, 30, 9), Keepalive(300, 30, 9), inside
    )
    assert settings.as_dict() == {
        "modules": ["ip_vs"],
        "sysctls": {"a.b": "1"},
        "ipvs_timeouts": {"tcp": 900},
        "ipvs_timeouts_persistent": True,
        "rps": rps.as_dict(),
        "pods": {"time": 600, "intvl": 30, "probes": 9},
        "containers": {"time": 300, "intvl": 30, "probes": 9},
        "namespace_ipvs_timeouts": inside,
    }


def test_a_change_as_a_sentence():
    assert Change("a.b", "a.b after a reboot", "0", "1", "asked for", after_reboot=True).as_dict() == CHANGE


def test_a_finding_as_plain_data():
    step = {"kind": "playbook", "what": "apply"}
    finding = Finding("x", "warning", "worker1", "node", "seen", None, "because", "do it", (step,)).as_dict()
    assert finding == {
        "id": "x",
        "severity": "warning",
        "scope": "worker1",
        "scope_kind": "node",
        "observed": "seen",
        "limit": None,
        "why": "because",
        "remedy": "do it",
        "steps": [step],
    }
    assert finding["steps"][0] is not step


def test_a_node_that_was_not_observed_as_plain_data():
    node = NodePlan(
        "worker1", None, NodeLimits((), (), ()), "unknown", "it was not observed", "unknown", "x", ("note",)
    )
    assert node.as_dict() == {
        "mode": "unknown",
        "limits": [],
        "limit": None,
        "planned_limit": None,
        "holding": {"services": None, "outside": None, "bound": [], "proxies": []},
        "servers": {},
        "coverage": {"seen": [], "not_seen": []},
        "notes": ["note"],
        "keepalive": None,
        "verdict": "unknown",
        "own_verdict": "unknown",
        "own_why": "x",
        "spare_seconds": None,
        "namespaces_unsafe": 0,
        "why": "it was not observed",
        "summary": "worker1 is unknown: it was not observed.",
        "pods": None,
        "settings": NOTHING,
        "changes": [],
        "to_converge": False,
        "rearm": None,
        "watch": None,
        "plan_id": "",
        "reasons": {},
        "owners": {},
    }


@pytest.mark.parametrize("limits", [(), (Limit(350, "AWS NLB", None), Limit(900, "IPVS tcp", "worker1"))])
def test_the_limit_of_a_plan_is_the_first(limits):
    planned = Limit(900, "IPVS tcp", "worker1")
    plan = Plan(
        Policies(parse_policy({})),
        NOTHING_ELSEWHERE,
        limits,
        (),
        planned,
        Keepalive(233, 11, 9),
        True,
        False,
        "safe",
        {"time": "x"},
        {},
    )
    first = {"seconds": 350, "name": "AWS NLB", "node": None}
    made = plan.as_dict(())
    assert (made["limit"], len(made["limits"])) == (first if limits else None, len(limits))
    assert made["planned_limit"] == {"seconds": 900, "name": "IPVS tcp", "node": "worker1"}
    assert (made["keepalive"], made["safe"], made["decided_in_time"]) == (
        {"time": 233, "intvl": 11, "probes": 9},
        True,
        False,
    )
    assert (made["nodes"], made["findings"], made["not_seen"], made["reasons"]) == ({}, [], [], {"time": "x"})
