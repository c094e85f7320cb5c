# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open connections that an apply gives a sooner timer, or has given one, in words. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

Document = Mapping[str, Any]


def to_rearm(document: Document) -> dict[str, Mapping[str, Any]]:
    """What an apply would re-arm on each node; reports of earlier releases do not say it."""
    return {node["name"]: rearm for node in document["nodes"] if (rearm := node.get("rearm"))}


def number(document: Document) -> int:
    """How many connections that is."""
    return sum(each["late"] + each["without_keepalive"] for each in to_rearm(document).values())


def rearm_words(rearm: Mapping[str, Any]) -> str:
    """``3 with a timer beyond the limit, 2 without SO_KEEPALIVE (keepalive_open_connections all)``"""
    late, without = rearm["late"], rearm["without_keepalive"]
    told = [tell("{number} with a timer beyond the limit", number=late)] if late else []
    told += [tell("{number} without SO_KEEPALIVE", number=without)] if without else []
    return tell("{connections} (keepalive_open_connections {mode})", connections=joined(", ", told), mode=rearm["mode"])


def rearmed_words(rearmed: int, left: int, check_mode: bool) -> str:
    """``3 open connections re-armed in place, 2 could not be``; empty where there were none."""
    if not rearmed and not left:
        return ""
    connections = count(rearmed, "open connection")
    if check_mode and left:
        return tell("{done} would be re-armed in place, {left} cannot be", done=connections, left=left)
    if check_mode:
        return tell("{done} would be re-armed in place", done=connections)
    if left:
        return tell("{done} re-armed in place, {left} could not be", done=connections, left=left)
    return tell("{done} re-armed in place", done=connections)
