# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role kube_proxy on the ConfigMap of a cluster: kubernetes.core against a real API server."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.kubenode.connections.tests.cluster.conftest import Objects
from ansible_collections.kubenode.connections.tests.cluster.server import Server

HERE = Path(__file__).parent
WISHES = {"kube_proxy_ipvs_timeouts": {"tcp": 8284}, "kube_proxy_conntrack": {"tcp_established": 7200}}
BACK = {"kube_proxy_state": "absent"}
ROLLOUT = {"kube_proxy_rollout": True, "kube_proxy_rollout_timeout": 5}
HASH = "kubeadm.kubernetes.io/component-config.hash"
ORIGINALS = "kubenode.connections/kube-proxy-originals"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
NEEDED = "kube-proxy: its pods need a restart, they still run with what the ConfigMap said before."


class Run(NamedTuple):
    """What a run of the playbook said, white space folded, and its counts over both nodes."""

    said: str
    changed: int
    failed: int


@pytest.fixture(name="play")
def fixture_play(server: Server, tmp_path: Path) -> Any:
    """Run the playbook with these variables."""

    def play(variables: dict[str, Any], *options: str, **environment: str) -> Run:
        command = [Path(sys.executable).with_name("ansible-playbook"), "-i", HERE / "inventory.yml"]
        everything = {"kube_proxy_kubeconfig": str(server.kubeconfig), **variables}
        command += [HERE / "playbook.yml", "--extra-vars", json.dumps(everything), *options]
        env = {**os.environ, "ANSIBLE_HOME": str(tmp_path), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "400", **environment}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        said = " ".join((done.stdout + done.stderr).split())
        return Run(said, *(sum(map(int, re.findall(rf"\b{name}=(\d+)", said))) for name in ("changed", "failed")))

    return play


def config_of(objects: Objects) -> str:
    return str(objects.get("configmap")["data"]["config.conf"])


def restarted_at(objects: Objects) -> str | None:
    metadata = objects.get("daemonset")["spec"]["template"]["metadata"]
    return metadata.get("annotations", {}).get(RESTARTED)


def checksum(configmap: dict[str, Any]) -> str:
    """kubeadm's own, by which it knows whether somebody has changed its text (componentconfigs/checksums.go)."""
    text = "".join(value for _key, value in sorted(configmap["data"].items()))
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def test_check_mode_says_what_would_change_and_changes_nothing(objects, play):
    before = [objects.get(kind) for kind in ("configmap", "daemonset")]
    run = play({**WISHES, **ROLLOUT}, "--check", "--diff")
    assert "config.conf: ipvs.tcpTimeout: 0s -> 8284s, conntrack.tcpEstablishedTimeout: null -> 7200s" in run.said
    assert (run.failed, run.changed > 0) == (0, True)
    assert [objects.get(kind) for kind in ("configmap", "daemonset")] == before


def test_the_fields_change_and_nothing_else(objects, play):
    before = objects.get("configmap")
    run = play(WISHES)
    after = objects.get("configmap")
    changed = {
        "  tcpTimeout: 8284s": "  tcpTimeout: 0s",
        "  tcpEstablishedTimeout: 7200s": "  tcpEstablishedTimeout: null",
    }
    lines = [changed.get(line, line) for line in after["data"].pop("config.conf").split("\n")]
    assert "\n".join(lines) == before["data"].pop("config.conf")
    assert json.loads(after["metadata"]["annotations"][ORIGINALS])["configurations"] == {
        "config.conf": {
            "conntrack.tcpEstablishedTimeout": {"before": "null", "ours": "7200s"},
            "ipvs.tcpTimeout": {"before": "0s", "ours": "8284s"},
        }
    }
    assert after["data"] == before["data"]
    assert (run.failed, run.changed, NEEDED in run.said, restarted_at(objects)) == (0, 1, True, None)


def test_the_second_run_changes_nothing(objects, play):
    play(WISHES)
    before = objects.get("configmap")
    run = play(WISHES)
    assert (run.failed, run.changed, objects.get("configmap")) == (0, 0, before)


def test_a_restart_that_was_not_asked_for_can_be_asked_for_later_and_is_made_once(objects, play):
    play(WISHES)
    objects.roll_out()
    run = play({**WISHES, **ROLLOUT})
    restarted = restarted_at(objects)
    assert (run.failed, run.changed, restarted is not None) == (0, 1, True)
    run = play({**WISHES, **ROLLOUT})
    assert (run.failed, run.changed, restarted_at(objects), NEEDED in run.said) == (0, 0, restarted, False)


def test_a_restart_by_kubectl_counts(objects, play):
    play(WISHES)
    later = datetime.now(timezone(timedelta(hours=2))) + timedelta(seconds=1)
    annotation = {RESTARTED: later.isoformat(timespec="seconds")}
    objects.patch("daemonset", {"spec": {"template": {"metadata": {"annotations": annotation}}}})
    run = play(WISHES)
    assert (run.failed, run.changed, NEEDED in run.said) == (0, 0, False)


def test_a_restart_before_the_change_does_not_count(objects, play):
    annotation = {RESTARTED: "2026-01-01T00:00:00Z"}
    objects.patch("daemonset", {"spec": {"template": {"metadata": {"annotations": annotation}}}})
    play(WISHES)
    assert NEEDED in play(WISHES).said


def test_pods_that_do_not_come_up_are_an_error_in_the_next_run_too(objects, play):
    objects.roll_out(ready=1)
    variables = {**WISHES, "kube_proxy_rollout": True, "kube_proxy_rollout_timeout": 3}
    said = "kube-proxy: the ConfigMap is changed, but not every node runs a new pod ("
    run = play(variables)
    assert (run.failed, said in run.said) == (1, True)
    assert "kube_proxy_state: absent gives back what the ConfigMap said before." in run.said
    run = play(variables)
    assert (run.failed, run.changed, said in run.said) == (1, 0, True)


def test_restore_gives_back_every_byte_so_that_kubeadm_takes_it_for_its_own(objects, play):
    before = objects.get("configmap")
    assert before["metadata"]["annotations"][HASH] == checksum(before)
    play(WISHES)
    changed = objects.get("configmap")
    assert changed["metadata"]["annotations"][HASH] != checksum(changed)
    objects.roll_out()
    run = play({**BACK, **ROLLOUT})
    assert (run.failed, run.changed) == (0, 2)
    assert objects.get("configmap") == before
    run = play({**BACK, **ROLLOUT})
    assert (run.failed, run.changed, objects.get("configmap")) == (0, 0, before)


def test_what_somebody_else_has_changed_since_stays(objects, play):
    play(WISHES)
    theirs = config_of(objects).replace("8284s", "7m0s")
    objects.patch("configmap", {"data": {"config.conf": theirs}})
    run = play(BACK)
    assert "config.conf: ipvs.tcpTimeout: 7m0s, somebody changed it after the role set 8284s. It stays" in run.said
    assert (run.failed, config_of(objects)) == (0, theirs.replace("7200s", "null"))


def test_a_change_that_somebody_else_makes_meanwhile_is_not_lost(objects, play, server):
    stale = server.call("GET", "/api/v1/namespaces/kube-system/configmaps/kube-proxy")
    objects.patch("configmap", {"data": {"config.conf": config_of(objects).replace('mode: ""', "mode: ipvs")}})
    before = objects.get("configmap")
    # Read before somebody else's change, written after it.
    run = play({**WISHES, "__kube_proxy_found": stale})
    assert (run.failed, "the object has been modified" in run.said, objects.get("configmap")) == (1, True, before)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        pytest.param(
            {"kube_proxy_configmap_name": "kube-proxy-config"},
            "ConfigMap kube-system/kube-proxy-config: not there, the configuration of kube-proxy expected.",
            id="no such ConfigMap",
        ),
        pytest.param(
            {"kube_proxy_configmap_key": "config"},
            "ConfigMap kube-system/kube-proxy: no key config, the configuration of kube-proxy expected.",
            id="no such key",
        ),
        pytest.param(
            {"kube_proxy_configmap_key": "kubeconfig.conf"},
            "kubeconfig.conf: kind is 'Config', KubeProxyConfiguration expected, for others have other fields. Nothing",
            id="another text",
        ),
        pytest.param(
            {"kube_proxy_context": "production"}, "Expected object with name production", id="no such context"
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changed(objects, play, variables, said):
    before = objects.get("configmap")
    run = play({**WISHES, **variables})
    assert (run.failed, said in run.said) == (1, True)
    assert objects.get("configmap") == before


def test_without_kubernetes_core_the_role_says_how_to_get_it(play):
    run = play(WISHES, ANSIBLE_COLLECTIONS_SCAN_SYS_PATH="false")
    assert "the collection kubernetes.core is not on the controller, it is needed to change a ConfigMap." in run.said
    assert run.failed == 1


def test_without_the_python_library_the_role_says_how_to_get_it(play, tmp_path):
    (tmp_path / "kubernetes.py").write_text("raise ImportError('not here')\n")
    run = play(WISHES, PYTHONPATH=f"{tmp_path}:{os.environ['PYTHONPATH']}")
    assert f"the Python library kubernetes is not there for {Path(sys.executable).parent}/python" in run.said
    assert "(ImportError: not here), kubernetes.core needs it." in run.said
    assert run.failed == 1
