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

MAX_BYTES = 64 << 20
"""Of one node; what node_info returns of a node with hundreds of pods is a hundredth of it."""


def with_text(result: Mapping[str, Any]) -> dict[str, Any]:
    """The result of node_info or node_settings with its ``node`` as a text, where it has one.

    A text in its place is not ours: a node may send a short one that unpacks to more than any memory holds.
    """
    rest = {name: value for name, value in result.items() if name != "node"}
    node = result.get("node")
    return {**rest, "node": _packed(node)} if isinstance(node, dict) else rest


def _packed(node: Mapping[str, Any]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(node).encode(), 1)).decode()


def _unpacked(data: bytes) -> bytes:
    """Raises zlib.error for what is cut off or too long."""
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(data, MAX_BYTES)
    if not unpacking.eof:
        raise zlib.error(f"it is cut off, or longer than {MAX_BYTES} bytes")
    return text


def node_in(result: Mapping[str, object]) -> dict[str, Any] | None:
    """The node of a result, as text or as it was; None where there is none."""
    node = result.get("node")
    if isinstance(node, str):
        try:
            node = json.loads(_unpacked(base64.b64decode(node)))
        except (ValueError, RecursionError, zlib.error):
            return None
    return node if isinstance(node, dict) else None
