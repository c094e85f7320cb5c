# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes with another value somewhere."""

from __future__ import annotations


def changed(node, path, value):
    """The node with a value at a path such as ``ipvs.timeouts``."""
    *parents, last = path.split(".")
    inner = node
    for each in parents:
        inner = inner[each]
    inner[last] = value
    return node
