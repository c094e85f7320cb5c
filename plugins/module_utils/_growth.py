# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the counters of lost packets grow now: two readings, some time apart. Private to this collection."""

import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence

Rows = Sequence[Mapping[str, int]]
"""Counters by name, a mapping a CPU, whose number is under cpu."""

COUNTERS = {"conntrack": ("invalid", "insert_failed", "drop", "early_drop"), "softnet": ("dropped", "time_squeeze")}
"""What counts as lost or late, by the table that has it."""

LONGEST_SECONDS = 60
"""No longer sample is taken: nothing else happens on the node meanwhile."""


class Sample(NamedTuple):
    """One reading of each table, and when it was, in seconds of the monotonic clock."""

    at: float
    tables: Dict[str, Rows]


def take(readers: Mapping[str, Callable[[], Rows]]) -> Sample:
    """Read the tables now."""
    return Sample(time.monotonic(), {name: read() for name, read in readers.items()})


def rest_seconds(first: Sample, sample_seconds: float) -> float:
    """How long is still to be waited so that the second reading comes sample_seconds after the first."""
    return max(0.0, first.at + sample_seconds - time.monotonic())


def growth(first: Sample, second: Sample) -> Dict[str, Any]:
    """By how much the counters grew, as node_info documents it.

    A table without a CPU in common (not loaded, or not readable) has no counters: {}. Each CPU counts on its own, so
    that one whose counters began anew (module reload) or that went away hides nothing of the others.
    """
    result: Dict[str, Any] = {"seconds": round(second.at - first.at, 3)}
    for name, counters in COUNTERS.items():
        result[name] = _grown(first.tables.get(name, ()), second.tables.get(name, ()), counters)
    return result


def _grown(first: Rows, second: Rows, counters: Sequence[str]) -> Dict[str, int]:
    before = {row["cpu"]: row for row in first if "cpu" in row}
    pairs = [(before[row["cpu"]], row) for row in second if row.get("cpu") in before]
    grown: Dict[str, int] = {}
    for counter in counters:
        steps: List[int] = [new[counter] - old[counter] for old, new in pairs if counter in old and counter in new]
        if steps:
            grown[counter] = sum(step for step in steps if step > 0)
    return grown
