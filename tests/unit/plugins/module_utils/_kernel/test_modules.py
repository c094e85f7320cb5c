# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import modules
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._trees import write_tree

LIB = f"lib/modules/{os.uname().release}/"
MODULES = "ip_vs_rr 16384 0 - Live 0xffffffffc0a3d000\nip_vs 184320 2 ip_vs_rr, Live 0xffffffffc09f5000\n"
STATES = [
    pytest.param({}, False, False, id="nothing there"),
    pytest.param({"proc/modules": MODULES}, True, False, id="a loaded module"),
    pytest.param({"proc/modules": "", "proc/net/ip_vs": ""}, True, True, id="its file, and no module: built in"),
    pytest.param({"proc/net/ip_vs": ""}, True, True, id="its file, in a kernel without modules: built in"),
    pytest.param({"proc/modules": MODULES, "proc/net/ip_vs": ""}, True, False, id="its file and a module"),
    pytest.param({"sys/module/ip_vs/parameters/x": "", "proc/modules": ""}, True, True, id="only its folder in sysfs"),
    pytest.param({"proc/modules": "ip_vs_rr 16384 0 - Live 0\n"}, False, False, id="a module with a longer name"),
    pytest.param(
        {"proc/modules": "", LIB + "modules.builtin": "kernel/net/netfilter/ipvs/ip_vs.ko\n"},
        False,
        True,
        id="the kernel's list of what is built in",
    ),
]
LOADING = [
    pytest.param({}, True, id="a kernel without modules"),
    pytest.param({"proc/modules": "ip_vs 1 0 - Live 0x0\n"}, False, id="a module that is not there"),
    pytest.param(
        {"proc/sys/kernel/modprobe": "/sbin/modprobe\n"}, False, id="a module that is not there, /proc hidden"
    ),
    pytest.param({"proc/modules": "tcp_diag 1 0 - Live 0x0\n"}, True, id="loaded"),
    pytest.param({"proc/modules": "", "sys/module/tcp_diag/initstate": "live\n"}, True, id="loaded, by sysfs"),
    pytest.param({"proc/modules": "", LIB + "modules.builtin": "kernel/net/ipv4/tcp_diag.ko\n"}, True, id="built in"),
    pytest.param({"proc/modules": "", "proc/sys/kernel/modules_disabled": "1\n"}, True, id="loading is locked"),
    pytest.param({"proc/modules": "", "proc/sys/kernel/modules_disabled": "0\n"}, False, id="loading is not locked"),
]


@pytest.mark.parametrize(("files", "loaded", "builtin"), STATES)
def test_loaded_and_built_in(tmp_path, files, loaded, builtin):
    root = write_tree(tmp_path, files)
    assert modules.module_loaded("ip-vs", root) == loaded
    assert modules.module_builtin("ip_vs", root) == builtin


def test_this_kernel_has_conntrack_exactly_where_its_sysctl_is():
    assert modules.module_loaded("nf_conntrack") == os.path.exists("/proc/sys/net/netfilter/nf_conntrack_max")
    assert not modules.module_loaded("no_such_module")


@pytest.mark.parametrize(("files", "expected"), LOADING)
def test_whether_using_a_module_loads_nothing(tmp_path, files, expected):
    assert modules.use_loads_nothing("tcp_diag", write_tree(tmp_path, files)) is expected
