# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.silences import parse_silences

FORM = "Write a list of {id: FINDING, reason: WHY} with nodes: [NAME] for some nodes only."
LATE = {"id": "keepalive-too-late", "scope": "worker1", "scope_kind": "node"}


@pytest.mark.parametrize(
    ("silences", "reason"),
    [
        pytest.param([], None, id="nothing is silenced"),
        pytest.param([{"id": "keepalive-too-late", "reason": " known "}], "known", id="everywhere"),
        pytest.param(
            [{"id": "keepalive-too-late", "reason": "known", "nodes": ["worker1"]}], "known", id="on this node"
        ),
        pytest.param([{"id": "keepalive-too-late", "reason": "known", "nodes": ["w"]}], None, id="on another node"),
        pytest.param([{"id": "keepalive-too-late", "reason": "known", "nodes": []}], None, id="on no node"),
        pytest.param([{"id": "keepalive-too-late", "reason": "known", "nodes": None}], "known", id="nodes left out"),
        pytest.param([{"id": "ip-vs-idle", "reason": "known"}], None, id="another finding"),
        pytest.param(
            [{"id": "keepalive-too-late", "reason": "a"}, {"id": "keepalive-too-late", "reason": "b"}],
            "a",
            id="twice, the first one speaks",
        ),
    ],
)
def test_a_finding_is_silenced(silences, reason):
    assert parse_silences(silences).reason(LATE) == reason


@pytest.mark.parametrize(("nodes", "reasons"), [(["plan"], ["known", None]), (None, ["known", "known"])])
def test_a_host_named_plan_is_not_the_plan(nodes, reasons):
    silences = parse_silences([{"id": "keepalive-too-late", "reason": "known", "nodes": nodes}])
    assert [silences.reason({**LATE, "scope": "plan", "scope_kind": kind}) for kind in ("node", "plan")] == reasons


@pytest.mark.parametrize(
    ("silences", "message"),
    [
        pytest.param("ip-vs-idle", f"keepalive_silence: 'ip-vs-idle' is not a list. {FORM}", id="text"),
        pytest.param(
            ["ip-vs-idle"],
            f"keepalive_silence: 'ip-vs-idle' is not a mapping of id, reason and nodes. {FORM}",
            id="a list of ids",
        ),
        pytest.param(
            [{"id": "ip-vs-idle", "why": "x"}],
            f"keepalive_silence: {{'id': 'ip-vs-idle', 'why': 'x'}} is not a mapping of id, reason and nodes. {FORM}",
            id="another word for reason",
        ),
        pytest.param(
            [{"id": "keepalive-to-late", "reason": "x"}],
            "keepalive_silence: 'keepalive-to-late' is not the id of a finding. Did you mean keepalive-too-late?",
            id="a misspelt id",
        ),
        pytest.param(
            [{"id": "ip-vs-idle", "reason": " "}],
            "keepalive_silence: ip-vs-idle has no reason. Say why it is silenced, for those who read the report.",
            id="no reason",
        ),
        pytest.param(
            [{"id": "ip-vs-idle", "reason": "x", "nodes": "worker1"}],
            f"keepalive_silence: ip-vs-idle: nodes 'worker1' is not a list of names. {FORM}",
            id="one node without a list",
        ),
    ],
)
def test_what_is_no_silence_is_refused(silences, message):
    with pytest.raises(PlanError) as caught:
        parse_silences(silences)
    assert str(caught.value) == message
