# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of targets: every parser of what nodes, kube-proxy, files, earlier reports and users give."""

from __future__ import annotations

from .controller_targets import CONTROLLER_TARGETS
from .node_targets import NODE_TARGETS
from .target import Target

TARGETS: dict[str, Target] = {**NODE_TARGETS, **CONTROLLER_TARGETS}
