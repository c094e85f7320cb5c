# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.dead_peers import has_check


@pytest.mark.parametrize(
    ("version", "has_it"),
    [
        pytest.param("v1.18.17", False, id="the last 1.18 without it"),
        pytest.param("v1.18.18", True, id="the first 1.18 with it"),
        pytest.param("v1.19.4", False, id="the last 1.19 without it"),
        pytest.param("v1.19.5", True, id="the first 1.19 with it"),
        pytest.param("v1.20.0", True, id="the first minor release with it"),
        pytest.param("v1.9.11", False, id="9 is older than 20"),
        pytest.param("v1.17.99", False, id="no 1.17 got it"),
        pytest.param("v1.34.2+k3s1", True, id="a distribution's release"),
        pytest.param("v1.19.16-eks-14c7a48", True, id="a vendor's patch release"),
        pytest.param("v2.0.0", True, id="whatever comes"),
        pytest.param("1.19.4", False, id="without the v"),
        pytest.param("v1.19", None, id="no patch release"),
        pytest.param("<html>", None, id="nonsense"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="not read"),
    ],
)
def test_the_versions_that_have_the_health_check(version, has_it):
    assert has_check(version) is has_it
