# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._common import limit_names


def test_each_limit_has_a_name_of_its_own():
    names = [value for name, value in vars(limit_names).items() if name.isupper()]
    assert len(set(names)) == len(names) == 3
