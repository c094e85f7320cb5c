# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.coverage import NotSeen
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import (
    NOTHING_ELSEWHERE,
    Elsewhere,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit

LIMIT = Limit(350, "IPVS tcp", "w2")
REPORT = "the report of 2026-11-21T03:40:00Z"


@pytest.mark.parametrize(
    ("elsewhere", "sentence"),
    [
        pytest.param(NOTHING_ELSEWHERE, "", id="nobody"),
        pytest.param(
            Elsewhere(("w2",), 4),
            "1 of 4 hosts was left out: w2. Their limits are not in this plan.",
            id="one of whom nothing is known",
        ),
        pytest.param(
            Elsewhere(("w2", "w3", "w4"), 4),
            "3 of 4 hosts were left out: w[2-4]. Their limits are not in this plan.",
            id="several",
        ),
        pytest.param(
            Elsewhere(("w2", "w3"), 3, LIMIT, REPORT),
            f"2 of 3 hosts were left out: w2, w3. {LIMIT} is what {REPORT} says of them.",
            id="their limit is known",
        ),
        pytest.param(
            Elsewhere(("w2",), 2, None, REPORT),
            f"1 of 2 hosts was left out: w2. No limit is what {REPORT} says of them.",
            id="they are known to have none",
        ),
    ],
)
def test_who_was_left_out_and_what_is_known_of_them(elsewhere, sentence):
    assert elsewhere.sentence == sentence
    assert elsewhere.as_dict()["sentence"] == sentence


def test_as_plain_data():
    assert Elsewhere(("w2",), 2, LIMIT, REPORT).as_dict() == {
        "hosts": ["w2"],
        "of": 2,
        "limit": {"seconds": 350, "name": "IPVS tcp", "node": "w2"},
        "source": REPORT,
        "sentence": f"1 of 2 hosts was left out: w2. {LIMIT} is what {REPORT} says of them.",
    }
    assert NOTHING_ELSEWHERE.as_dict() == {"hosts": [], "of": 0, "limit": None, "source": None, "sentence": ""}


@pytest.mark.parametrize(
    ("elsewhere", "not_seen"),
    [
        pytest.param(NOTHING_ELSEWHERE, (), id="nobody was left out"),
        pytest.param(Elsewhere(("w2",), 2, LIMIT, REPORT), (), id="their limit is known"),
        pytest.param(Elsewhere(("w2",), 2, None, REPORT), (), id="they have none"),
        pytest.param(
            Elsewhere(("w2", "w3", "w4"), 4),
            (
                NotSeen(
                    "w1",
                    "the lowest limit of the hosts left out",
                    "3 of 4 hosts not looked at: w[2-4]",
                    place="hosts",
                    do="Run without --limit, or keep a report of all hosts (keepalive_report_dir): its limits count "
                    "for those left out.",
                ),
            ),
            id="nothing is known of them",
        ),
    ],
)
def test_what_is_not_seen_on_the_paths_of_a_node(elsewhere, not_seen):
    assert elsewhere.not_seen("w1") == not_seen
    assert elsewhere.known is (not not_seen)
