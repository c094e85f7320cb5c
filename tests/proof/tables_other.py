# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other failures and their cures: what is done, and what must come of it."""

from __future__ import annotations

from ansible_collections.kubenode.connections.tests.proof.expect import (
    ONE_FIRING_EARLIER,
    at_once,
    every,
    keepalive,
    promised,
    retries,
    some,
    timed_out,
    unnoticed,
)
from ansible_collections.kubenode.connections.tests.proof.model import (
    AFTER,
    ANSWERED,
    BEFORE,
    DERIVED,
    DNAT_FLUSHED,
    DNAT_ONE,
    DNAT_TWO,
    ESTABLISHED,
    HEADS,
    LONG,
    RESET,
    SHOWN,
    Row,
    Table,
    dead,
    idle,
    reuse,
    stray,
    sysctl,
)

LIBERAL_KEY = "net.netfilter.nf_conntrack_tcp_be_liberal"
RETRIES2_KEY = "net.ipv4.tcp_retries2"
DEAD_PEER_SECONDS = 225
"""For which 8 retransmissions are the most that fit whatever the guest's round trips: 121 s at most, or 221 s."""
RESET_BY_STRAY = every("ECONNRESET", server="ECONNRESET", invalid=1)
LET_THROUGH = every("answered", server="open", invalid=0)
MISPLACED = Table(
    "4. Packets out of window: INVALID, not translated, answered with a reset",
    """
    A pod talks to a Service through NAT. One packet of the server's side lies out of window, as under load and
    reordering. conntrack calls it INVALID and does not translate it, the client's kernel does not know the
    sender and answers RST, the server's connection is gone. The role gets
    `keepalive_be_liberal: true`.
    """,
    HEADS,
    (
        Row(
            "a packet ahead of the window",
            {
                BEFORE: stray("ahead", RESET_BY_STRAY),
                AFTER: stray("ahead", LET_THROUGH),
            },
        ),
        Row(
            "a packet below the window, as a late duplicate is",
            {BEFORE: stray("late", RESET_BY_STRAY), AFTER: stray("late", LET_THROUGH)},
            kernels=("5.10",),
        ),
        Row(
            "a packet below the window: these kernels ignore it by themselves",
            {stage: stray("late", LET_THROUGH) for stage in HEADS},
            kernels=("6.1", "6.12", "7.2"),
        ),
    ),
)

LOST_AT_BOOT = Table(
    "5. The same after a reboot",
    """
    Before: `nf_conntrack_tcp_be_liberal = 1` stands in a file in `/etc/sysctl.d` only, and nf_conntrack is
    loaded later, when the first rule needs it. After: the role has put nf_conntrack into `/etc/modules-load.d`.
    The machine is rebooted each time.
    """,
    {BEFORE: "rebooted, sysctl.d alone", AFTER: "rebooted, after the role"},
    (
        Row(
            "value of net.netfilter.nf_conntrack_tcp_be_liberal",
            {BEFORE: sysctl("node", LIBERAL_KEY, "0"), AFTER: sysctl("node", LIBERAL_KEY, "1")},
        ),
        Row(
            "a packet ahead of the window",
            {BEFORE: stray("ahead", RESET), AFTER: stray("ahead", ANSWERED)},
        ),
    ),
)

REUSED = Table(
    "6. A source port used again, its backend at weight 0 and dead",
    """
    Before: `net.ipv4.vs.conn_reuse_mode` is 0. The role gets `keepalive_conn_reuse_mode: auto`, which makes it 1
    here. The price of 1 on kernels without the fix (mainline 5.9) is one second more for the new connection. It
    is measured; the kernels here have the fix.
    """,
    HEADS,
    (
        Row(
            "new connections from used ports, waiting 4 s",
            {BEFORE: reuse(20000, every("hangs")), AFTER: reuse(21000, at_once("s2"))},
        ),
        Row(
            "the same with conn_reuse_mode 0 and expire_nodest_conn 1, as kube-proxy sets it (no role)",
            {BEFORE: reuse(22000, at_once("s2"), **{"from": "n2-c1", "backend": "n2-s1", "node": "n2"})},
        ),
    ),
)

RESCHEDULED = Table(
    "7. The conntrack entry is gone, the Service has two backends",
    f"""
    `nf_conntrack_tcp_timeout_established` is {ESTABLISHED} s instead of a day, the keepalive is the role's, as
    in 1. Keepalive prevents the expiry. Nothing helps a connection against `conntrack -F`.
    """,
    HEADS,
    (
        *(
            Row(
                f"two backends, client in {words}; before: idle {ESTABLISHED + 8} s, after: idle {LONG} s",
                {
                    BEFORE: idle(client, DNAT_TWO, ESTABLISHED + 8, some("ECONNRESET"), count=16),
                    AFTER: idle(client, DNAT_TWO, LONG, ANSWERED, count=16),
                },
            )
            for client, words in (("node", "the node's namespace"), ("own", "a pod with its own values"))
        ),
        Row(
            f"two backends, client in a pod that nobody touched, idle {ESTABLISHED + 8} s",
            {stage: idle("c1", DNAT_TWO, ESTABLISHED + 8, some("ECONNRESET"), count=16) for stage in HEADS},
        ),
        Row(
            f"one backend, client in a pod that nobody touched, idle {ESTABLISHED + 8} s",
            {stage: idle("c1", DNAT_ONE, ESTABLISHED + 8, ANSWERED, count=4) for stage in HEADS},
        ),
        Row(
            "two backends, the entry deleted as by conntrack -F, pod with its own values",
            {stage: idle("own", DNAT_FLUSHED, 3, some("ECONNRESET"), count=16, flush=True) for stage in HEADS},
        ),
    ),
)

PEER_DEAD = Table(
    "8. A peer without power: how long until the client is told",
    """
    All its packets are lost from one moment on. Times are computed from the kernel's retransmission schedule
    and checked against those measured. The role gets `keepalive_dead_peer_seconds: 225`.
    """,
    HEADS,
    (
        Row(
            "value of net.ipv4.tcp_retries2, the node's own",
            {BEFORE: sysctl("node", RETRIES2_KEY, "15"), AFTER: sysctl("node", RETRIES2_KEY, "8")},
        ),
        Row(
            "data in flight, client in the node's namespace; before: tcp_retries2 15, after: 8",
            {
                BEFORE: dead("node", 25, unnoticed(retries(15)), write=True),
                AFTER: dead("node", 400, promised(8, DEAD_PEER_SECONDS), write=True),
            },
        ),
        *(
            Row(
                f"data in flight, a pod with tcp_retries2 {number}, to check the schedule",
                {BEFORE: dead(pod, 120, timed_out(retries(number), ONE_FIRING_EARLIER), write=True)},
            )
            for pod, number in (("few", 3), ("five", 5))
        ),
        Row(
            f"idle, SO_KEEPALIVE, client in the node's namespace; before: keepalive 7200/75/9, after: {SHOWN}",
            {
                BEFORE: dead("node", 25, unnoticed(keepalive(7200, 75, 9)), write=False),
                AFTER: dead("node", 120, timed_out(keepalive(*DERIVED)), write=False),
            },
        ),
    ),
)
