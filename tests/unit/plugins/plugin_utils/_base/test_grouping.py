# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.grouping import grouped


def test_the_values_of_each_key_in_their_order_and_the_keys_in_theirs():
    found = grouped(iter([("b", 2), ("a", 1), ("b", 1), ("b", 2)]))
    assert list(found.items()) == [("b", [2, 1, 2]), ("a", [1])]


def test_of_nothing_there_are_no_groups():
    assert grouped([]) == {}
