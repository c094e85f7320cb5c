# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pod that ran while the role was applied."""

from __future__ import annotations


def test_the_pod_has_the_plans_keepalive(pod: str | None) -> None:
    assert pod == "600/30/9"
