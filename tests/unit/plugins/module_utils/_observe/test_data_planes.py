# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real network devices in a network namespace of their own."""

import json

import pytest

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

CODE = r"""
import json, subprocess
subprocess.check_call(['mount', '-t', 'sysfs', 'sysfs', '/sys'])
for number, name in enumerate({}):
    subprocess.check_call(['ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', 'peer%d' % number])
print(json.dumps(data_planes.read()))
"""


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ([], []),
        (["cilium_host", "cilium_net"], ["cilium"]),
        (["bpfin.cali", "bpfout.cali"], ["calico_ebpf"]),
        (["ovs-system", "br-int"], ["ovs"]),
        (["cilium_host", "ovs-system"], ["cilium", "ovs"]),
        (["cilium_wg0", "cali1234", "ovs-br"], []),
    ],
)
def test_data_planes_by_their_devices(devices, expected):
    output = run_python("_observe.data_planes", CODE.format(devices), "unshare", "-mn")
    assert json.loads(output.splitlines()[-1]) == expected
