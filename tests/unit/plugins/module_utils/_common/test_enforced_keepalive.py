# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.enforced_keepalive import (
    may_leave_out,
    of_new_connections,
)
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KERNEL_DEFAULT, Keepalive

ENFORCED = Keepalive(600, 30, 9)
UID = "2c9e4c5e-7f0a-4c0e-9a52-000000000001"
OF_POD = f"/kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice"


@pytest.mark.parametrize(
    ("own", "replaces", "to_come"),
    [
        pytest.param(KERNEL_DEFAULT, False, ENFORCED, id="the kernel's default"),
        pytest.param(Keepalive(300, 20, 5), False, Keepalive(300, 20, 5), id="sooner values of its own"),
        pytest.param(Keepalive(300, 75, 5), False, Keepalive(300, 30, 9), id="the sooner of each"),
        pytest.param(Keepalive(300, 20, 5), True, ENFORCED, id="a kernel whose programs cannot read it"),
        pytest.param(Keepalive(300, 20, 0), False, None, id="values below 1"),
    ],
)
def test_what_a_namespace_opens_from_now_on(own, replaces, to_come):
    assert of_new_connections(own, ENFORCED, replaces) == to_come


@pytest.mark.parametrize(
    ("cgroup", "is_pod", "may"),
    [
        pytest.param(OF_POD, True, True, id="its own group"),
        pytest.param(OF_POD.replace("000001", "000002"), True, False, id="another pod's"),
        pytest.param("/system.slice/sshd.service", True, False, id="a service's"),
        pytest.param("/system.slice/containerd.service", True, True, id="a runtime's"),
        pytest.param("/system.slice/sshd.service", False, True, id="no pod: nobody knows"),
    ],
)
def test_a_group_that_is_excluded_may_hold_its_processes(cgroup, is_pod, may):
    assert may_leave_out([cgroup], UID, is_pod) is may


def test_nothing_is_excluded():
    assert may_leave_out([], UID, False) is False
