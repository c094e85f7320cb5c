# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import modules
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._files.test_modules_load import (
    LOADING,
    STATES,
    write_tree,
)


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
