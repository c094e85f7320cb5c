# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TCP keepalive as arithmetic: when is it soon enough for an idle limit? Private to this collection."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from ansible_collections.kubenode.connections.plugins.module_utils._common import keepalive as common_keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import HIGHEST

from .checked_values import Range, whole_number
from .messages import Message, plural, tell

_KNOWN = 4096
"""So many answers are kept: a cluster has few keepalives and limits, and many pods with each."""

TIME_RANGE = Range(1, HIGHEST.time, "the range of TCP_KEEPIDLE in seconds")
INTVL_RANGE = Range(1, HIGHEST.intvl, "the range of TCP_KEEPINTVL in seconds")
PROBES_RANGE = Range(1, HIGHEST.probes, "the range of TCP_KEEPCNT")


class Keepalive(common_keepalive.Keepalive):
    """The three values, and what follows of them."""

    __slots__ = ()

    @property
    def usable(self) -> bool:
        """As common_keepalive.is_usable."""
        return common_keepalive.is_usable(self)

    @property
    def verdict_seconds(self) -> int:
        """After how many seconds a dead peer is given up."""
        return self.time + self.probes * self.intvl

    def silence_seconds(self, lost_probes: int) -> int:
        """As common_keepalive.silence_seconds."""
        return common_keepalive.silence_seconds(self, lost_probes)

    def as_dict(self) -> dict[str, int]:
        return dict(self._asdict())


def of_values(time: object, intvl: object, probes: object) -> Keepalive | None:
    """The three of whole numbers or of their text, None where one of them is neither."""
    numbers = [number for value in (time, intvl, probes) if (number := whole_number(value)) is not None]
    return _keepalive(*numbers) if len(numbers) == len(Keepalive._fields) else None


@functools.lru_cache(maxsize=_KNOWN)
def _keepalive(time: int, intvl: int, probes: int) -> Keepalive:
    """One object for equal values."""
    return Keepalive(time, intvl, probes)


KERNEL_DEFAULT = Keepalive(*common_keepalive.KERNEL_DEFAULT)

ARTICLE = Keepalive(600, 30, 10)
"""What is usually recommended against the IPVS timeout of 900 s."""


def words(values: Mapping[str, int] | None) -> str | None:
    """``600/30/9`` of a mapping with the three, None where there is none."""
    return str(Keepalive(values["time"], values["intvl"], values["probes"])) if values else None


losses_below = common_keepalive.losses_below
spare_for_verdict = common_keepalive.spare_for_verdict
spare_seconds = common_keepalive.spare_seconds
with_slack = common_keepalive.with_slack
without_slack = common_keepalive.without_slack


@functools.lru_cache(maxsize=_KNOWN)
def is_safe(keepalive: Keepalive, limit_seconds: int, lost_probes: int = 2, margin: int = 0) -> bool:
    """Whether an idle connection is refreshed before the limit, less timer slack, lost probes and margin (seconds)."""
    return keepalive.usable and spare_seconds(keepalive, limit_seconds, lost_probes) >= margin


keeps = functools.lru_cache(maxsize=_KNOWN)(common_keepalive.keeps)
"""Whether an idle connection is refreshed before the limit while no probe is lost: a fact, no wish."""


def losses_survived(keepalive: Keepalive, limit_seconds: int) -> int:
    """As losses_below, and below the number at which the kernel itself gives up."""
    return min(losses_below(keepalive, limit_seconds), keepalive.probes - 1)


def not_later(present: Keepalive | None, wanted: Keepalive, lost_probes: int) -> Keepalive:
    """``wanted`` with nothing of it later than it is at present: not the first probe, not the next, not the verdict.

    So many probes are left that ``lost_probes`` of them can be lost, even if the verdict then comes later.
    """
    if present is None or not present.usable:
        return wanted
    time, intvl = min(present.time, wanted.time), min(present.intvl, wanted.intvl)
    sooner = max(lost_probes + 1, (present.verdict_seconds - time) // intvl)
    return Keepalive(time, intvl, min(wanted.probes, sooner))


def decided_in_time(keepalive: Keepalive, limit_seconds: int) -> bool:
    """Whether a dead peer is given up before the limit, that is, before the middle forgets the connection."""
    return keepalive.verdict_seconds < limit_seconds


@functools.lru_cache(maxsize=_KNOWN)
def sum_text(keepalive: Keepalive, limit_seconds: int, whose: str, lost_probes: int, margin: int) -> Message:
    """The arithmetic of is_safe in words, without a full stop."""
    spare = spare_seconds(keepalive, limit_seconds, lost_probes)
    silence = silence_text(keepalive, lost_probes)
    if spare < 0:
        return tell(
            "{silence}, is {late} s beyond {limit} s ({whose})",
            silence=silence,
            late=-spare,
            limit=limit_seconds,
            whose=whose,
        )
    left = tell(
        "{silence}, leaves {spare} s of {limit} s ({whose})",
        silence=silence,
        spare=spare,
        limit=limit_seconds,
        whose=whose,
    )
    if spare < margin:
        return tell(
            "{left}, {short} s less than keepalive_margin {margin}", left=left, short=margin - spare, margin=margin
        )
    return left


def losses_text(keepalive: Keepalive, limit_seconds: int) -> str:
    """How much loss a keepalive that ``keeps`` survives: ``while 2 probes in a row are lost``."""
    survived = losses_survived(keepalive, limit_seconds)
    if survived < 1:
        return "while no probe is lost"
    return plural("while {number} probes in a row are lost", "while {number} probe is lost", survived)


def silence_text(keepalive: Keepalive, lost_probes: int) -> Message:
    """The longest silence as a sum, and how long it may last."""
    silence = keepalive.silence_seconds(lost_probes)
    late = with_slack(silence)
    if silence > keepalive.intvl and lost_probes:
        return tell(
            "{time} + {lost} x {intvl} = {silence} s, with timer slack {late} s",
            time=keepalive.time,
            lost=lost_probes,
            intvl=keepalive.intvl,
            silence=silence,
            late=late,
        )
    return tell("{silence} s, with timer slack {late} s", silence=silence, late=late)
