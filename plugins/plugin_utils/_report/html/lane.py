# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One row of a picture: a keepalive, the idle limits that it meets, and what comes of it. Private."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import joined, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import SAFE, UNKNOWN, UNSAFE

from .sentences import spare_words


@dataclass(frozen=True)
class Mark:
    """An idle limit on the line; ``decides`` where no other is lower."""

    seconds: int
    name: str
    decides: bool


@dataclass(frozen=True)
class Lane:
    """One keepalive (a KEEPALIVE of the report, None: not read), the limits it meets, lowest first, and the policy.

    ``whose`` keepalive it is, in words; ``all_seen``: whether no limit is missing.
    """

    title: str
    whose: str
    keepalive: Mapping[str, Any] | None
    limits: tuple[Mark, ...]
    lost_probes: int
    margin: int
    all_seen: bool

    @property
    def limit(self) -> Mark | None:
        return next((mark for mark in self.limits if mark.decides), None)

    @property
    def spare_seconds(self) -> int | None:
        """Between the latest probe that counts and the limit; negative is too late."""
        if self.keepalive is None or self.limit is None:
            return None
        if not self.usable:
            return self.limit.seconds - int(self.keepalive["latest_seconds"])
        return keepalive_math.spare_for_verdict(self._values, self.limit.seconds, self.lost_probes)

    @property
    def _values(self) -> Keepalive:
        return Keepalive(*(int((self.keepalive or {}).get(name, 0)) for name in Keepalive._fields))

    @property
    def usable(self) -> bool:
        """Whether idle connections survive this keepalive at all."""
        return self._values.usable

    @property
    def late(self) -> bool:
        return self.keepalive is not None and (
            not self.usable or (self.spare_seconds is not None and self.spare_seconds < 0)
        )

    @property
    def outcome(self) -> tuple[str, str]:
        """The verdict on it, and the same in words."""
        if self.keepalive is None:
            return UNKNOWN, "not known: the keepalive was not read"
        if not self.usable:
            return UNSAFE, "ends healthy connections: a value is below 1"
        if self.limit is None:
            return (
                (SAFE, "nothing forgets") if self.all_seen else (UNKNOWN, "no limit was seen, some could not be read")
            )
        words = spare_words(self.spare_seconds, self.margin)
        if self.late:
            return UNSAFE, words
        if self.keepalive["latest_seconds"] > self.limit.seconds:
            losses = keepalive_math.losses_text(self._values, self.limit.seconds)
            words = tell("{spare} {losses}", spare=words, losses=losses)
        if self.keepalive["given_up_seconds"] >= self.limit.seconds:
            words = tell("{spare}; a dead peer is given up after the limit only", spare=words)
        return (SAFE, words) if self.all_seen else (UNKNOWN, tell("{spare}, of the limits that were seen", spare=words))

    @property
    def said(self) -> str:
        """The row in words, for a screen reader."""
        told = joined("; ", [*self._events(), self.outcome[1]])
        return tell("{title}, {whose}: {told}.", title=self.title, whose=self.whose, told=told)

    def _events(self) -> Iterator[str]:
        keepalive = self.keepalive
        if keepalive is not None:
            yield tell("first probe after {seconds} s", seconds=keepalive["time"])
            yield tell(
                "with {lost} lost probes after {silence} s, with timer slack {latest} s",
                lost=self.lost_probes,
                silence=keepalive["silence_seconds"],
                latest=keepalive["latest_seconds"],
            )
            yield tell(
                "a dead peer is given up after {seconds} s at the earliest", seconds=keepalive["given_up_seconds"]
            )
        for mark in self.limits:
            yield tell("{limit} forgets after {seconds} s", limit=mark.name, seconds=mark.seconds)

    def probes(self) -> list[int]:
        """The seconds of the first probe and of those that follow it while they are lost."""
        values = self.keepalive or {}
        return [values["time"] + number * values["intvl"] for number in range(min(self.lost_probes, 20) + 1)]

    def seconds(self) -> list[int]:
        """Everything that the picture shows."""
        return [mark.seconds for mark in self.limits] + list(self.events())

    def events(self) -> dict[int, str]:
        """What keepalive does, and when; what matters most comes first."""
        values = self.keepalive
        if values is None:
            return {}
        order = {"time": "probe", "latest_seconds": "slack", "given_up_seconds": "verdict", "silence_seconds": "lost"}
        events: dict[int, str] = {}
        for name, kind in order.items():
            events.setdefault(values[name], kind)
        return events
