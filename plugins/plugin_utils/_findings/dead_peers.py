# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rules on how soon a dead peer is noticed, by TCP and by kubelet. Private to this collection."""

from __future__ import annotations

from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import RETRIES2
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import bare, sentences, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.releases import release
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.retransmission import (
    KERNEL_RETRIES2,
    detection_ms,
    detection_text,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.kubernetes import Kubelet
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.node import KUBELET, Observed
from ansible_collections.kubenode.connections.plugins.plugin_utils._plan.tuned_sysctls import give_up_text

from .rule import INFO, UNKNOWN, WARNING, Case, Found, Rules, remedy, sets, variable

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
    return Found(
        tell(
            "{key} {value}: a dead peer is given up {after} after data was sent; an idle one after {seconds} s at the "
            "earliest (keepalive {keepalive})"
            if keepalive
            else "{key} {value}: a dead peer is given up {after} after data was sent",
            key=RETRIES2,
            value=retries2,
            after=give_up_text(retries2, case.observed),
            seconds=keepalive.verdict_seconds if keepalive else None,
            keepalive=keepalive,
        ),
        "Keepalive does not probe while data waits for an answer. HTTP/2 clients without health checks hang as long.",
        sets(case, RETRIES2)
        if RETRIES2 in case.node.settings.sysctls
        else remedy(
            "Let clients check: HTTP/2 pings, TCP_USER_TIMEOUT. Or set {give_up}, for processes in the node's own "
            "namespace. A shorter outage of the network then ends connections.",
            give_up=variable("keepalive_dead_peer_seconds: 125"),
        ),
        tell("{seconds} s (Kubernetes moves pods off an unreachable node then)", seconds=_SLOW_SECONDS),
    )


FIRST_PATCH_WITH_CHECK = {(1, 18): 18, (1, 19): 5}
"""Minor releases that got the check later: the first patch release that has it. From 1.20.0 on every one has it
(k8s.io/apimachinery v0.18.18, v0.19.5, v0.20.0, pkg/util/net/http.go)."""

DEFAULT_SECONDS = (30, 15)
"""Read idle and ping timeout where nobody sets them (apimachinery, pkg/util/net/http.go)."""

GRACE_SECONDS, GRACE_SECONDS_BEFORE_1_32 = 50, 40
"""Default of kube-controller-manager's --node-monitor-grace-period, and before Kubernetes 1.32. By its documentation it
should be greater than the sum of the two HTTP/2 timeouts."""

_GIVES_UP = {"after": detection_text(KERNEL_RETRIES2), "key": RETRIES2, "value": KERNEL_RETRIES2}
_WITHOUT_IT = tell(
    "Without it a connection to an API server that is gone lasts until TCP gives up ({after} with {key} {value}), and "
    "the node reports nothing meanwhile.",
    **_GIVES_UP,
)
_WHERE_IT_HAS_NONE = tell(
    "Where kubelet has no HTTP/2 health check, a connection to an API server that is gone lasts until TCP gives up "
    "({after} with {key} {value}), and the node reports nothing meanwhile.",
    **_GIVES_UP,
)
_MAYBE_CLOSED = "From 1.11 to 1.22 kubelet mostly closes it itself before that."

_CLOSES_SINCE, _CLOSES_IDLE_ONLY_SINCE, _CLOSES_NOT = (1, 11), (1, 23), (1, 14)
"""From 1.11 on kubelet closes its connections when heartbeats fail again and again (kubernetes#63492), from 1.23 on
only idle ones (#104844), but all with DISABLE_HTTP2 (#108107). 1.14 had lost it (#71174)."""


def _without_check(kubelet: Kubelet) -> str:
    """What becomes of a connection to a dead API server without the check, by version and cause."""
    numbers = release(kubelet.version)
    if numbers is None:
        return sentences(_WITHOUT_IT, _MAYBE_CLOSED)
    minor = numbers[:2]
    closes_all = minor < _CLOSES_IDLE_ONLY_SINCE or kubelet.disable_http2 is True
    if minor < _CLOSES_SINCE or minor == _CLOSES_NOT or not closes_all:
        return _WITHOUT_IT
    return tell(
        "When its heartbeats fail again and again, each after 10 s, kubelet closes all its connections itself, "
        "typically within a minute. Without the check nothing is noticed sooner, and a watch alone that hangs is not "
        "noticed: it lasts until TCP gives up ({after} with {key} {value}).",
        **_GIVES_UP,
    )


@RULES.node("kubelet-check-missing", WARNING)
def _missing(case: Case) -> Found | None:
    """kubelet is older than the HTTP/2 health check."""
    kubelet = case.observed.kubelet
    if kubelet.standalone or has_check(kubelet.version) is not False:
        return None
    return Found(
        tell("kubelet {version} has no HTTP/2 health check", version=kubelet.version),
        _without_check(kubelet),
        "Update kubelet. Until then a lower net.ipv4.tcp_retries2 helps, at a price: see docs/dead-peers.md.",
        "1.18.18, 1.19.5 and 1.20.0 are the first that have it",
    )


@RULES.node("kubelet-check-off", WARNING)
def _off(case: Case) -> Found | None:
    """The HTTP/2 health check of kubelet is switched off in its running environment."""
    kubelet = case.observed.kubelet
    if kubelet.standalone or has_check(kubelet.version) is False or not _switched_off(kubelet):
        return None
    return Found(
        "kubelet's HTTP/2 health check is off: DISABLE_HTTP2 is set in its environment"
        if kubelet.disable_http2
        else "kubelet's HTTP/2 health check is off: HTTP2_READ_IDLE_TIMEOUT_SECONDS is 0 in its environment",
        _without_check(kubelet),
        "Take DISABLE_HTTP2 out of kubelet's environment and restart it, a few nodes at a time."
        if kubelet.disable_http2
        else "Run the role kubenode.connections.kubelet_http2 with kubelet_http2_restart: true, a few nodes at a time.",
    )


@RULES.node("kubelet-check-slow", WARNING)
def _slow_check(case: Case) -> Found | None:
    """The HTTP/2 health check of kubelet takes longer than the control plane waits for a node."""
    kubelet = case.observed.kubelet
    read_idle, ping = kubelet.read_idle_timeout, kubelet.ping_timeout
    if kubelet.standalone or has_check(kubelet.version) is False or _switched_off(kubelet):
        return None
    if read_idle is None or ping is None:
        return None
    grace = _grace_seconds(kubelet.version)
    if read_idle + ping < grace:
        return None
    return Found(
        tell(
            "kubelet notices after {total} s that its API server is gone, which is not below {grace} s",
            total=f"{read_idle} + {ping} = {read_idle + ping}",
            grace=grace,
        ),
        "Until then it renews no lease. The node becomes NotReady although it and the other API servers are well.",
        "Run the role kubenode.connections.kubelet_http2 with kubelet_http2_read_idle_timeout: 20 and "
        "kubelet_http2_ping_timeout: 10, or raise --node-monitor-grace-period of kube-controller-manager.",
        tell("{seconds} s (default of --node-monitor-grace-period)", seconds=grace),
        severity=INFO if (read_idle, ping) == DEFAULT_SECONDS else WARNING,
    )


@RULES.node("kubelet-not-read", UNKNOWN)
def _not_read(case: Case) -> Found | None:
    """Whether kubelet checks its connections could not be read, or not wholly: K3s has it in its own process."""
    kubelet = case.observed.kubelet
    if kubelet.running is False:
        return _not_found(case.observed)
    # What else calls itself so is among the problems: any user can start such a process.
    if kubelet.standalone or _complete(kubelet):
        return None
    problem = case.observed.problem(KUBELET)
    return Found(
        bare(kubelet.error or "kubelet's version and environment are not in the data"),
        sentences(_WHERE_IT_HAS_NONE, _MAYBE_CLOSED),
        problem.do if problem else "Run again as root (-e keepalive_become=true).",
    )


def _not_found(node: Observed) -> Found | None:
    if not node.on_kubernetes and not node.kube_proxy.running:
        return None
    signs = (
        "kubelet's process was not found, but kube-proxy runs"
        if node.kube_proxy.running
        else "kubelet's process was not found, but there are pods"
    )
    doubts = bare(node.kubelet.error or "")
    return Found(
        tell("{signs}. {doubts}", signs=signs, doubts=doubts) if doubts else signs,
        sentences("It may be embedded in another, as in K3s.", _WHERE_IT_HAS_NONE, _MAYBE_CLOSED),
        "Look for DISABLE_HTTP2, HTTP2_READ_IDLE_TIMEOUT_SECONDS and HTTP2_PING_TIMEOUT_SECONDS in the environment of "
        "the unit that kubelet runs in, such as k3s or k3s-agent.",
    )


def has_check(version: str | None) -> bool | None:
    """Whether a kubelet of this version, such as v1.31.2, has the HTTP/2 health check; None where nobody can tell."""
    numbers = release(version)
    if numbers is None:
        return None
    major, minor, patch = numbers
    first = FIRST_PATCH_WITH_CHECK.get((major, minor))
    return patch >= first if first is not None else (major, minor) >= (1, 20)


def _grace_seconds(version: str | None) -> int:
    """By kubelet's version, for the control plane's is not seen on a node; the later default where there is none."""
    numbers = release(version)
    return GRACE_SECONDS_BEFORE_1_32 if numbers and numbers[:2] < (1, 32) else GRACE_SECONDS


def _switched_off(kubelet: Kubelet) -> bool:
    return kubelet.disable_http2 is True or kubelet.read_idle_timeout == 0


def _complete(kubelet: Kubelet) -> bool:
    seen = (kubelet.running, kubelet.disable_http2, kubelet.read_idle_timeout, kubelet.ping_timeout)
    return None not in seen and has_check(kubelet.version) is not None
