# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What whole plays cost, ours next to the ways of others, on the same nodes of this machine, in turn and again."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nodes
import ssh
from figures import Cost, Part, Plot, Table, ratios, run, say, spread

PEERS = Path(__file__).with_name("peers")
SECONDS = 900  # the idle limit that is declared, as long as IPVS's own
KEEPALIVE = {
    "net.ipv4.tcp_keepalive_time": 600,
    "net.ipv4.tcp_keepalive_intvl": 30,
    "net.ipv4.tcp_keepalive_probes": 10,
}
BRIDGE = {"net.bridge.bridge-nf-call-iptables": 1, "net.bridge.bridge-nf-call-ip6tables": 1}
OURS = {"keepalive_become": False, "keepalive_middleboxes": [{"name": "bench firewall", "seconds": SECONDS}]}

FLOOR, AUDIT, FIRST, CONVERGED = "floor", "audit", "first apply", "converged apply"
WE, REPORT, KUBESPRAY, KUBEASZ = "this collection", "a loop of sysctl", "kubespray's way", "kubeasz' way"
WAYS: Mapping[str, Mapping[str, str]] = {
    WE: {
        FLOOR: str(PEERS / "floor.yml"),
        AUDIT: "kubenode.connections.audit",
        FIRST: "kubenode.connections.apply",
        CONVERGED: "kubenode.connections.apply",
    },
    **{
        way: dict.fromkeys((FIRST, CONVERGED), str(PEERS / f"{name}.yml"))
        for way, name in {REPORT: "field_report", KUBESPRAY: "kubespray", KUBEASZ: "kubeasz"}.items()
    },
}


class Setting(NamedTuple):
    """Where plays are measured: steps are ours, others those of other ways. All of each would take hours."""

    nodes: int
    forks: int
    connection: str = "local"
    ways: Sequence[str] = tuple(WAYS)
    steps: Sequence[str] = (FLOOR, AUDIT, FIRST, CONVERGED)
    others: Sequence[str] = (FIRST,)
    keys: int = 5

    def __str__(self) -> str:
        return f"{self.nodes} node{'s' * (self.nodes > 1)}, {self.connection}, forks {self.forks}"


class Key(NamedTuple):
    """What a figure is of."""

    setting: Setting
    way: str
    step: str


Figures = Mapping[Key, Sequence[float]]

SMALLEST = [Setting(1, 5, steps=(FLOOR, AUDIT, FIRST), keys=1), Setting(1, 5, "ssh", (WE,), (FLOOR,))]
IN_SHORT = Setting(20, 20, ways=(WE, REPORT), others=(FIRST, CONVERGED))
"""Where the targets are set; the first table of the page."""
FULL = [
    Setting(1, 20),
    Setting(10, 20),
    IN_SHORT,
    Setting(50, 20, ways=(WE,)),
    Setting(20, 5, ways=(WE,), steps=(FLOOR, AUDIT)),
    Setting(20, 20, "ssh", (WE, REPORT)),
]


def sysctls(most: int) -> dict[str, int]:
    """The five keys of the reports; three where the kernel has no bridge filter now: a bench loads no module."""
    found = {**KEEPALIVE, **(BRIDGE if os.path.isdir("/proc/sys/net/bridge") else {})}
    return dict(list(found.items())[:most])


def playbook(name: str, inventory: Path, variables: Mapping[str, Any], env: Mapping[str, str]) -> Cost:
    """Run it as a user does."""
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", str(inventory), name, "-e", json.dumps(variables)]
    return run(command, env)


def bench(full: bool, rounds: int) -> Part:
    """Every setting in each round, so that all of them meet the same weather."""
    settings = [each for each in (FULL if full else SMALLEST) if each.connection == "local" or ssh.find_sshd()]
    seconds: dict[Key, list[float]] = defaultdict(list)
    processor: dict[Key, list[float]] = defaultdict(list)
    for number, setting in itertools.product(range(1, rounds + 1), settings):
        say(f"plays, round {number} of {rounds}: {setting}")
        for key, cost in _measure(setting):
            seconds[key].append(cost.seconds)
            processor[key].append(cost.processor_seconds)
            say(f"  {key.way}, {key.step}: {cost.seconds:.1f} s, {cost.processor_seconds:.1f} s of CPU")
    sweep = [each for each in settings if (each.connection, each.forks) == ("local", settings[0].forks)]
    texts = {
        "in_short": _in_short(IN_SHORT if IN_SHORT in settings else settings[0], seconds),
        "plays": "\n\n".join(f"**{setting}**\n\n{_table(setting, seconds, processor)}" for setting in settings),
        "sysctls": ", ".join(f"`{key}`" for key in sysctls(sweep[0].keys)),
        "no_ssh": "" if ssh.find_sshd() else "There was no SSH server to measure with on this machine.",
    }
    return Part(texts, {"plays": _plot(sweep, seconds)})


def _measure(setting: Setting) -> Iterator[tuple[Key, Cost]]:
    """Each way on nodes that nobody has touched."""
    for way in setting.ways:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            folder = Path(name)
            program = ssh.find_sshd()
            sshd = ssh.Sshd(program, folder / "ssh") if setting.connection == "ssh" and program else None
            with nodes.started(setting.nodes, folder / "nodes") as started:
                inventory = folder / "inventory.json"
                nodes.write_inventory(started, inventory, sshd)
                env = nodes.environment(folder, forks=setting.forks)
                for step in setting.steps if way == WE else setting.others:
                    variables = {**OURS} if way == WE else {"bench_sysctls": sysctls(setting.keys)}
                    yield Key(setting, way, step), playbook(WAYS[way][step], inventory, variables, env)
                    _check(started, step)


def _check(started: Sequence[nodes.Node], step: str) -> None:
    """A play that did not do its work costs nothing."""
    expected = "600" if step in (FIRST, CONVERGED) else "7200"
    found = {node.name: node.sysctl("net.ipv4.tcp_keepalive_time") for node in started}
    if set(found.values()) != {expected}:
        raise SystemExit(f"tcp_keepalive_time after {step}: {found}, expected {expected}")


def _in_short(setting: Setting, seconds: Figures) -> str:
    floor = seconds[Key(setting, WE, FLOOR)]
    header = [
        f"{setting}: seconds",
        "this collection",
        "times the floor",
        *(way for way in setting.ways if way != WE),
        "times quicker than the loop",
    ]
    rows = [["a play that does nothing (the floor)", spread(floor), "1", *([""] * (len(header) - 3))]]
    for step in setting.steps[1:]:
        ours = seconds[Key(setting, WE, step)]
        peers = (
            [seconds[Key(setting, way, step)] for way in setting.ways if way != WE] if step in setting.others else []
        )
        cells = [spread(peer) for peer in peers] or [""] * (len(header) - 4)
        quicker = spread(ratios(seconds[Key(setting, REPORT, step)], ours)) if peers else ""
        rows.append([step, spread(ours), spread(ratios(ours, floor)), *cells, quicker])
    return str(Table(header, rows))


def _table(setting: Setting, seconds: Figures, processor: Figures) -> Table:
    rows = []
    for key in (each for each in seconds if each.setting == setting):
        floor = Key(setting, WE, FLOOR)
        cells = [spread(each) for of in (seconds, processor) for each in (of[key], ratios(of[key], of[floor]))]
        rows.append([f"{key.way}: {key.step}" if key != floor else FLOOR, *cells])
    return Table(["", "seconds", "times the floor", "CPU seconds", "times the floor's"], rows)


def _plot(sweep: Sequence[Setting], seconds: Figures) -> Plot:
    """All of ours, and the first apply of others, whose second one costs nearly the same."""
    lines: dict[str, dict[int, float]] = defaultdict(dict)
    for key, found in seconds.items():
        if key.setting in sweep and (key.way == WE or key.step == FIRST):
            lines[key.step if key.way == WE else key.way][key.setting.nodes] = statistics.median(found)
    title = f"Seconds of a whole play, forks {sweep[0].forks}, local connection"
    return Plot(title, "nodes", "seconds", lines, set(WAYS) - {WE})
