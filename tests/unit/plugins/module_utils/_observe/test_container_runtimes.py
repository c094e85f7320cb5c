# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes with the names of container runtimes, root's and another user's."""

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import find
from ansible_collections.kubenode.connections.plugins.module_utils._observe import container_runtimes
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import (
    NOBODY,
    elf,
    needs_x86,
    put,
    running,
)

pytestmark = needs_x86


def read():
    return container_runtimes.names(find(container_runtimes.WANTED))


@isolated
def test_none_is_certain_where_no_process_has_such_a_name():
    with running(put("/run/root/nginx", elf())):
        assert read() == []


@pytest.mark.parametrize("name", container_runtimes.NAMES)
@isolated
def test_each_daemon_is_told_by_its_name(name):
    with running(put("/run/root/" + name, elf())):
        assert read() == [name]


@isolated
def test_what_only_calls_itself_so_leaves_it_uncertain():
    with running(put("/run/user/containerd", elf(), owner=NOBODY), user=NOBODY):
        assert read() is None


@isolated
def test_what_only_calls_itself_so_does_not_hide_the_true_one():
    theirs = put("/run/user/containerd", elf(), owner=NOBODY)
    with running(theirs, user=NOBODY), running(put("/run/root/crio", elf())):
        assert read() == ["crio"]


@isolated
def test_one_of_a_pod_is_not_the_nodes():
    with running(put("/run/root/dockerd", elf()), prefix=("unshare", "--net")):
        assert read() == []
