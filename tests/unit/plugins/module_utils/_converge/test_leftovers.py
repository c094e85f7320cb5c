# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import PATH as RULE
from ansible_collections.kubenode.connections.plugins.module_utils._common.rps_rules import Row, RpsSettings, rule_text
from ansible_collections.kubenode.connections.plugins.module_utils._converge import leftovers
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.originals import PATH
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import PATH as UNIT
from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import unit_text
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls import methods, run
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    sysctl,
    tree,
    write,
)

TIME = "net.ipv4.tcp_keepalive_time"
FILE = "/etc/sysctl.d/k8s.conf"
STAYS = f" was written by this collection and stays: no record of it is in {PATH} any more. "
UNIT_NOTE = (
    UNIT + STAYS + "It sets the IPVS timeouts at every boot. To take it back by hand, run systemctl disable --now "
    "kubenode-ipvs-timeouts.service, remove the file, and set the timeouts that you want (ipvsadm --set 900 120 300 is "
    "what the kernel starts with)."
)
RULE_NOTE = (
    RULE
    + STAYS
    + "It sets Receive Packet Steering at every boot. To take it back by hand, remove the file, run udevadm "
    "control --reload, and write 0 to rps_cpus and rps_flow_cnt of the receive queues below /sys/class/net."
)


def ours():
    write(UNIT, unit_text({"tcp": 8284}, "/usr/bin/python3", None))
    write(RULE, rule_text(RpsSettings((Row("0-3"),), 0), {}))


@isolated
def test_a_restore_without_a_record_tells_what_stays_and_what_to_do():
    converge(Settings(sysctls={TIME: "600"}), False)
    ours()
    os.unlink(PATH)
    os.rmdir(os.path.dirname(PATH))  # empty, a run would remove it
    before = tree()
    lines = (
        f"{FILE} has {TIME} = 600. Whether this collection wrote that, nobody can tell: there is no record ({PATH}), "
        "so it stays. If nobody wants it, take it out and set the live values that you want (sysctl -w)."
    )
    for check in (True, False):
        outcome = converge(NOTHING, check)
        assert (outcome.changed, outcome.notes) == (False, [UNIT_NOTE, RULE_NOTE, lines])
    assert tree() == before
    assert (sysctl(TIME), read(FILE)) == ("600", f"{TIME} = 600\n".encode())


@pytest.mark.parametrize(
    ("settings", "notes"),
    [
        pytest.param(Settings(ipvs_timeouts={}), [UNIT_NOTE], id="the timeouts"),
        pytest.param(Settings(rps=RpsSettings()), [RULE_NOTE], id="RPS"),
        pytest.param(Settings(sysctls={}, modules=(), pods=()), [], id="neither"),
        pytest.param(Settings(), [], id="nothing"),
        pytest.param(Settings(ipvs_timeouts={}, merge=True), [], id="no timeout to change"),
    ],
)
@isolated
def test_only_what_is_given_back_is_told(settings, notes):
    ours()
    assert converge(settings, True).notes == notes


@isolated
def test_a_record_of_something_else_does_not_hide_them():
    converge(Settings(sysctls={TIME: "600"}), False)
    ours()
    assert converge(NOTHING, False).notes == [UNIT_NOTE, RULE_NOTE]
    assert read(FILE) is None


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="an empty file"),
        pytest.param(b"net.ipv4.tcp_keepalive_time=600\n", id="another spelling"),
        pytest.param(b"net.ipv4.tcp_keepalive_time = 7200\n", id="the kernel's default"),
        pytest.param(b"vm.swappiness = 10\n", id="a key that is never set here"),
        pytest.param(b"# net.ipv4.tcp_keepalive_time = 600\n", id="a comment"),
    ],
)
@isolated
def test_lines_of_others_are_no_leftovers(data):
    write(FILE, data)
    write(UNIT, b"[Unit]\nDescription=mine\n")
    assert converge(NOTHING, False).notes == []


@pytest.mark.parametrize(
    ("folder", "service"),
    [("/etc/crio/crio.conf.d", "crio"), ("/var/lib/rancher/rke2/agent/etc/kubelet.conf.d", "rke2")],
)
@isolated
def test_drop_ins_for_new_pods_without_a_record_are_told(folder, service):
    path = write(f"{folder}/{methods.DROP_IN}", b"# Written by the Ansible module kubenode.connections.pod_sysctls.\n")
    write("/etc/kubernetes/kubelet.conf.d/" + methods.DROP_IN, b"# mine\n")
    outcome = run.converge(None, False)
    assert (outcome.changed, outcome.notes) == (
        False,
        [path + STAYS + f"New pods get its sysctls. To take it back by hand, remove the file and restart {service}."],
    )


def test_the_places_of_drop_ins_are_those_where_they_are_written():
    assert leftovers._DROP_IN == methods.DROP_IN
    assert leftovers._DROP_INS[0][0] == methods.CRIO_DIRECTORY
