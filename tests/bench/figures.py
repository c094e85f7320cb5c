# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run costs, figures with their spread, and the tables and plots that a bench hands to the page."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple


class Cost(NamedTuple):
    """What a command took: seconds on the clock and on the processor, the peak of its memory, and what it printed."""

    seconds: float
    processor_seconds: float
    peak_mib: float
    output: str


class Table(NamedTuple):
    """A table of the page; the first column is words, the others are figures."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __str__(self) -> str:
        """As Markdown."""
        ruler = ["---", *("---:" for _column in self.header[1:])]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in (self.header, ruler, *self.rows))


class Plot(NamedTuple):
    """Lines over a size: of each its name, and figure by size. Those of others are dashed."""

    title: str
    of_x: str
    of_y: str
    lines: Mapping[str, Mapping[int, float]]
    others: Collection[str] = ()


class Part(NamedTuple):
    """What a bench gives to the page: texts by the names that words.md has for them, and plots by their file names."""

    texts: Mapping[str, str]
    plots: Mapping[str, Plot] = {}


def run(command: Sequence[str], env: Mapping[str, str] | None = None, data: bytes = b"") -> Cost:
    """Run a command that must succeed, with this on its standard input."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as output:
        given.write(data)
        given.seek(0)
        begin = time.perf_counter()
        process = subprocess.Popen(command, env=env, stdin=given, stdout=output, stderr=subprocess.STDOUT)
        _pid, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if process.returncode:
        raise SystemExit(f"{text[-8000:]}\nThis ended with {process.returncode}: {' '.join(command)}")
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def spread(values: Sequence[float]) -> str:
    """The median with the lowest and the highest: 4.1 (3.9 to 4.6)."""
    middle = _short(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({_short(min(values))} to {_short(max(values))})"


def ratios(values: Sequence[float], others: Sequence[float]) -> list[float]:
    """Round by round, because both were measured one after the other in each."""
    return [value / other for value, other in zip(values, others, strict=True)]


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def say(words: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)
