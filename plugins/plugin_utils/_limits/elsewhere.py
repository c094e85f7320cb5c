# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of the hosts that a run leaves out, and connections cross all the same. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import plural, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.node_ranges import named
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count

from .coverage import NotSeen
from .limits import Limit

ELSEWHERE = "the lowest limit of the hosts left out"
_EVERY_HOST = (
    "Run without --limit, or keep a report of all hosts (keepalive_report_dir): its limits count for those left out."
)


@dataclass(frozen=True)
class Elsewhere:
    """The hosts left out, of how many in all; ``source`` says whose word their limits are, None where nobody's.

    ``limit`` is the lowest of them, None where they have none.
    """

    hosts: tuple[str, ...] = ()
    of_hosts: int = 0
    limit: Limit | None = None
    source: str | None = None

    @property
    def known(self) -> bool:
        return not self.hosts or self.source is not None

    @property
    def sentence(self) -> str:
        """Who was not looked at and what that means; empty where nobody was left out."""
        if not self.hosts:
            return ""
        who = plural(
            "{number} of {hosts} were left out: {names}",
            "{number} of {hosts} was left out: {names}",
            len(self.hosts),
            hosts=count(self.of_hosts, "host"),
            names=named(self.hosts),
        )
        if self.source is None:
            return tell("{who}. Their limits are not in this plan.", who=who)
        limit = self.limit.text if self.limit else "No limit"
        return tell("{who}. {limit} is what {source} says of them.", who=who, limit=limit, source=self.source)

    def as_dict(self) -> dict[str, Any]:
        return {
            "hosts": list(self.hosts),
            "of": self.of_hosts,
            "limit": self.limit.as_dict() if self.limit else None,
            "source": self.source,
            "sentence": self.sentence,
        }

    def not_seen(self, node: str) -> tuple[NotSeen, ...]:
        """What nobody knows on the paths of a node's connections for that reason."""
        if self.known:
            return ()
        why = tell(
            "{number} of {hosts} not looked at: {names}",
            number=len(self.hosts),
            hosts=count(self.of_hosts, "host"),
            names=named(self.hosts),
        )
        return (NotSeen(node, ELSEWHERE, why, place="hosts", do=_EVERY_HOST),)


NOTHING_ELSEWHERE = Elsewhere()
