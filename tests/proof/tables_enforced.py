# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that never ask, and connections that are open already: what is done, and what must come of it."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.kubenode.connections.tests.proof.expect import Expectation, every
from ansible_collections.kubenode.connections.tests.proof.model import (
    AFTER,
    ANSWERED,
    BEFORE,
    FORGOTTEN_AT_BOOT,
    HEADS,
    IPVS,
    KEYS,
    REBOOTED,
    RESET,
    RESET_WORDS,
    RESTORED,
    THROUGH,
    Row,
    Run,
    Table,
    idle,
    program,
)

ENFORCED_LIMIT = 20
"""The IPVS timeout here, seconds. A connection that falls silent during an apply has to live until it is re-armed."""
ENFORCED = (13, 1, 6)
"""The keepalive that the role derives from it."""
SHOWN = "/".join(map(str, ENFORCED))
NAME = "ka_{:04x}_{:04x}_{:02x}".format(*ENFORCED)
"""Our program at the root of cgroups."""
IDLE, LONG, HALF = ENFORCED_LIMIT + 10, 10 * ENFORCED_LIMIT, 5 * ENFORCED_LIMIT
SOONER, LATER = 7, 40
"""Keepalive times of programs that set their own, seconds."""
NO_KERNEL_TELLS = ("5.10",)
"""Where a program of BPF cannot read what a socket has (before 6.1)."""
LEFT_ALONE = "/left-alone"
"""A cgroup that is excluded."""
EXCLUDED_PORT = 2222
"""Of sshd."""
POD_OF_KUBELET = "/kubepods/besteffort/pod2f6c1a4e-9d0b-4c35-8e77-000000000001/" + "1" * 64
"""The cgroup of programs in a pod that the role takes for a kubelet's."""
WHOLE = every("answered, same process, same socket")

PROGRAMS = {
    "grpc": "gRPC (Python)",
    "redis": "redis-py as it comes",
    "node": "node-postgres (Node)",
    "java": "a plain socket in a JVM",
    "psql": "psql, which asks with the values of the pod, 7200/75/9",
}
JDBC = "JDBC for PostgreSQL (JVM), which switches keepalive off once it is connected"


def cured(what: str, client: str, seconds: str = "", **more: object) -> Row:
    """A client without SO_KEEPALIVE: reset before, answered after."""
    runs = {
        BEFORE: idle(client, IPVS, IDLE, RESET, keepalive=False, **more),
        AFTER: idle(client, IPVS, LONG, ANSWERED, keepalive=False, **more),
    }
    return Row(f"{what}; before: idle {IDLE} s, after: idle {LONG} s{seconds}", runs)


def own_time(what: str, time: int, kernels: tuple[str, ...], **more: object) -> Row:
    """A client that sets a keepalive time of its own: which one it has in the end."""
    expect = every("answered", keepidle=time)
    return Row(what, {AFTER: idle("c1", IPVS, IDLE, expect, show_time=True, **more)}, kernels)


NEVER_ASK = Table(
    "10. Programs that never ask for keepalive",
    f"""
    The IPVS timeout is {ENFORCED_LIMIT} s, the role gets `keepalive_enforce: true`. It attaches a program to the root
    of cgroups, which gives each new connection the derived {SHOWN}. Pods are those that nobody touched. The servers
    are excluded (`keepalive_enforce_exclude_cgroups`), as if they were elsewhere, so that each row shows the probes of
    the client alone.
    """,
    HEADS,
    (
        *(
            Row(
                f"{words}, in an untouched pod; before: idle {IDLE} s, after: idle {LONG} s",
                {BEFORE: program("c1", name, IDLE, RESET_WORDS), AFTER: program("c1", name, LONG, ANSWERED)},
            )
            for name, words in PROGRAMS.items()
        ),
        cured("client in an untouched pod, without SO_KEEPALIVE", "c1"),
        cured("client in the node's namespace, without SO_KEEPALIVE", "node"),
        Row(
            f"client in a pod made after the role ran, without SO_KEEPALIVE, its first connection, idle {LONG} s",
            {AFTER: idle("new", IPVS, LONG, ANSWERED, keepalive=False)},
        ),
        own_time(
            f"a keepalive time of {SOONER} s, set before it connects: kept",
            SOONER,
            ("6.1", "6.12", "7.2"),
            options={"TCP_KEEPIDLE": SOONER, "TCP_KEEPINTVL": 1},
        ),
        own_time(
            f"a keepalive time of {SOONER} s, set before it connects: this kernel does not tell it, so it is lost",
            ENFORCED[0],
            NO_KERNEL_TELLS,
            options={"TCP_KEEPIDLE": SOONER, "TCP_KEEPINTVL": 1},
        ),
        own_time(
            f"a keepalive time of {SOONER} s, set once it is connected: kept",
            SOONER,
            (),
            afterwards={"TCP_KEEPIDLE": SOONER},
        ),
        Row(
            f"{JDBC}, in an untouched pod: its own wish, idle {IDLE} s",
            {AFTER: program("c1", "jdbc", IDLE, RESET_WORDS)},
        ),
        Row(
            f"OpenSSH in an untouched pod, its port excluded: left alone, idle {IDLE} s",
            {stage: program("c1", "ssh", IDLE, RESET_WORDS) for stage in HEADS},
        ),
        Row(
            f"redis-py as it comes in an untouched pod, its cgroup excluded: left alone, idle {IDLE} s",
            {stage: program("c1", "redis", IDLE, RESET_WORDS, cgroup=LEFT_ALONE) for stage in HEADS},
        ),
    ),
)

UNTIL_SET = (f"/proc/sys/{KEYS[0].replace('.', '/')}", str(ENFORCED[0]))
"""What tells a connection that chats to fall silent: the role has just set the sysctl of its namespace."""
HEAVY = ("node", "java", "jdbc")
"""Programs that take long to start where processors are emulated: what comes of them before the role is in 10."""
IN_POD, ON_NODE = "a pod of a kubelet", "the node's namespace"


def opened(mode: str, name: str, words: str, seconds: int, expect: Expectation, where: str = IN_POD) -> Row:
    """A real client whose connection was there before the role ran."""
    place: dict[str, object] = {"cgroup": POD_OF_KUBELET} if where == IN_POD else {}
    client = "kube" if where == IN_POD else "node"
    runs = {THROUGH: program(client, name, seconds, expect, chat_until=UNTIL_SET, **place)}
    if name not in HEAVY:
        runs[BEFORE] = program(client, name, IDLE, RESET_WORDS, **place)
    return Row(f"`{mode}`: {words}, in {where}; before: idle {IDLE} s, after: idle {seconds} s", runs)


def open_before(*rows: Row) -> Table:
    """The rows of one scenario in table 11."""
    return Table(
        "11. Connections that were open before the role ran",
        f"""
        They say something every two seconds until the role has set the sysctl of their namespace, and are silent from
        then on; what the role does afterwards meets them idle. The IPVS timeout is {ENFORCED_LIMIT} s, the role's
        keepalive {SHOWN}. The first word is `keepalive_open_connections`; for `never` see the row in 1 that was opened
        before the role ran. *Same process, same socket*: process ID and inode of the socket are those of before.
        """,
        {BEFORE: "before", THROUGH: "after the role"},
        rows,
    )


def own_values(mode: str) -> Row:
    """A program that has set its own keepalive on purpose."""
    options = {"TCP_KEEPIDLE": LATER, "TCP_KEEPINTVL": 1}
    return Row(
        f"`{mode}`: a keepalive time of {LATER} s that the program has set itself: left alone; idle {IDLE} s",
        {
            BEFORE: idle("node", IPVS, IDLE, RESET, options=options),
            THROUGH: idle("node", IPVS, IDLE, RESET, options=options, chat_until=UNTIL_SET),
        },
    )


OPEN_ALL = open_before(
    opened("all", "grpc", "gRPC (Python)", HALF, WHOLE),
    opened("all", "redis", "redis-py as it comes", HALF, WHOLE),
    opened("all", "node", "node-postgres (Node)", HALF, WHOLE),
    opened("all", "jdbc", JDBC, HALF, WHOLE),
    opened("all", "redis", "redis-py as it comes", HALF, WHOLE, ON_NODE),
)
OPEN_REARM = open_before(
    opened("rearm", "psql", "psql", HALF, WHOLE),
    opened("rearm", "redis-keepalive", "redis-py, socket_keepalive=True", HALF, WHOLE),
    opened("rearm", "ssh", "OpenSSH", HALF, WHOLE, ON_NODE),
    opened("rearm", "redis", "redis-py as it comes never asked: left alone", IDLE, RESET_WORDS),
    own_values("rearm"),
)

STAGES = {
    BEFORE: "before",
    AFTER: "after the role",
    REBOOTED: "rebooted",
    RESTORED: "after restore",
    FORGOTTEN_AT_BOOT: "the role again, its unit switched off, rebooted",
}
RED, GREEN = (BEFORE, RESTORED, FORGOTTEN_AT_BOOT), (AFTER, REBOOTED)


def by_stage(red: Run, green: Run) -> dict[str, Run]:
    """The same at each stage, with what must come of it."""
    return dict.fromkeys(RED, red) | dict.fromkeys(GREEN, green)


def there() -> Iterator[tuple[str, Run]]:
    """Whose programs are at the root of cgroups."""
    for stage in STAGES:
        names = f"{NAME}, somebody" if stage in GREEN else "somebody"
        yield stage, Run({"kind": "programs"}, every(names))


BROUGHT_BACK = Table(
    "12. Rebooted, beside somebody else's program, and given back",
    """
    The role gets `keepalive_enforce: true`. Somebody else attaches a program of his own to the root of cgroups as well:
    before the role runs, and at each boot after our unit. It sets a priority of 5 on each new connection. Clients are
    in an untouched pod.
    """,
    STAGES,
    (
        Row("programs at the root of cgroups", dict(there())),
        Row(
            "priority of a new connection",
            dict.fromkeys(STAGES, Run({"kind": "priority", "from": "c1", "to": IPVS}, every("5"))),
        ),
        Row(
            f"client without SO_KEEPALIVE, idle {IDLE} s",
            by_stage(idle("c1", IPVS, IDLE, RESET, keepalive=False), idle("c1", IPVS, IDLE, ANSWERED, keepalive=False)),
        ),
        *(
            Row(
                f"{PROGRAMS[name]}, idle {IDLE} s",
                by_stage(program("c1", name, IDLE, RESET_WORDS), program("c1", name, IDLE, ANSWERED)),
            )
            for name in ("redis", "grpc", "node")
        ),
    ),
)
