# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._files import kubelet_conf

ON, OFF = "featureGates:\n  DefaultPodSysctls: true\n", "featureGates:\n  DefaultPodSysctls: false\n"


@pytest.mark.parametrize(
    ("version", "known"),
    [
        pytest.param("v1.37.0", True, id="the first that has the field"),
        pytest.param("v1.36.9", False, id="the last without it"),
        pytest.param("v2.0.0-alpha.1", True, id="a later one"),
        pytest.param("v1.9.11", False, id="compared as numbers"),
        pytest.param(None, None, id="not read"),
    ],
)
def test_which_kubelet_has_the_field(version, known):
    assert kubelet_conf.has_field(version) is known


@pytest.mark.parametrize(
    ("flag", "texts", "on"),
    [
        pytest.param(None, [], False, id="off by default"),
        pytest.param(None, [ON], True, id="on in the configuration"),
        pytest.param(None, ['{"featureGates": {"DefaultPodSysctls": true}}'], True, id="on in JSON"),
        pytest.param(None, [ON, OFF], False, id="the last configuration counts"),
        pytest.param("Other=true,DefaultPodSysctls=true", [OFF], True, id="the flag counts before configurations"),
        pytest.param("DefaultPodSysctls=False", [ON], False, id="switched off by flag"),
        pytest.param(None, ["featureGates: {AllAlpha: true}"], True, id="on with all that is alpha"),
        pytest.param(None, ["featureGates: {AllAlpha: true, DefaultPodSysctls: false}"], False, id="all but this one"),
        pytest.param(None, ["  # DefaultPodSysctls: true\n"], False, id="a comment"),
        pytest.param(None, ['defaultPodSysctls:\n  net.x: "true"\n'], False, id="the field itself is no gate"),
    ],
)
def test_whether_the_gate_is_on(flag, texts, on):
    assert kubelet_conf.gate_enabled(flag, texts) is on


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        pytest.param(["kubelet", "--config-dir=/a"], "/a", id="one word"),
        pytest.param(["kubelet", "--config-dir", "/a"], "/a", id="two words"),
        pytest.param(["kubelet", "--config-dir=/a", "--config-dir=/b"], "/b", id="the last of two"),
        pytest.param(["kubelet", "--config=/a"], None, id="another flag"),
        pytest.param(["kubelet", "--config-dir"], None, id="nothing behind it"),
    ],
)
def test_a_flag(arguments, value):
    assert kubelet_conf.flag_of(arguments, "config-dir") == value


HEAD = """\
# Written by the Ansible module kubenode.connections.pod_sysctls.
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
"""
SYSCTLS = 'defaultPodSysctls:\n  net.ipv4.tcp_keepalive_time: "600"\n'


@pytest.mark.parametrize(
    ("with_gate", "text"),
    [
        pytest.param(True, f"{HEAD}featureGates:\n  DefaultPodSysctls: true\n{SYSCTLS}", id="with the gate"),
        pytest.param(False, HEAD + SYSCTLS, id="where the gate is on elsewhere"),
    ],
)
def test_the_file_that_is_written(with_gate, text):
    assert kubelet_conf.drop_in({"net.ipv4.tcp_keepalive_time": "600"}, with_gate).decode() == text


@pytest.mark.parametrize(
    ("version", "said"),
    [
        pytest.param("v1.37.2", "is alpha, and not on", id="the first release with it"),
        pytest.param("v1.38.0", "is not set, and whether this release has it on by default was not known", id="later"),
    ],
)
def test_what_is_known_of_the_gate(version, said):
    assert kubelet_conf.stage(version).startswith(said)
