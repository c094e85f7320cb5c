# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._guard import main
from ansible_collections.kubenode.connections.plugins.module_utils._guard.cure import Cured, give
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import conf
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._running_pods import running

RECORD = "/var/lib/kubenode.connections/originals.json"


def test_where_the_plan_gives_nothing_nothing_is_done():
    assert give(conf(give_pods=None, give_containers=None)) == Cured(0, [])


@isolated
def test_a_pod_that_has_come_since_is_cured_once_and_given_back(monkeypatch):
    with running(monkeypatch, "web") as pods:
        assert give(conf()) == Cured(1, [])
        assert pods.live("web") == "600/30/9"
        assert give(conf()) == Cured(0, [])
        pods.add("later")
        assert give(conf()) == Cured(1, [])
        assert pods.live("later") == "600/30/9"
        converge(NOTHING, False)
        assert (pods.live("web"), pods.live("later"), read(RECORD)) == ("7200/75/9", "7200/75/9", None)


@isolated
def test_a_pod_that_does_not_take_it_is_a_problem(monkeypatch):
    with running(monkeypatch, "web") as pods:
        pods.mounted("web", "time", "ro")
        cured = give(conf())
        assert (cured.number, len(cured.problems)) == (0, 1)
        assert cured.problems[0].startswith("shop/web: it did not take the keepalive 600/30/9: ")


@isolated
def test_without_a_cure_pods_are_left_alone(monkeypatch):
    with running(monkeypatch, "web") as pods:
        main.look(conf(), False)
        assert (pods.live("web"), read(RECORD)) == ("7200/75/9", None)
        main.look(conf(), True)
        assert pods.live("web") == "600/30/9"
