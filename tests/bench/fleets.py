# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What helps with many nodes, and what does not: forks, pipelining, facts, runs side by side."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import nodes
import plays
from figures import Part, Table, ratios, say, spread


class Variant(NamedTuple):
    """One way to run a play on all nodes."""

    words: str
    step: str = plays.AUDIT
    forks: int = 20
    pipelining: bool = True
    slices: int = 1
    facts: bool = False


AUDITS = (
    Variant("audit, forks 20"),
    Variant("audit, forks 5: Ansible's own default", forks=5),
    Variant("audit, forks 50", forks=50),
    Variant("audit, forks 20, without pipelining", pipelining=False),
    Variant("audit, forks 20, two runs side by side with half of the nodes each", slices=2),
)
FLOORS = (
    Variant("a play that does nothing, forks 20", plays.FLOOR),
    Variant("the same with facts gathered", plays.FLOOR, facts=True),
)


def bench(full: bool, rounds: int) -> Part:
    """Each variant in each round, on the same nodes: an audit changes nothing."""
    count = 20 if full else 2
    variants = (*AUDITS, *FLOORS) if full else (AUDITS[-1], FLOORS[-1])
    seconds: dict[Variant, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with nodes.started(count, folder / "nodes") as started:
            for number, variant in itertools.product(range(1, rounds + 1), variants):
                seconds[variant].append(_seconds(variant, started, folder))
                say(f"fleets, round {number} of {rounds}, {count} nodes: {variant.words}: {seconds[variant][-1]:.1f} s")
    tables = "\n\n".join(str(_table(variants, seconds)) for variants in (AUDITS, FLOORS))
    return Part({"fleet_nodes": str(count), "fleets": tables})


def _seconds(variant: Variant, started: Sequence[nodes.Node], folder: Path) -> float:
    env = nodes.environment(folder, forks=variant.forks, pipelining=variant.pipelining)
    variables: Mapping[str, Any] = {**plays.OURS, "bench_facts": variant.facts}
    inventories = [folder / f"inventory{number}.json" for number in range(variant.slices)]
    for number, inventory in enumerate(inventories):
        nodes.write_inventory(started[number :: variant.slices], inventory, None)
    book = plays.WAYS[plays.WE][variant.step]
    begin = time.perf_counter()
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda inventory: plays.playbook(book, inventory, variables, env), inventories))
    return time.perf_counter() - begin


def _table(variants: Sequence[Variant], seconds: Mapping[Variant, Sequence[float]]) -> Table:
    """The first variant that was measured is what the others are compared with."""
    found = [each for each in variants if each in seconds]
    usual = seconds[found[0]]
    rows = [[each.words, spread(seconds[each]), spread(ratios(seconds[each], usual))] for each in found]
    return Table(["", "seconds", f"times '{found[0].words}'"], rows)
