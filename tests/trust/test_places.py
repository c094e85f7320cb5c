# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where something else lies in the way of what a run writes: it is refused in words, or done, and nothing else harmed.

And where it lies in the place of what is read.
"""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.trust import page, places, scenarios
from ansible_collections.kubenode.connections.tests.trust.faults import Campaign, sampled
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated

WITH_FILES = [scenario for scenario in scenarios.ALL if scenario.name != "pods"]


@pytest.mark.parametrize("scenario", WITH_FILES, ids=lambda scenario: scenario.name)
@isolated
def test_whatever_lies_in_the_way_a_run_ends_in_words(scenario, tmp_path, every, figures):
    campaign, wrong = Campaign(scenario, tmp_path), []
    cases = [(kind, path) for path in places.made_by(campaign, tmp_path) for kind in places.KINDS]
    for kind, path in sampled(cases, page.of_places(every)):
        outcome, seen = places.befall(campaign, kind, path)
        page.remember_place(figures, kind, outcome)
        wrong += [f"{kind} at {path}: {each}" for each in seen]
    assert not wrong, "\n".join([f"{len(wrong)} wrong", *wrong])


@pytest.mark.parametrize("kind", places.KINDS)
@isolated
def test_whatever_lies_where_a_node_is_read_the_look_at_it_ends_and_shows_nothing_of_it(kind, tmp_path, figures):
    campaign = Campaign(scenarios.ALL[0], tmp_path)
    assert not campaign.plainly(campaign.scenario.converge).failed
    paths = places.read_on(tmp_path)
    assert {"/etc/sysctl.d/k8s.conf", "/run/netns", "/etc/kubenode.connections/enforce.py"} <= set(paths)
    assert not places.look(kind, paths, tmp_path)
    for _path in paths:
        page.remember_place(figures, kind, "read")
