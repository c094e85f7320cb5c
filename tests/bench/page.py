# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/benchmarks.md: the words of words.md with what was measured in them, and the plots."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import plot
from figures import Part

WORDS = Path(__file__).with_name("words.md")


def ran_on(full: bool, rounds: int) -> str:
    """What a reader has to know of the machine, taken before it gets busy by the run itself."""
    kernel = ".".join(platform.release().split(".")[:2])
    return (
        f"{len(os.sched_getaffinity(0))} CPUs, load average {os.getloadavg()[0]:.1f} at the beginning, Linux {kernel}, "
        f"Python {platform.python_version()} on both sides, ansible-core {metadata.version('ansible-core')}, "
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, {rounds} round{'s' * (rounds > 1)}"
        f"{'' if full else ' of the smallest sizes'}"
    )


def write(parts: Iterable[Part], ran_on: str, folder: Path) -> list[Path]:
    """The page and its plots; the paths written."""
    texts = {"ran_on": ran_on}
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for part in parts:
        texts.update(part.texts)
        for name, lines in part.plots.items():
            written.append(folder / f"benchmarks-{name}.svg")
            written[-1].write_text(plot.svg(lines), encoding="utf-8")
    page = folder / "benchmarks.md"
    page.write_text(WORDS.read_text(encoding="utf-8").format_map(texts), encoding="utf-8")
    return [page, *written]
