# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a case's connections must get, and how a person reads what they got."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.kubenode.connections.tests.proof import schedule

Result = Mapping[str, Any]
"""What one connection got (guest/run_cases.py)."""
Results = Sequence[Result]

WORDS = {
    "ECONNRESET": "Connection reset by peer",
    "ETIMEDOUT": "Connection timed out",
    "hangs": "hangs, no answer and no error",
    "s2": "the live backend answers",
}
NO_FIRST_ANSWER = "first question: "
"""How guest/programs.py begins what a client said that never got an answer."""
SYN_RETRY_SECONDS = 1.0
"""The first retransmission of a SYN: a connection that took less lost none."""
LATE = 1.7
"""How much later than computed a time may be measured, as a factor: below 2, which is one retransmission more."""
ONE_FIRING_EARLIER = 0.45
"""The kernel reads the clock when its timer fires, at doubling intervals: a hair more time-out, one less will do."""


@dataclass(frozen=True)
class Expectation:
    """Whether results are those expected, in words for the failure message, and the words of the table."""

    words: str
    holds: Callable[[Results], bool]
    show: Callable[[Results], str]


def phrase(result: Result) -> str:
    """One connection's result as a person says it."""
    text = WORDS.get(result["got"], str(result["got"]))
    if result["got"] == "hangs" and result.get("server", "open") != "open":
        text = f"client {text}; server: {WORDS.get(result['server'], result['server'])}"
    if "timer" in result:
        minutes = re.match(r"keepalive,(\d+)min", result["timer"])
        shown = f"in about {round(int(minutes[1]) / 60)} h" if minutes else result["timer"]
        text += f" (getsockopt says {result['keepidle']} s, ss -o says: {shown})"
    elif "keepidle" in result:
        text += f" (keepalive time {result['keepidle']} s)"
    return text


def tally(results: Results) -> str:
    """The results of all connections, those alike counted: "answered (3 of 3)"."""
    counted = Counter(map(phrase, results))
    if len(results) == 1:
        return next(iter(counted))
    return "; ".join(f"{text} ({number} of {len(results)})" for text, number in sorted(counted.items()))


def every(got: str, **details: object) -> Expectation:
    """Each connection got exactly this (a regular expression), with these details."""

    def holds(results: Results) -> bool:
        return bool(results) and all(
            re.search(f"^(?:{got})$", result["got"]) and all(result.get(key) == value for key, value in details.items())
            for result in results
        )

    extra = "".join(f", {key} {value}" for key, value in details.items())
    return Expectation(f"every connection: {got}{extra}", holds, tally)


def said(pattern: str) -> Expectation:
    """A real client's own words match a regular expression, after a first answer: without one nothing is proven."""

    def holds(results: Results) -> bool:
        words = [result["got"] for result in results]
        return bool(words) and all(re.search(pattern, each) and not each.startswith(NO_FIRST_ANSWER) for each in words)

    return Expectation(f"the client says something like {pattern}", holds, tally)


def some(got: str) -> Expectation:
    """At least one connection got this, the others an answer."""

    def holds(results: Results) -> bool:
        gots = {result["got"] for result in results}
        return got in gots and gots <= {got, "answered"}

    def show(results: Results) -> str:
        return f"{WORDS[got]} for some or all of them (luck)" if holds(results) else tally(results)

    return Expectation(f"at least one connection: {got}, the others answered", holds, show)


def at_once(got: str) -> Expectation:
    """New connections got this, and not all of them only at the second SYN."""

    def holds(results: Results) -> bool:
        return every(got).holds(results) and min(result["seconds"] for result in results) < SYN_RETRY_SECONDS * 0.9

    def show(results: Results) -> str:
        fastest = min((result["seconds"] for result in results), default=math.inf)
        return f"{tally(results)}, connected within {math.ceil(fastest * 10) / 10:.1f} s"

    return Expectation(f"every connection: {got}, without waiting for a second SYN", holds, show)


def unnoticed(then: Callable[[Result], float]) -> Expectation:
    """The client was told nothing while it was watched; then() computes when it would have been, seconds."""

    def show(results: Results) -> str:
        shown = f"nothing after {results[0]['seconds']:.0f} s of waiting"
        return f"{shown}; by the kernel's schedule after {then(results[0]):.0f} s"

    return Expectation("no error while we wait", every("hangs").holds, show)


def timed_out(computed: Callable[[Result], float], earliest: float = 0.9) -> Expectation:
    """The client got ETIMEDOUT about when computed, seconds; earliest: as a share of that."""

    def holds(results: Results) -> bool:
        return every("ETIMEDOUT").holds(results) and all(
            earliest <= result["seconds"] / computed(result) <= LATE for result in results
        )

    def show(results: Results) -> str:
        if not holds(results):
            return f"{tally(results)} {[(result.get('seconds'), result.get('rto')) for result in results]}"
        return f"{WORDS['ETIMEDOUT']} after {about(results[0]['seconds'])} (computed: {about(computed(results[0]))})"

    return Expectation("ETIMEDOUT about when computed", holds, show)


def promised(retries2: int, within: int) -> Expectation:
    """The client got ETIMEDOUT after no less than tcp_retries2 stands for, and no later than was promised, seconds.

    A tenth of a second is for what Python and the guest take to look.
    """

    def latest(result: Result) -> float:
        return min(schedule.latest_seconds(retries2, result["rto"]), within) + 0.1

    def holds(results: Results) -> bool:
        return every("ETIMEDOUT").holds(results) and all(
            schedule.model_seconds(retries2) <= result["seconds"] <= latest(result) for result in results
        )

    def show(results: Results) -> str:
        if not holds(results):
            return f"{tally(results)} {[(result.get('seconds'), result.get('rto')) for result in results]}"
        earliest = schedule.model_seconds(retries2)
        return (
            f"{WORDS['ETIMEDOUT']} after {about(results[0]['seconds'])} (computed: {earliest:.0f} s at the earliest, "
            f"{latest(results[0]):.0f} s at the latest)"
        )

    return Expectation(f"ETIMEDOUT within {within} s, and not before its time", holds, show)


def about(seconds: float) -> str:
    """Seconds, to two digits."""
    digits = 0 if seconds < 100 else -1
    return f"{round(seconds, digits):.0f} s"


def retries(number: int) -> Callable[[Result], float]:
    """When tcp_retries2 gives up a connection with this retransmission time-out, seconds."""
    return lambda result: schedule.give_up_seconds(number, result["rto"])


def keepalive(time: int, intvl: int, probes: int) -> Callable[[Result], float]:
    """When keepalive gives an idle connection up, seconds."""
    return lambda _result: schedule.keepalive_seconds(time, intvl, probes)
