# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import copy

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import RpsSettings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.guard_options import from_options, planned
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import Settings
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import Conf, conf_text, parse
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import PLAN

OPTIONS = {"sysctl_file": "/etc/sysctl.d/k8s.conf", "modules_file": "/etc/modules-load.d/k8s.conf"}


def plan():
    return {name: copy.deepcopy(PLAN[name]) for name in ("settings", "watch")}


def asked(**more):
    given = dict({"node": "w1", "interval": 300, "cure": False, "textfile": "/run/", "plan": plan()}, **more)
    return from_options(dict(OPTIONS, guard=given), conf_text)


def test_what_was_asked_for():
    assert asked() == (conf_text(Conf("w1", 300, PLAN)), 300, False, "/run")


def test_an_empty_one_is_none():
    assert asked(node=None, plan=None) == ()


NOT_PLANNED = (
    "guard: plan: it is not what the report has planned for the node ({}). Run the role "
    "kubenode.connections.keepalive, or its entry point audit, before it in the same play."
)
NO_PATH = (
    "guard: textfile: 'metrics' is not the absolute path of a configuration file. Write a path such as "
    "/var/lib/prometheus/node-exporter."
)
LACKS = "ValueError: watch lacks outside, keepalive, give_pods, give_containers, kept, lost_probes, all_limits"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"node": "a\nb"}, "guard: node: 'a\\nb' is no name of a node. Write the one that the inventory has."),
        ({"interval": 5}, "guard: interval: 5 is not from 60 to 86400 seconds. Write such as 300."),
        ({"textfile": "metrics"}, NO_PATH),
        ({"plan": {"settings": {}}}, NOT_PLANNED.format("KeyError: 'watch'")),
        ({"plan": {"watch": {"limit": None}}}, NOT_PLANNED.format(LACKS)),
    ],
)
def test_what_is_wrong_is_named(wrong, message):
    with pytest.raises(NodeError) as error:
        asked(**wrong)
    assert str(error.value) == message


def test_the_settings_that_the_node_is_held_to():
    settings = planned(parse(asked().program))
    assert settings == Settings(sysctls={"net.ipv4.tcp_keepalive_time": "600"}, persistent=False)


def test_settings_of_every_kind():
    wanted = plan()
    wanted["settings"].update(
        modules=["ip_vs"],
        ipvs_timeouts={"tcp": 900},
        pods={"time": 600, "intvl": 30, "probes": 9},
        rps={"nics": [{"cpus": "0-3"}], "flow_entries": 0},
        enforce={},
    )
    settings = planned(parse(asked(plan=wanted).program))
    assert (settings.modules, settings.ipvs_timeouts, settings.pods) == (("ip_vs",), {"tcp": 900}, (600, 30, 9))
    assert (settings.rps.rows[0].cpus, settings.enforce) == ("0-3", ())


def test_receive_packet_steering_that_is_given_back():
    wanted = plan()
    wanted["settings"]["rps"] = {}
    assert planned(parse(asked(plan=wanted).program)).rps == RpsSettings()
