# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Mapping

import pytest

from ansible_collections.kubenode.connections.tests.proof.expect import (
    Expectation,
    Result,
    at_once,
    every,
    promised,
    said,
    some,
    timed_out,
    unnoticed,
)

FINE: Result = {"got": "answered", "server": "open"}
RESET: Result = {"got": "ECONNRESET", "server": "open"}


def gone(seconds: float, rto: float = 0.204) -> Result:
    """A dead peer was given up after so many seconds."""
    return {"got": "ETIMEDOUT", "seconds": seconds, "rto": rto}


def test_a_promise_that_is_kept() -> None:
    assert promised(8, 125).holds([gone(102.4), gone(110.0), gone(117.5)])
    assert promised(8, 225).holds([gone(180.0, rto=0.4)])


@pytest.mark.parametrize(
    ("expectation", "results"),
    [
        pytest.param(every("answered"), [FINE, RESET], id="one of two is reset"),
        pytest.param(every("answered"), [], id="nothing was measured"),
        pytest.param(every("ECONNRESET", server="ECONNRESET"), [RESET], id="the server noticed nothing"),
        pytest.param(every("s1"), [{"got": "s10"}], id="a longer answer"),
        pytest.param(some("ECONNRESET"), [FINE, FINE], id="a red half that is green"),
        pytest.param(some("ECONNRESET"), [RESET, {"got": "hangs"}], id="something else went wrong"),
        pytest.param(said("reset"), [{"got": "answered"}], id="the client said nothing of it"),
        pytest.param(said("reset"), [{"got": "first question: reset by peer"}], id="it never worked"),
        pytest.param(at_once("s2"), [{"got": "s2", "seconds": 1.02}], id="each waited for a second SYN"),
        pytest.param(timed_out(lambda _: 10), [{"got": "ETIMEDOUT", "seconds": 30}], id="far too late"),
        pytest.param(timed_out(lambda _: 10), [{"got": "ETIMEDOUT", "seconds": 5}], id="far too early"),
        pytest.param(promised(8, 103), [gone(110.0)], id="later than was promised, though as computed"),
        pytest.param(promised(8, 225), [gone(122.0)], id="later than any lateness of timers explains"),
        pytest.param(promised(8, 225), [gone(102.1)], id="before its time"),
        pytest.param(promised(8, 225), [{"got": "hangs", "seconds": 110.0, "rto": 0.204}], id="nobody was told"),
        pytest.param(promised(8, 225), [], id="nothing was measured of the promise"),
        pytest.param(unnoticed(lambda _: 10), [{"got": "ETIMEDOUT", "seconds": 5}], id="it was noticed"),
    ],
)
def test_does_not_hold(expectation: Expectation, results: list[Result]) -> None:
    assert not expectation.holds(results)


@pytest.mark.parametrize(
    ("expectation", "results", "words"),
    [
        pytest.param(every("answered"), [FINE] * 3, "answered (3 of 3)", id="all alike"),
        pytest.param(every("7200"), [{"got": "7200"}], "7200", id="one result stands for itself"),
        pytest.param(
            every("hangs", server="ECONNRESET"),
            [{"got": "hangs", "server": "ECONNRESET"}],
            "client hangs, no answer and no error; server: Connection reset by peer",
            id="both ends",
        ),
        pytest.param(
            every("ECONNRESET"),
            [{"got": "ECONNRESET", "timer": "keepalive,119min,0", "keepidle": 6}],
            "Connection reset by peer (getsockopt says 6 s, ss -o says: in about 2 h)",
            id="the two clocks of a socket",
        ),
        pytest.param(
            every("answered", keepidle=7),
            [{"got": "answered", "keepidle": 7}],
            "answered (keepalive time 7 s)",
            id="the keepalive time of a program's own",
        ),
        pytest.param(
            some("ECONNRESET"),
            [FINE, RESET, RESET],
            "Connection reset by peer for some or all of them (luck)",
            id="luck is not counted",
        ),
        pytest.param(
            at_once("s2"),
            [{"got": "s2", "seconds": 0.03}, {"got": "s2", "seconds": 1.4}],
            "the live backend answers (2 of 2), connected within 0.1 s",
            id="the fastest of the new connections",
        ),
        pytest.param(
            unnoticed(lambda result: result["rto"] * 1000),
            [{"got": "hangs", "seconds": 25.0, "rto": 0.204}],
            "nothing after 25 s of waiting; by the kernel's schedule after 204 s",
            id="what was not waited for is computed",
        ),
        pytest.param(
            promised(8, 225),
            [gone(110.2)],
            "Connection timed out after 110 s (computed: 102 s at the earliest, 118 s at the latest)",
            id="both bounds of a promise",
        ),
        pytest.param(
            timed_out(lambda _: 104.2),
            [{"got": "ETIMEDOUT", "seconds": 106.0}],
            "Connection timed out after 110 s (computed: 100 s)",
            id="times in two digits",
        ),
    ],
)
def test_words(expectation: Expectation, results: list[Mapping[str, object]], words: str) -> None:
    assert expectation.show(results) == words
