# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole runs on a node with pods that do as they like: real network namespaces, with real processes in them."""

import time

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import parse
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps import pods as steps_pods
from ansible_collections.kubenode.connections.plugins.module_utils._observe.ours import PATH as ORIGINALS
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    sysctl,
    tree,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._running_pods import running

TIME = "net.ipv4.tcp_keepalive_time"
FILE = "/etc/sysctl.d/k8s.conf"
WISH = Settings(sysctls={TIME: "600"}, pods=(600, 30, 9))
ONLY_PODS = Settings(pods=(600, 30, 9))


def wait_until(seen):
    end = time.monotonic() + 20
    while not seen() and time.monotonic() < end:
        time.sleep(0.01)


def before_the_pods_are_read_again(monkeypatch, act):
    """Have this happen between the write and the first time that it is read back."""
    real = steps_pods.PodsKeepalive.apply
    monkeypatch.setattr(steps_pods.PodsKeepalive, "apply", lambda step: (real(step), act()))


@isolated
def test_a_pod_that_rewrites_its_keepalive_does_not_block_the_node(monkeypatch):
    with running(monkeypatch, "hostile", "good") as pods:
        pods.rewrites("hostile")
        before_the_pods_are_read_again(monkeypatch, lambda: wait_until(lambda: pods.live("hostile")[:4] == "7200"))
        outcome = converge(WISH, False)
        assert (sysctl(TIME), read(FILE)) == ("600", TIME.encode() + b" = 600\n")
        assert (pods.live("good"), pods.live("hostile")) == ("600/30/9", "7200/75/9")
        assert outcome.changed is True
        assert (outcome.before["pods"], outcome.after["pods"]) == (
            {"shop/good": "7200/75/9"},
            {"shop/good": "600/30/9"},
        )
        assert outcome.pods_not_taken == [
            {
                "pod": "shop/hostile",
                "uid": "hostile",
                "wanted": "600/30/9",
                "found": "7200/75/9",
                "cause": "rewritten",
                "why": "something else sets it",
            }
        ]
        assert [note for note in outcome.notes if "shop/hostile" in note] == outcome.notes
        record = parse(read(ORIGINALS)).pods
        assert {uid: each[:2] for uid, each in record.items()} == {"good": ("7200/75/9", ("600/30/9",))}


@isolated
def test_a_run_in_which_no_pod_kept_the_value_changed_nothing_and_leaves_nothing(monkeypatch):
    with running(monkeypatch, "hostile") as pods:
        pods.rewrites("hostile")
        before_the_pods_are_read_again(monkeypatch, lambda: wait_until(lambda: pods.live("hostile")[:4] == "7200"))
        before = tree()
        for _run in range(2):
            outcome = converge(ONLY_PODS, False)
            assert (outcome.changed, outcome.diff, len(outcome.pods_not_taken)) == (False, [], 1)
            assert tree() == before


@isolated
def test_a_restore_gives_the_node_back_whatever_its_pods_do(monkeypatch):
    with running(monkeypatch, "stuck", "good") as pods:
        before = tree()
        converge(WISH, False)
        pods.mounted("stuck", "time", "ro")
        outcome = converge(NOTHING, False)
        assert (outcome.changed, outcome.before["pods"]) == (True, {"shop/good": "600/30/9"})
        assert (sysctl(TIME), read(FILE), pods.live("good"), pods.live("stuck")) == (
            "7200",
            None,
            "7200/75/9",
            "600/30/9",
        )
        assert [each["pod"] for each in outcome.pods_not_taken] == ["shop/stuck"]
        assert converge(NOTHING, False).changed is False
        pods.mounted("stuck", "time", "rw")
        assert converge(NOTHING, False).after["pods"] == {"shop/stuck": "7200/75/9"}
        assert pods.live("stuck") == "7200/75/9"
        assert tree() == before


@isolated
def test_a_failed_run_tells_of_a_pod_that_could_not_be_put_back_and_a_restore_does_it(monkeypatch):
    with running(monkeypatch, "stuck", "good") as pods:
        before = tree()
        before_the_pods_are_read_again(
            monkeypatch, lambda: (pods.mounted("stuck", "intvl", "ro"), sysctl(TIME, "1234"))
        )
        with pytest.raises(NodeError) as error:
            converge(WISH, False)
        assert str(error.value) == (
            f"{TIME}: it holds '1234' after '600' was written (read back). Choose a value that this node keeps, or "
            "find out who else writes there. The node is as before, but some of its running pods or containers are "
            "not: keepalive of shop/stuck: 7200/30/9, before it was 7200/75/9 (/proc/sys/net/ipv4/tcp_keepalive_intvl: "
            "Read-only file system). The originals are kept on the node: mend the cause, then run "
            "kubenode.connections.node_settings with state=absent."
        )
        assert (sysctl(TIME), read(FILE), pods.live("good"), pods.live("stuck")) == (
            "7200",
            None,
            "7200/75/9",
            "7200/30/9",
        )
        monkeypatch.undo()
        monkeypatch.setattr(steps_pods, "running_pods", pods.find)
        pods.mounted("stuck", "intvl", "rw")
        converge(NOTHING, False)
        assert pods.live("stuck") == "7200/75/9"
        assert tree() == before


@isolated
def test_a_check_foresees_the_pods_that_cannot_be_read(monkeypatch):
    with running(monkeypatch, "web") as pods:
        real = pods.find()
        hidden = real.pods["web"]._replace(keepalive=None, error="Permission denied")
        monkeypatch.setattr(steps_pods, "running_pods", lambda: real._replace(pods={"web": hidden}))
        foreseen = converge(ONLY_PODS, True)
        assert [each["cause"] for each in foreseen.pods_not_taken] == ["unread"]
        assert converge(ONLY_PODS, False) == foreseen


@isolated
def test_containers_are_cured_and_given_back_as_pods_are(monkeypatch):
    with running(monkeypatch, "docker-web", "nspawn-db") as boxes:
        monkeypatch.setattr(steps_pods, "running_containers", boxes.find)
        boxes.mounted("nspawn-db", "time", "ro")
        before = tree()
        wish = Settings(containers=(600, 30, 9))
        foreseen = converge(wish, True)
        assert foreseen.after["containers"] == {"shop/docker-web": "600/30/9", "shop/nspawn-db": "600/30/9"}
        outcome = converge(wish, False)
        assert (boxes.live("docker-web"), boxes.live("nspawn-db")) == ("600/30/9", "7200/75/9")
        assert (outcome.before["containers"], outcome.before["pods"]) == ({"shop/docker-web": "7200/75/9"}, {})
        assert [each["uid"] for each in outcome.pods_not_taken] == ["nspawn-db"]
        assert [note.partition(" could")[0] for note in outcome.notes] == ["keepalive of 1 running container"]
        assert "keepalive of shop/docker-web = 600/30/9\n" in outcome.diff[0]["after"]
        record = parse(read(ORIGINALS))
        assert record.pods == {}
        assert {key: each[:2] for key, each in record.containers.items()} == {
            "docker-web": ("7200/75/9", ("600/30/9",))
        }
        assert converge(wish, False).changed is False
        assert converge(Settings(pods=()), False).changed is False, "pods are another part"
        assert converge(NOTHING, False).changed is True
        assert boxes.live("docker-web") == "7200/75/9"
        assert tree() == before
