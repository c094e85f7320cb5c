# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._play.node_options import (
    node_info_options,
    node_settings_options,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import OURS

NOTHING = {
    "modules": [],
    "sysctls": {},
    "ipvs_timeouts": {},
    "ipvs_timeouts_persistent": False,
    "namespace_ipvs_timeouts": {},
    "pods": None,
    "containers": None,
}
INSIDE = {"ingress_sbox": {"tcp": 900}}


@pytest.mark.parametrize(
    ("settings", "variables", "options"),
    [
        pytest.param({"rps": None}, {}, {}, id="what is empty stays as it is"),
        pytest.param({"rps": {"nics": []}}, {}, {"rps": {"nics": []}}, id="empty RPS gives it back"),
        pytest.param(
            {"rps": None, "enforce": {}, "open_connections": None}, {}, {"enforce": {}}, id="as empty enforcement does"
        ),
        pytest.param(
            {"rps": None, "enforce": {"time": 600}, "open_connections": {"mode": "all"}},
            {},
            {"enforce": {"time": 600}, "open_connections": {"mode": "all"}},
            id="enforcement and open connections",
        ),
        pytest.param({"rps": None, "sysctls": OURS}, {}, {"sysctls": OURS}, id="sysctls"),
        pytest.param(
            {"rps": None, "containers": {"time": 600}, "namespace_ipvs_timeouts": INSIDE},
            {},
            {"containers": {"time": 600}, "namespace_ipvs_timeouts": INSIDE},
            id="containers and other network namespaces",
        ),
        pytest.param(
            {"rps": None},
            {"keepalive_sysctl_file": "/etc/x.conf", "keepalive_modules_file": None},
            {"sysctl_file": "/etc/x.conf"},
            id="a file of one's own",
        ),
        pytest.param(
            {"rps": None},
            {"keepalive_kube_proxy_address": "10.0.0.1", "keepalive_kube_proxy_timeout": "", "keepalive_margin": 5},
            {"observe": {"kube_proxy_address": "10.0.0.1"}},
            id="how to look",
        ),
    ],
)
def test_the_options_of_node_settings(settings, variables, options):
    always = {"ipvs_timeouts_persistent": False, "observe": {}}
    assert node_settings_options({**NOTHING, **settings}, variables) == {**always, **options}


@pytest.mark.parametrize(
    ("variables", "sample", "options"),
    [
        pytest.param({}, True, {}, id="nothing is said"),
        pytest.param({"keepalive_sample_seconds": 2}, True, {"sample_seconds": 2}, id="counters are read twice"),
        pytest.param({"keepalive_sample_seconds": 2}, False, {}, id="not where nobody asks for it"),
        pytest.param(
            {"keepalive_kube_proxy_address": "", "keepalive_kube_proxy_timeout": 5},
            True,
            {"kube_proxy_timeout": 5},
            id="an address that is empty",
        ),
        pytest.param(
            {"keepalive_sysctls": {"net/core/somaxconn": 1}},
            True,
            {"sysctls": ["net.core.somaxconn"]},
            id="further keys",
        ),
    ],
)
def test_the_options_of_node_info(variables, sample, options):
    assert node_info_options(variables, sample) == {"sample_seconds": 0, "sysctls": [], **options}


def test_a_wrong_variable_is_told():
    with pytest.raises(PlanError, match=r"^keepalive_sysctls: 'x'"):
        node_info_options({"keepalive_sysctls": "x"}, True)
