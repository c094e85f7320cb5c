# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan


@pytest.mark.parametrize("several", [None, {}, [], "worker1"])
def test_no_nodes_is_an_error(several):
    with pytest.raises(PlanError) as caught:
        make_plan(several, {})
    assert str(caught.value) == (
        "no node was given, at least one is expected. Give a mapping of names to what node_info returned as node."
    )
