# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the controller's side costs by number of nodes: plan and report alone, and whole audits of recorded nodes."""

from __future__ import annotations

import itertools
import json
import shlex
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import clusters
import nodes
import plays
from figures import Cost, Part, Plot, Table, run, say, spread

ANSWER = 'cat > /dev/null; exec cat "$0"'
"""What stands for the shell of a recorded node: it takes the module and answers with what was recorded."""

FORKS = 20

MOST_PLAYED = 300
"""Whole plays of more recorded nodes take minutes, and say nothing else."""


def bench(full: bool, rounds: int) -> Part:
    """Each size in each round."""
    sizes, pods = ((10, 100, 300, 1000), 250) if full else ((3,), 2)
    alone: dict[tuple[int, str], list[float]] = defaultdict(list)
    whole: dict[tuple[int, str], list[float]] = defaultdict(list)
    for number, size in itertools.product(range(1, rounds + 1), sizes):
        say(f"controller, round {number} of {rounds}: {size} nodes with {pods} pods each")
        cost = run([sys.executable, str(Path(__file__).with_name("report.py")), str(size), str(pods)])
        steps = _steps(cost.output)
        for name in ("plan", "all"):
            alone[size, name].append(steps[name])
        alone[size, "peak"].append(cost.peak_mib)
        alone[size, "held"].append(float(cost.output.split("alone: ")[1].split()[0]))
        say(f"  plan and report: {steps['all']:.1f} s, {cost.peak_mib:.0f} MiB")
        for name, cost in _audit(size, pods).items() if size <= MOST_PLAYED else ():
            whole[size, name].append(cost.seconds)
            whole[size, f"{name}, peak"].append(cost.peak_mib)
            say(f"  {name}: {cost.seconds:.1f} s, {cost.peak_mib:.0f} MiB")
    texts = {
        "pods": str(pods),
        "controller": str(_alone(sizes, alone)),
        "recorded": str(_whole([size for size in sizes if size <= MOST_PLAYED], whole)),
    }
    figures = {"plan": (alone, "plan"), "plan and report": (alone, "all")}
    figures |= {step: (whole, step) for step in (plays.FLOOR, plays.AUDIT)}
    lines = {
        name: {size: statistics.median(found[size, step]) for size in sizes if (size, step) in found}
        for name, (found, step) in figures.items()
    }
    return Part(texts, {"controller": Plot("Seconds on the controller, recorded nodes", "nodes", "seconds", lines)})


def _steps(output: str) -> dict[str, float]:
    """The seconds of each line of report.py."""
    return {line.split()[0]: float(line.split()[1]) for line in output.splitlines()[1:]}


def _audit(size: int, pods: int) -> dict[str, Cost]:
    """The floor and an audit of so many recorded nodes."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        hosts = {}
        for host, node in clusters.recorded(size, pods):
            answer = folder / f"{host}.json"
            answer.write_text(_result(node), encoding="utf-8")
            hosts[host] = {"ansible_shell_executable": shlex.join(["/bin/sh", "-c", ANSWER, str(answer)])}
        inventory = folder / "inventory.json"
        common = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": common}}), encoding="utf-8")
        env = nodes.environment(folder, forks=FORKS)
        books = {step: plays.WAYS[plays.WE][step] for step in (plays.FLOOR, plays.AUDIT)}
        costs = {step: plays.playbook(book, inventory, plays.OURS, env) for step, book in books.items()}
    _check(costs[plays.AUDIT].output, size)
    return costs


def _check(printed: str, size: int) -> None:
    """An audit that saw nothing costs nothing."""
    seen = size - size // clusters.UNREACHED
    expected = f"at risk on {'all' if seen == size else f'{seen} of'} {size} nodes"
    if expected not in " ".join(printed.split()):
        raise SystemExit(f"{printed[:8000]}\nThe audit of recorded nodes was to say {expected!r}.")


def _result(node: str | None) -> str:
    """What a module prints; a node that was not seen tells nothing of itself."""
    return f'{{"changed": false, "node": {node}}}' if node else '{"changed": false}'


def _alone(sizes: Sequence[int], figures: Mapping[tuple[int, str], Sequence[float]]) -> Table:
    header = ["nodes", "plan, seconds", "plan and all formats, seconds", "peak, MiB", "of it the nodes, MiB"]
    names = ("plan", "all", "peak", "held")
    return Table(header, [[f"{size:,}", *(spread(figures[size, name]) for name in names)] for size in sizes])


def _whole(sizes: Sequence[int], figures: Mapping[tuple[int, str], Sequence[float]]) -> Table:
    header = ["nodes", "floor, seconds", "audit, seconds", "audit, milliseconds a node", "floor, MiB", "audit, MiB"]
    rows = []
    for size in sizes:
        audit = figures[size, plays.AUDIT]
        each = spread([1000 * seconds / size for seconds in audit])
        peaks = [spread(figures[size, f"{step}, peak"]) for step in (plays.FLOOR, plays.AUDIT)]
        rows.append([f"{size:,}", spread(figures[size, plays.FLOOR]), spread(audit), each, *peaks])
    return Table(header, rows)
