# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import trial_connection
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.trial_connection import End
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_without_rights
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._own_cgroup import (
    as_root_without_entry,
    attach_ours,
    opened,
    own_cgroup,
)

NAMES = [f"{family}, the end that {did} it" for family in ("IPv4", "IPv6") for did in ("opened", "accepted")]


def tried(path, avoid_ports=()):
    with opened(path) as cgroup:
        return trial_connection.try_connections(cgroup, avoid_ports)


def test_both_ends_tell_what_the_kernel_gives_new_connections():
    with own_cgroup() as path:
        before = tried(path)
        assert (before.error, before.entered) == (None, True)
        assert before.ends == [End(name, False, 7200, 75, 9) for name in NAMES[: len(before.ends)]]
        attach_ours(path)
        assert tried(path).ends == [End(name, True, 600, 30, 9) for name in NAMES[: len(before.ends)]]


def test_ports_that_are_excluded_are_not_used():
    ports = (65535, 65533, 65534)
    with own_cgroup() as path:
        attach_ours(path, ports=ports)
        assert {str(end) for end in tried(path, ports).ends} == {"on, 600/30/9"}
        assert {str(end) for end in tried(path).ends} == {"off, 7200/75/9"}


def test_neither_our_namespace_nor_our_cgroup_changes():
    def places():
        with open("/proc/self/cgroup", encoding="ascii") as handle:
            return os.readlink("/proc/self/ns/net"), handle.read()

    before = places()
    with own_cgroup() as path:
        tried(path)
        assert places() == before


def test_where_the_cgroup_cannot_be_entered_the_ends_are_of_our_own():
    with as_root_without_entry() as path:
        attach_ours(path)
        trial = tried(path)
    assert (trial.error, trial.entered) == (None, False)
    assert {str(end) for end in trial.ends} == {"off, 7200/75/9"}


def test_without_rights_to_a_namespace_there_are_no_ends_and_the_reason():
    said = run_without_rights("_kernel.trial_connection", "print(trial_connection.try_connections(0))")
    assert said == (
        "Trial(ends=[], error='failed: PermissionError: [Errno 1] no network namespace for a trial connection: "
        "Operation not permitted', entered=False)"
    )
