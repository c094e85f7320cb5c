# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words that the tables are written in: scenarios, tables, rows, runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.kubenode.connections.tests.proof.expect import (
    Expectation,
    every,
    said,
)

BEFORE, AFTER, THROUGH = "before", "after", "through"
"""Stages of a scenario: before the role runs, after it, and all the time (begun before, over after)."""
REBOOTED, RESTORED, FORGOTTEN_AT_BOOT = "rebooted", "restored", "forgotten at boot"
"""Further stages of some: after a reboot, after a restore, after another apply and a reboot without our unit."""

LIMIT = 10
"""The IPVS timeout of the proofs, seconds: the lowest limit that the role accepts."""
DERIVED = (6, 1, 3)
"""The keepalive that the role derives from LIMIT."""
SHOWN = "/".join(map(str, DERIVED))
ESTABLISHED = 20
SLACK_LIMIT = 100
IDLE, LONG = LIMIT + 5, 10 * LIMIT
IN_USE = ("20", "2", "9")
"""Keepalive of nodes and pods that cannot be touched, where the IPVS timeout is raised instead."""
RAISED = 28
"""The IPVS timeout that covers it: 71/63 of 20 + 2 * 2 seconds, rounded up."""
KEYS = ("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes")

Address = tuple[str, int]
IPVS, DNAT_ONE, DNAT_TWO, DNAT_FLUSHED, BACKEND = (
    (address, 80) for address in ("10.96.0.10", "10.96.0.20", "10.96.0.21", "10.96.0.22", "10.2.0.2")
)

ANSWERED, RESET = every("answered"), every("ECONNRESET")
RESET_WORDS = said(r"reset by peer|Broken pipe|closed the connection unexpectedly|ECONNRESET|Connection reset")


@dataclass(frozen=True)
class Run:
    """A case for guest/run_cases.py, and what must come of it."""

    case: Mapping[str, object]
    expect: Expectation

    @property
    def repeatable(self) -> bool:
        """Whether it can be run once more: not what has to begin before the role runs and end after it."""
        return "chat_until" not in self.case


@dataclass(frozen=True)
class Row:
    """One thing done by one kind of client, at one stage or at two; kernels: the series it is about, empty for all."""

    what: str
    runs: Mapping[str, Run]
    kernels: tuple[str, ...] = ()

    def is_about(self, kernel: str) -> bool:
        """Whether the row belongs to a kernel series."""
        return kernel in (self.kernels or (kernel,))


@dataclass(frozen=True)
class Table:
    """Rows that belong together, with a heading for each stage."""

    title: str
    text: str
    heads: Mapping[str, str]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Scenario:
    """A machine made new: its limits (seconds), what is given, what the role is told, and the tables."""

    name: str
    ipvs_tcp: int
    established: int
    variables: Mapping[str, object]
    tables: tuple[Table, ...]
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    reboots: bool = False
    somebody: bool = False
    """Whether somebody else attaches a program of BPF to the root of cgroups, at each boot."""
    further: tuple[str, ...] = ()
    """Stages after AFTER, in this order."""


HEADS = {BEFORE: "before", AFTER: "after the role"}


def idle(client: str, to: Address, seconds: int, expect: Expectation, *, count: int = 3, **more: Any) -> Run:
    """Connections with SO_KEEPALIVE that are silent for so many seconds and then go on."""
    return Run({"kind": "idle", "from": client, "to": to, "idle": seconds, "count": count, **more}, expect)


def own_timer(client: str, seconds: int, intvl: int, watched: int, expect: Expectation, **more: Any) -> Run:
    """Connections whose program sets its own keepalive."""
    options = {"TCP_KEEPIDLE": seconds, "TCP_KEEPINTVL": intvl}
    return idle(client, IPVS, watched, expect, options=options, **more)


def program(client: str, name: str, seconds: int, expect: Expectation, **more: Any) -> Run:
    """A real client that is silent for so many seconds."""
    return Run({"kind": "program", "from": client, "program": name, "idle": seconds, **more}, expect)


def stray(kind: str, expect: Expectation, count: int = 3) -> Run:
    """A packet out of window on a connection of an untouched pod."""
    return Run({"kind": "stray", "from": "c1", "to": DNAT_ONE, "stray": kind, "count": count}, expect)


def dead(client: str, wait: int, expect: Expectation, *, write: bool) -> Run:
    """A peer that is gone, with data in flight (write) or while idle."""
    return Run({"kind": "dead", "from": client, "to": BACKEND, "write": write, "wait": wait}, expect)


def reuse(first_port: int, expect: Expectation, **more: Any) -> Run:
    """Source ports used again after their backend got weight 0 and died."""
    case = {"kind": "reuse", "from": "c1", "backend": "s1", "first_port": first_port, "wait": 4}
    return Run({**case, **more}, expect)


def sysctl(namespace: str, key: str, value: str) -> Run:
    """The value of a sysctl."""
    return Run({"kind": "sysctl", "from": namespace, "key": key}, every(value))
