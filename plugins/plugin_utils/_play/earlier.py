# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an earlier report says of the hosts that this run leaves out. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.elsewhere import (
    NOTHING_ELSEWHERE,
    Elsewhere,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.limits import Limit

Report = Mapping[str, Any]


def elsewhere(left_out: Sequence[str], looked_at: int, earlier: Report | None) -> Elsewhere:
    """What is known of the hosts left out; ``earlier`` is a report's document, or None where there is none.

    A report counts only where it knows every one of them: a limit of half of them promises nothing.
    """
    if not left_out:
        return NOTHING_ELSEWHERE
    unknown = Elsewhere(tuple(left_out), looked_at + len(left_out))
    try:
        return _known(unknown, earlier) if earlier else unknown
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return unknown


def _known(unknown: Elsewhere, earlier: Report) -> Elsewhere:
    wanted, before = set(unknown.hosts), earlier["left_out"]
    seen = {str(node["name"]) for node in earlier["nodes"] if node["observed"] and not node["not_seen"]}
    told = set(before["hosts"]) if before["source"] else set()
    if not wanted <= seen | told | set(earlier["other_hosts"]):
        return unknown
    limits = [Limit(int(each["seconds"]), str(each["name"]), str(each["node"])) for each in _limits(earlier, wanted)]
    source = str(before["source"]) if told & wanted else tell("the report of {made_at}", made_at=earlier["made_at"])
    lowest = min(limits, key=lambda limit: limit.seconds, default=None)
    return Elsewhere(unknown.hosts, unknown.of_hosts, lowest, source)


def _limits(earlier: Report, wanted: set[str]) -> Iterator[Mapping[str, Any]]:
    yield from (limit for limit in earlier["limits"] if limit["node"] in wanted)
    if earlier["left_out"]["limit"] and set(earlier["left_out"]["hosts"]) & wanted:
        yield earlier["left_out"]["limit"]
