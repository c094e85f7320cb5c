# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes with the names of container runtimes, root's and another user's."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import cgroups
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import find
from ansible_collections.kubenode.connections.plugins.module_utils._observe import container_runtimes
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._pod_processes import ID, UID
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


IN_CGROUP = ("unshare", "--mount", "sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"')


@pytest.mark.parametrize(
    ("prefix", "cgroup", "known"),
    [
        pytest.param(("unshare", "--net"), None, [], id="in a network of its own"),
        pytest.param(("unshare", "--mount", "--pid", "--fork", "--kill-child"), None, [], id="in the node's network"),
        pytest.param(IN_CGROUP, f"kubepods/pod{UID}", [], id="in the node's network with its processes"),
        pytest.param(IN_CGROUP, f"docker/{ID}", [], id="a container in the node's network with its processes"),
        pytest.param(IN_CGROUP, "system.slice/snap.docker", None, id="the node's, which has files of its own"),
    ],
)
@isolated
def test_one_of_a_pod_is_not_the_nodes(prefix, cgroup, known):
    place = [os.path.join(cgroups.mounted_at(), cgroup)] if cgroup else []
    for each in place:
        os.makedirs(each)
    theirs = put("/run/root/dockerd", elf())
    with running(theirs, prefix=(*prefix, *place)):
        assert read() == known
        with running(put("/run/root/crio", elf())):
            assert read() == ["crio"]
