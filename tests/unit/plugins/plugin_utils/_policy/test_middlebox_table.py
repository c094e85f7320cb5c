# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.middlebox_table import KNOWN


@pytest.mark.parametrize("name", KNOWN)
def test_a_row_has_a_source_and_a_default_within_its_range(name):
    known = KNOWN[name]
    assert known.source
    assert (known.lowest is None) == (known.highest is None)
    assert known.lowest is None or known.lowest <= known.seconds <= known.highest


def test_labels_are_told_apart():
    assert len({known.label for known in KNOWN.values()}) == len(KNOWN)


@pytest.mark.parametrize(
    ("name", "proxy"), [("aws_nlb", False), ("aws_alb", True), ("haproxy", True), ("azure_lb", False)]
)
def test_a_row_says_whether_probes_count(name, proxy):
    assert KNOWN[name].proxy is proxy
