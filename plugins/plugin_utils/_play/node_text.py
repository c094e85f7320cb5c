# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node as one text in the result of a task. Private to this collection.

Ansible copies and checks every value of a result several times, which takes longer than all the rest where a node has
hundreds of pods. One text is one value. It is compressed, because the texts of all nodes are held to the end of a run.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any


def with_text(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result of node_info or node_settings with its ``node`` as a text, where it has one."""
    node = result.get("node")
    return {**result, "node": _packed(node)} if isinstance(node, dict) else dict(result)


def _packed(node: Mapping[str, Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(node).encode(), 1)).decode()


def node_in(result: Mapping[str, object]) -> dict[str, Any] | None:
    """The node of a result, as text or as it was; None where there is none."""
    node = result.get("node")
    if isinstance(node, str):
        try:
            node = json.loads(zlib.decompress(base64.b64decode(node)))
        except (ValueError, RecursionError, zlib.error):
            return None
    return node if isinstance(node, dict) else None
