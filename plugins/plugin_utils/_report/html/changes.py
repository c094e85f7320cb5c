# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's before and after: what an apply did or would do, and what still is to be changed. Private."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..rearming import rearm_words, rearmed_words, to_rearm
from .alike import alike

Node = Mapping[str, Any]


@dataclass(frozen=True)
class Changes:
    """Nodes where an apply failed in the same way, where it did the same, and where the same is to be changed.

    ``rearm``: the node, and which of its open connections an apply would give a sooner timer.
    """

    applied: list[list[Node]]
    planned: list[list[Node]]
    rearm: list[tuple[str, str]] = field(default_factory=list)
    failed: list[list[Node]] = field(default_factory=list)


def part(document: Mapping[str, Any]) -> Changes | None:
    """None where nothing was changed and nothing is to be."""
    failed = alike((node for node in document["nodes"] if node["applied"] and node["applied"]["error"]), _outcome)
    applied = alike((node for node in document["nodes"] if node["applied"] and not node["applied"]["error"]), _outcome)
    planned = alike((node for node in document["nodes"] if node["changes"]), _wanted)
    rearm = [(name, rearm_words(each)) for name, each in to_rearm(document).items()]
    return Changes(applied, planned, rearm, failed) if failed or applied or planned or rearm else None


def rearmed(applied: Mapping[str, Any], check_mode: bool) -> str:
    """What became of open connections, in words; empty where there were none."""
    done = applied.get("open_connections")
    return rearmed_words(done["rearmed"], done["not_rearmed"], check_mode) if done else ""


def value_rows(applied: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """What an apply changed, files left out; pods and containers that were changed in the same way as one."""
    values = [each for each in applied["values"] if each["changed"] and each["kind"] != "file"]
    return alike(values, lambda each: (each["before"], each["after"], *_itself(each)))


def _itself(value: Mapping[str, Any]) -> tuple[str, ...]:
    return (value["kind"],) if value["kind"] in ("pod", "container") else (value["kind"], value["what"])


def _outcome(node: Node) -> str:
    return json.dumps([node["applied"], node["verdict"]], sort_keys=True)


def _wanted(node: Node) -> str:
    """The changes, and who sets now what is to be changed."""
    owners = [node["owners"].get(change["key"]) for change in node["changes"]]
    return json.dumps([node["changes"], owners], sort_keys=True)


def diff_lines(file: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The lines of a file that was changed, each ``added``, ``removed`` or ``kept``, with its sign."""
    kinds = {"+": "added", "-": "removed"}
    before, after = ((file[when] or "").splitlines() for when in ("before", "after"))
    for number, line in enumerate(difflib.unified_diff(before, after, lineterm="")):
        if number >= 2 and not line.startswith("@@"):
            yield kinds.get(line[:1], "kept"), line
