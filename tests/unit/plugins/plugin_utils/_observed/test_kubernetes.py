# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.kubernetes import (
    Kubelet,
    KubeProxy,
    parse_kube_proxy,
    parse_kubelet,
)


@pytest.mark.parametrize(
    ("version", "conntrack", "raises"),
    [
        pytest.param("v1.28.3", {}, True, id="the last that only raises"),
        pytest.param("v1.29.0", {}, False, id="the first that writes in either direction again"),
        pytest.param(None, {"be_liberal": 0}, False, id="a field that came with it"),
        pytest.param("v1.28.3", {"be_liberal": 0}, True, id="the version counts first"),
        pytest.param(None, {"max": 9}, None, id="neither"),
    ],
)
def test_whether_kube_proxy_only_raises(version, conntrack, raises):
    assert parse_kube_proxy({"version": version, "conntrack": conntrack}).raises_only is raises


def test_kube_proxy():
    said = {"running": True, "address": "127.0.0.1:10249", "mode": "ipvs", "version": "v1.34.2", "error": None}
    assert parse_kube_proxy({**said, "ipvs_timeouts": {"tcp": "0"}, "conntrack": {"be_liberal": True}}) == KubeProxy(
        True, "127.0.0.1:10249", "ipvs", None, {"tcp": 0}, {"be_liberal": 1}, "v1.34.2"
    )
    assert parse_kube_proxy({"running": 1, "mode": 7}) == KubeProxy(None, None, None, None, {}, {}, None)


def test_kubelet():
    said = {"running": True, "version": "v1.34.2", "disable_http2": False, "read_idle_timeout": "30"}
    assert parse_kubelet({**said, "ping_timeout": 15, "error": "x"}) == Kubelet(True, "v1.34.2", False, 30, 15, "x")
    assert parse_kubelet({**said, "standalone": True}).standalone is True
    assert parse_kubelet({"disable_http2": "no", "ping_timeout": 1.5}) == Kubelet(None, None, None, None, None, None)
