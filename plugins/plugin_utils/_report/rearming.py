# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Open connections that an apply gives a sooner timer, or has given one, in words. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
    told = [(rearm["late"], "with a timer beyond the limit"), (rearm["without_keepalive"], "without SO_KEEPALIVE")]
    counts = ", ".join(f"{connections} {words}" for connections, words in told if connections)
    return f"{counts} (keepalive_open_connections {rearm['mode']})"


def rearmed_words(rearmed: int, left: int, check_mode: bool) -> str:
    """``3 open connections re-armed in place, 2 could not be``; empty where there were none."""
    if not rearmed and not left:
        return ""
    would, could = ("would be ", "cannot") if check_mode else ("", "could not")
    told = f"{count(rearmed, 'open connection')} {would}re-armed in place"
    return f"{told}, {left} {could} be" if left else told
