# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each call that a run makes on the node fails, or the run is ended there: the node is wholly old or wholly new."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.trust import page, scenarios
from ansible_collections.kubenode.connections.tests.trust.faults import Campaign, sampled
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated


@pytest.mark.parametrize("scenario", scenarios.ALL, ids=lambda scenario: scenario.name)
@isolated
def test_whatever_fails_a_node_is_wholly_old_or_wholly_new(scenario, tmp_path, every, figures):
    campaign, wrong = Campaign(scenario, tmp_path), []
    for run in campaign.runs():
        for fault in sampled(campaign.faults(run), every):
            seen = campaign.befall(run, fault)
            page.remember(figures, scenario.name, run.name, seen)
            wrong += [f"{run.name}, {fault}: {each}" for each in seen.wrong]
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong])
