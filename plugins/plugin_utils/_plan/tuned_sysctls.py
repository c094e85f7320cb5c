# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sysctls that have a variable of their own, and why a node gets each. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import (
    RETRIES2,
    REUSE_MODE,
    module_for,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import (
    kube_proxy_forces_reuse_off,
    version,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.retransmission import (
    detection_text,
    latest_ms,
    planning_rto_ms,
    retries2_for,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._policy.options import VARIABLES, Policy


def tuned_sysctls(node: Observed, policy: Policy, reasons: dict[str, str]) -> dict[str, str]:
    """What the node gets of them; ``reasons`` takes the reason of each.

    A key of a kernel module only where that module is there now or at boot, or comes with keepalive_sysctls: no module
    is loaded for these alone.
    """
    sysctls = dict(policy.tuned)
    if policy.dead_peer_seconds is not None:
        sysctls[RETRIES2] = str(retries2_for(policy.dead_peer_seconds, _rto_ms(node)))
    if policy.conn_reuse_mode == "auto" and _needs_reuse_mode(node, policy):
        sysctls[REUSE_MODE] = "1"
    wanted = {key: value for key, value in sysctls.items() if _module_there(node, policy, key)}
    reasons.update({key: _tuned_reason(key, value, node, policy) for key, value in wanted.items()})
    return wanted


def _rto_ms(node: Observed) -> int:
    """The retransmission time-out that nearly all of the node's own connections stay within."""
    seen = node.pods.rto if node.pods else None
    return planning_rto_ms(seen.p95_ms if seen else None)


def give_up_text(retries2: int, node: Observed) -> Message:
    """After how long data to a dead peer is given up, by the round-trip times that were seen on the node."""
    seen = node.pods.rto if node.pods else None
    text = detection_text(retries2, _rto_ms(node))
    if seen is None:
        return tell("{between} (round trips of 10 ms or less)", between=text)
    of_all = tell("{between} on 95 of 100 of {number} connections", between=text, number=seen.sockets)
    if seen.max_ms <= _rto_ms(node):
        return of_all
    slowest = -(-latest_ms(retries2, seen.max_ms) // 1000)
    return tell("{most}, up to {seconds} s on the slowest", most=of_all, seconds=slowest)


def _tuned_reason(key: str, value: str, node: Observed, policy: Policy) -> str:
    if key == RETRIES2:
        after = give_up_text(int(value), node)
        return tell(
            "gives a dead peer up {after}; keepalive_dead_peer_seconds {seconds}",
            after=after,
            seconds=policy.dead_peer_seconds,
        )
    if key == REUSE_MODE:
        return f"keepalive_conn_reuse_mode {policy.conn_reuse_mode}"
    return VARIABLES[key]


def _module_there(node: Observed, policy: Policy, key: str) -> bool:
    name = module_for(key)
    if name is None or name in map(module_for, policy.sysctls):
        return True
    module = node.modules.get(name)
    return module is not None and (module.loaded or module.at_boot)


def _needs_reuse_mode(node: Observed, policy: Policy) -> bool:
    """Whether conn_reuse_mode is to be 1 and is not, or is by our own file, in which it has to stay then.

    On a kernel with the fix to which kube-proxy does not write 0: from 5.9 on, unless kube-proxy is old. kube-router
    writes 0 on any.
    """
    if version(node.kernel) is None or kube_proxy_forces_reuse_off(node.kernel, node.kube_proxy.version):
        return False
    sysctl = node.sysctls.get(REUSE_MODE)
    if sysctl is None or node.others.kube_router is not None:
        return False
    ours = sysctl.boot is not None and sysctl.boot.file == policy.sysctl_file
    return ours or any(value not in (None, "1") for value in (sysctl.value, node.boot_value(REUSE_MODE)))
