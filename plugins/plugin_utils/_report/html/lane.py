# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is drawn on one line: a keepalive, the idle limits that it meets, and what comes of it. Private."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base import keepalive_math
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import Keepalive
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
            words += f" {keepalive_math.losses_text(self._values, self.limit.seconds)}"
        if self.keepalive["given_up_seconds"] >= self.limit.seconds:
            words += "; a dead peer is given up after the limit only"
        return (SAFE, words) if self.all_seen else (UNKNOWN, f"{words}, of the limits that were seen")

    @property
    def said(self) -> str:
        """The picture in words, for a screen reader."""
        return f"{self.title}, {self.whose}: {'; '.join([*self._events(), self.outcome[1]])}."

    def _events(self) -> Iterator[str]:
        keepalive = self.keepalive
        if keepalive is not None:
            yield f"first probe after {keepalive['time']} s"
            lost = f"with {self.lost_probes} lost probes after {keepalive['silence_seconds']} s"
            yield f"{lost}, with timer slack {keepalive['latest_seconds']} s"
            yield f"a dead peer is given up after {keepalive['given_up_seconds']} s at the earliest"
        for mark in self.limits:
            yield f"{mark.name} forgets after {mark.seconds} s"

    def probes(self) -> list[int]:
        """The seconds of the first probe and of those that follow it while they are lost."""
        values = self.keepalive or {}
        return [values["time"] + number * values["intvl"] for number in range(min(self.lost_probes, 20) + 1)]

    def seconds(self) -> list[int]:
        """Everything that the picture shows."""
        found = [mark.seconds for mark in self.limits]
        if self.keepalive is not None:
            found += [self.keepalive[name] for name in ("time", "silence_seconds", "latest_seconds")]
            found.append(self.keepalive["given_up_seconds"])
        return found
