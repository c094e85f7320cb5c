# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on how soon a dead peer is noticed. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.plugin_utils._retransmission import (
    RETRIES2,
    detection_ms,
    detection_text,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._rule import (
    APPLY,
    INFO,
    Case,
    Found,
    Rules,
    say,
    variable,
)

RULES = Rules()

_SLOW_SECONDS = 300
"""When Kubernetes moves the pods of an unreachable node (DefaultTolerationSeconds of the admission plugin)."""


@RULES.node("dead-peer-slow", INFO)
def _slow(case: Case) -> Found | None:
    """A Kubernetes node repeats data to a dead peer for longer than Kubernetes waits for an unreachable node."""
    retries2 = case.observed.number(RETRIES2)
    if retries2 is None or not 0 <= retries2 <= 255 or detection_ms(retries2) <= _SLOW_SECONDS * 1000:
        return None
    if case.observed.kube_proxy.running is False and case.observed.kubelet.running is False:
        return None
    keepalive = case.observed.keepalive
    idle = f"; an idle one after {keepalive.verdict_seconds} s (keepalive {keepalive})" if keepalive else ""
    return Found(
        f"{RETRIES2} {retries2}: a dead peer is given up {detection_text(retries2)} after the first repetition of data"
        + idle,
        "Keepalive does not probe while data waits for an answer. HTTP/2 clients without health checks hang as long.",
        say(APPLY, f": it sets {RETRIES2} to {case.node.settings.sysctls[RETRIES2]}.")
        if RETRIES2 in case.node.settings.sysctls
        else say(
            "Let clients check: HTTP/2 pings, TCP_USER_TIMEOUT. Or ",
            variable("keepalive_dead_peer_seconds: 103"),
            ", for processes in the node's own namespace; a shorter outage of the network then ends connections.",
        ),
        f"{_SLOW_SECONDS} s (Kubernetes moves pods off an unreachable node then)",
    )
