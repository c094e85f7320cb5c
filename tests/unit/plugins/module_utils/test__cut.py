# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils import _cut


def test_each_limit_counts_itself_and_all_below_it():
    counter = _cut.Counter()
    for seconds in (0, 60, 61, 300, 301, 900, 901, 1 << 40):
        counter.add(seconds)
    assert counter.within() == {"60": 2, "300": 4, "900": 6}


def test_of_nothing_nothing_is_cut():
    assert _cut.Counter().within() == {"60": 0, "300": 0, "900": 0}
