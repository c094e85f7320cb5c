# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A misspelt variable of a role stops it: kubelet_http2_stat: absent would set what it should take away."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("role", "entry", "name", "meant"),
    [
        ("kubelet_http2", "main", "kubelet_http2_stat", "kubelet_http2_state"),
        ("pod_defaults", "main", "pod_defaults_stat", "pod_defaults_state"),
        ("pod_defaults", "restore", "pod_defaults_ways", "pod_defaults_way"),
        ("guard", "main", "guard_intervall", "guard_interval"),
        ("guard", "restore", "guard_textfiles", "guard_textfile"),
    ],
)
def test_a_name_that_the_role_does_not_have_is_refused(play, role, entry, name, meant):
    include = {"name": f"kubenode.connections.{role}", "tasks_from": entry}
    printed = play([{"ansible.builtin.include_role": include, "vars": {name: "absent"}}], code=2)
    assert f"{name}: not a variable of the role {role}. Did you mean {meant}?" in printed
