# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import nearest

NAMES = ("time", "intvl", "probes")


@pytest.mark.parametrize(
    ("name", "prefix", "said"),
    [
        pytest.param("tme", "keepalive_", "Did you mean keepalive_time?", id="one that is alike"),
        pytest.param("intervl", "", "Did you mean intvl?", id="without a prefix"),
        pytest.param("xyz", "", "Known are intvl, probes, time.", id="nothing alike"),
    ],
)
def test_what_to_write_instead(name, prefix, said):
    assert nearest(name, NAMES, prefix) == said
