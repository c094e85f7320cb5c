# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two controllers at once on one node, with different plans."""

from __future__ import annotations

from ansible_collections.kubenode.connections.tests.trust import node, scenarios
from ansible_collections.kubenode.connections.tests.trust.faults import Campaign, differences
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated

FILES = scenarios.ALL[0]
ROUNDS = 10


@isolated
def test_they_come_one_after_the_other_and_the_node_is_never_a_mixture(tmp_path):
    campaign = Campaign(FILES, tmp_path)
    first, second, _restore = campaign.runs()
    whole = [run.end.without(node.RECORD) for run in (first, second)]
    for _round in range(ROUNDS):
        for running in [campaign.start(run.options) for run in (first, second)]:
            answer = running.end()
            assert not answer.failed, answer.result["msg"]
        now = campaign.state().without(node.RECORD)
        assert now in whole, [differences(each, now) for each in whole]
    assert not campaign.plainly(FILES.restore).failed
    assert campaign.state() == campaign.old, differences(campaign.old, campaign.state())
