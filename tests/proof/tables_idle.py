# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Failures of idle connections and their cures: what is done, and what must come of it."""

from __future__ import annotations

from ansible_collections.kubenode.connections.tests.proof.expect import every, some
from ansible_collections.kubenode.connections.tests.proof.model import (
    AFTER,
    ANSWERED,
    BEFORE,
    DERIVED,
    HEADS,
    IDLE,
    IN_USE,
    IPVS,
    KEYS,
    LIMIT,
    LONG,
    RAISED,
    RESET,
    RESET_WORDS,
    SHOWN,
    SLACK_LIMIT,
    THROUGH,
    Row,
    Table,
    idle,
    own_timer,
    program,
    sysctl,
)

FORGOTTEN = Table(
    "1. IPVS forgets an idle connection",
    f"""
    The IPVS timeout is {LIMIT} s instead of 900. The role derives a keepalive of {SHOWN} from it and sets it on
    the node. *Pod with its own values* has them as a pod gets them from `securityContext.sysctls`: written in
    its own namespace, not by the role.
    """,
    HEADS,
    (
        Row(
            f"client in the node's namespace (hostNetwork), SO_KEEPALIVE; before: idle {IDLE} s, after: idle {LONG} s",
            {BEFORE: idle("node", IPVS, IDLE, RESET), AFTER: idle("node", IPVS, LONG, ANSWERED)},
        ),
        Row(
            f"the same without SO_KEEPALIVE, idle {IDLE} s",
            {stage: idle("node", IPVS, IDLE, RESET, keepalive=False) for stage in HEADS},
        ),
        Row(
            f"client in a pod that nobody touched, idle {IDLE} s: the node's sysctl does not reach it",
            {stage: idle("c1", IPVS, IDLE, RESET) for stage in HEADS},
        ),
        Row(
            f"client in a pod with its own values; before: idle {IDLE} s, after: idle {LONG} s",
            {BEFORE: idle("own", IPVS, IDLE, RESET), AFTER: idle("own", IPVS, LONG, ANSWERED)},
        ),
        Row(
            "keepalive time in a namespace made after the role ran: it does not inherit the node's",
            {AFTER: sysctl("new", KEYS[0], "7200")},
        ),
        Row(
            f"client in a pod made after the role ran, idle {IDLE} s",
            {AFTER: idle("new", IPVS, IDLE, RESET)},
        ),
        Row(
            f"pod with its own values: the client waits, the server speaks first, after {IDLE} s and after {LONG} s",
            {
                BEFORE: idle("own", IPVS, IDLE, every("hangs", server="ECONNRESET"), first="server"),
                AFTER: idle("own", IPVS, LONG, ANSWERED, first="server"),
            },
        ),
        Row(
            f"connection in the node's namespace opened before the role ran, busy until then, then idle {IDLE} s: "
            "a socket keeps the timer it was armed with, whatever getsockopt says (`keepalive_open_connections` "
            "is `never`)",
            {
                THROUGH: idle(
                    "node",
                    IPVS,
                    IDLE,
                    every("ECONNRESET", keepidle=DERIVED[0]),
                    chat_until=(f"/proc/sys/{KEYS[0].replace('.', '/')}", str(DERIVED[0])),
                    show_timer=True,
                )
            },
        ),
        Row(
            "2 probes in a row lost, pod with its own values, idle 30 s",
            {AFTER: idle("own", IPVS, 30, every("answered", lost=2), lose=2)},
        ),
        Row(
            f"3 probes in a row lost, one more than promised; {DERIVED[2]} unanswered probes end a connection",
            {AFTER: idle("own", IPVS, 30, every("ETIMEDOUT", lost=3), lose=3)},
        ),
    ),
)

OTHER_CURE = Table(
    "2. The other cure for 1: raise the limit",
    f"""
    Nodes and pods have a keepalive of {"/".join(IN_USE)}, too late for the IPVS timeout of {LIMIT} s, and
    nobody may touch them. With `keepalive_strategy: raise_ipvs` the role raises the IPVS timeout to {RAISED} s,
    and nothing else. A program that never probes has that long, too, and not longer.
    """,
    HEADS,
    (
        Row(
            f"client in an untouched pod, SO_KEEPALIVE; before: idle {IDLE} s, after: idle {LONG} s",
            {BEFORE: idle("c1", IPVS, IDLE, RESET), AFTER: idle("c1", IPVS, LONG, ANSWERED)},
        ),
        Row(
            f"psql in an untouched pod; before: idle {IDLE} s, after: idle {LONG} s",
            {
                BEFORE: program("c1", "psql", IDLE, RESET_WORDS),
                AFTER: program("c1", "psql", LONG, ANSWERED),
            },
        ),
        *(
            Row(f"{words} in an untouched pod, idle {seconds} s", runs)
            for name, words in (("grpc", "gRPC (Python)"), ("redis", "redis-py as it comes"))
            for seconds, runs in (
                (
                    IDLE,
                    {
                        BEFORE: program("c1", name, IDLE, RESET_WORDS),
                        AFTER: program("c1", name, IDLE, ANSWERED),
                    },
                ),
                (RAISED + 12, {AFTER: program("c1", name, RAISED + 12, RESET_WORDS)}),
            )
        ),
    ),
)

BOUNDARY = Table(
    "3. Just below and just above the limit",
    f"""
    No role here: what the kernel's timers do. A timer may fire late, never early (kernel/time/timer.c), so a
    keepalive just below the limit in figures may be above it in fact. The role counts a period p as 71/63 p:
    {SLACK_LIMIT} s allow 88 s.
    """,
    {THROUGH: "what the client got"},
    (
        *(
            Row(
                f"IPVS timeout {LIMIT} s, keepalive {seconds} s, idle {4 * LIMIT} s",
                {THROUGH: own_timer("c1", seconds, seconds, 4 * LIMIT, expect, count=4)},
            )
            for seconds, expect in ((8, ANSWERED), (12, RESET))
        ),
        *(
            Row(
                f"IPVS timeout {SLACK_LIMIT} s, keepalive {seconds} s, idle {2 * SLACK_LIMIT + 8} s",
                {THROUGH: own_timer("n2-c1", seconds, seconds, 2 * SLACK_LIMIT + 8, expect, count=6, node="n2")},
            )
            for seconds, expect in ((88, ANSWERED), (97, ANSWERED), (99, some("ECONNRESET")), (103, RESET))
        ),
        *(
            Row(
                f"IPVS timeout {SLACK_LIMIT} s, keepalive 74 s, interval 10 s, {lost} probes in a row lost, idle 130 s",
                {THROUGH: own_timer("n2-c1", 74, 10, 130, every(got, lost=lost), count=2, node="n2", lose=lost)},
            )
            for lost, got in ((2, "answered"), (3, "ECONNRESET"))
        ),
    ),
)


def real_client(name: str, words: str, *, helped: bool) -> Row:
    """A real client in the node's namespace, where the role's sysctls count."""
    seconds, expect = (LONG, ANSWERED) if helped else (IDLE, RESET_WORDS)
    what = f"{words}; before: idle {IDLE} s, after: idle {seconds} s"
    return Row(what, {BEFORE: program("node", name, IDLE, RESET_WORDS), AFTER: program("node", name, seconds, expect)})


REAL_CLIENTS = Table(
    "9. Real clients",
    """
    In the node's namespace, under the same limit as in 1, each with its defaults. What sets no SO_KEEPALIVE is
    not helped by any sysctl: see 2 for what helps, or set the program's own keepalive.
    """,
    HEADS,
    (
        real_client("psql", "psql (libpq uses the system's keepalive)", helped=True),
        real_client("ssh", "OpenSSH (TCPKeepAlive yes)", helped=True),
        real_client("redis-keepalive", "redis-py, socket_keepalive=True", helped=True),
        real_client("redis", "redis-py as it comes: not helped by sysctl", helped=False),
        real_client("grpc", "gRPC (Python; no SO_KEEPALIVE in its core): not helped by sysctl", helped=False),
    ),
)
