# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendered manifests against the schemas of Kubernetes, and what the policies make of pods."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from ansible_collections.kubenode.connections.tests.manifests import admission

Play = Callable[..., str]
Documents = dict[str, list[dict[str, Any]]]

DEFAULTS = [
    {"name": "net.ipv4.tcp_keepalive_time", "value": "600"},
    {"name": "net.ipv4.tcp_keepalive_intvl", "value": "30"},
    {"name": "net.ipv4.tcp_keepalive_probes", "value": "9"},
]
OWN_TIME = {"name": "net.ipv4.tcp_keepalive_time", "value": "120"}
OTHER = {"name": "net.ipv4.ip_local_port_range", "value": "1024 65000"}
POLICIES = ("mutating-admission-policy.yaml", "kyverno-mutating-policy.yaml")


def pod(**spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "registry.example/app:1"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": containers, **spec}}


def validate(document: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    ("given", "sysctls"),
    [
        pytest.param({"securityContext": {}}, DEFAULTS, id="a pod as the API server's defaults leave it"),
        pytest.param({}, DEFAULTS, id="a pod without a securityContext"),
        pytest.param({"securityContext": {"sysctls": []}}, DEFAULTS, id="a pod with an empty list"),
        pytest.param({"securityContext": {"sysctls": [OTHER]}}, [OTHER, *DEFAULTS], id="another sysctl stays"),
        pytest.param(
            {"securityContext": {"sysctls": [OWN_TIME]}}, [OWN_TIME, *DEFAULTS[1:]], id="a value of the pod's own stays"
        ),
        pytest.param({"securityContext": {"sysctls": DEFAULTS}}, DEFAULTS, id="a pod that has them already"),
        pytest.param({"hostNetwork": False, "os": {"name": "linux"}}, DEFAULTS, id="its own network, said so"),
        pytest.param({"nodeSelector": {"kubernetes.io/os": "linux"}}, DEFAULTS, id="a node selector for Linux"),
    ],
)
def test_a_pod_gets_what_it_lacks(documents: Documents, policy: str, given: Any, sysctls: Any) -> None:
    before = pod(**copy.deepcopy(given))
    after = admission.admitted(documents[policy][0]["spec"], copy.deepcopy(before))
    assert after["spec"]["securityContext"]["sysctls"] == sysctls
    del after["spec"]["securityContext"]["sysctls"]
    before["spec"].setdefault("securityContext", {}).pop("sysctls", None)
    assert after == before
    validate(after, "1.37")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "left",
    [
        pytest.param(pod(hostNetwork=True), id="the node's network"),
        pytest.param(pod(os={"name": "windows"}), id="Windows by its os"),
        pytest.param(pod(nodeSelector={"kubernetes.io/os": "windows"}), id="Windows by its node selector"),
        pytest.param(
            {**pod(), "metadata": {"name": "a", "annotations": {"kubernetes.io/config.mirror": "x"}}}, id="a mirror pod"
        ),
    ],
)
def test_a_pod_that_cannot_have_them_is_left_alone(documents: Documents, policy: str, left: Any) -> None:
    assert admission.admitted(documents[policy][0]["spec"], copy.deepcopy(left)) == left


@pytest.mark.parametrize("version", ["1.36", "1.37"])
def test_the_policy_and_its_binding_fit_the_schemas(documents: Documents, version: str) -> None:
    policy, binding = documents["mutating-admission-policy.yaml"]
    validate(policy, version)
    validate(binding, version)
    assert binding["spec"]["policyName"] == policy["metadata"]["name"]


def test_a_field_that_is_not_there_would_be_seen(documents: Documents) -> None:
    policy = copy.deepcopy(documents["mutating-admission-policy.yaml"][0])
    policy["spec"]["mutations"][0]["jsonPatches"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(policy, "1.37")


def test_on_older_clusters_the_same_fits_v1beta1(documents: Documents) -> None:
    for document in documents["mutating-admission-policy.yaml"]:
        validate({**document, "apiVersion": "admissionregistration.k8s.io/v1beta1"}, "1.34")


def test_kyverno_gets_the_same_policy(documents: Documents) -> None:
    [kyverno] = documents["kyverno-mutating-policy.yaml"]
    spec = dict(kyverno["spec"])
    assert (kyverno["apiVersion"], kyverno["kind"]) == ("policies.kyverno.io/v1", "MutatingPolicy")
    assert spec.pop("autogen") == {"podControllers": {"controllers": []}}
    native = dict(documents["mutating-admission-policy.yaml"][0]["spec"])
    assert native.pop("reinvocationPolicy") == "IfNeeded"
    assert spec == native


@pytest.mark.parametrize("version", ["1.29", "1.37"])
def test_a_patched_workload_fits_the_schema(documents: Documents, version: str) -> None:
    [patch] = documents["pod-sysctls-patch.yaml"]
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {**pod()["spec"], **patch["spec"]["template"]["spec"]}}
    workload = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "a"},
        "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": template},
    }
    validate(workload, version)
    assert template["spec"]["securityContext"]["sysctls"] == DEFAULTS


def test_the_fragment_for_old_kubelets(documents: Documents) -> None:
    assert documents["kubelet-allowed-unsafe-sysctls.yaml"] == [
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "allowedUnsafeSysctls": ["net.ipv4.tcp_keepalive_*"],
        }
    ]


def test_a_second_run_changes_nothing_and_absent_removes_them(play: Play, tmp_path: Path) -> None:
    where = {
        "pod_defaults_manifests_dir": str(tmp_path),
        "pod_defaults_keepalive": {"time": 233, "intvl": 11, "probes": 9},
    }
    tmp_path.chmod(0o700)
    assert "changed=1 " in play(**where)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    assert "233" in (tmp_path / POLICIES[0]).read_text()
    assert "changed=0 " in play(**where)
    assert "changed=1 " in play(pod_defaults_state="absent", **where)
    assert list(tmp_path.iterdir()) == []


PLANNED = {
    "keepalive": {"time": 233, "intvl": 11, "probes": 9},
    "limit": {"seconds": 350, "name": "AWS NLB"},
    "policy": {"lost_probes": 2, "margin": 0},
}


def test_the_plan_of_the_same_run_is_taken(play: Play, tmp_path: Path) -> None:
    play(pod_defaults_manifests_dir=str(tmp_path), __keepalive_run={"planned": PLANNED})
    assert 'tcp_keepalive_time": "233"' in (tmp_path / POLICIES[0]).read_text()


def test_without_a_keepalive_nothing_is_rendered(play: Play, tmp_path: Path) -> None:
    said = play(fails=True, pod_defaults_manifests_dir=str(tmp_path))
    assert (
        "pod_defaults_keepalive: it is not set, and no plan with a keepalive was made earlier in this run. Set it, "
        "such as {time: 600, intvl: 30, probes: 9}, or run the role kubenode.connections.keepalive or its audit first."
    ) in said
    assert list(tmp_path.iterdir()) == []


def test_a_keepalive_that_is_too_late_for_the_plan_is_refused(play: Play, tmp_path: Path) -> None:
    late = {"time": 600, "intvl": 30, "probes": 9}
    said = play(
        fails=True,
        pod_defaults_manifests_dir=str(tmp_path),
        pod_defaults_keepalive=late,
        __keepalive_run={"planned": PLANNED},
    )
    assert (
        "pod_defaults_keepalive: 600/30/9 is not safe under 350 s (AWS NLB). 71/63 of time and 2 times intvl must not "
        "exceed it. Leave it out, then it is 233/11/9."
    ) in said
    assert list(tmp_path.iterdir()) == []
