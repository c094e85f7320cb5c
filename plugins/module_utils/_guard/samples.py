# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics of one run of the guard, by the names that the report's have. Pure. Private to this collection."""

from typing import Any, Iterator, Mapping, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.metrics import Sample
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import Conf

from .judge import SAFE, UNKNOWN, UNSAFE, Figures, totals


class Run(NamedTuple):
    """One run: when it was (seconds since 1970), how many problems it met, how many pods and containers it cured, and
    what was seen: the node, its figures, and how many values differ from the plan, each None where that failed.
    """

    now: int
    problems: int
    cured: int
    node: Optional[Mapping[str, Any]]
    figures: Optional[Figures]
    changes: Optional[int]


def samples(run: Run, conf: Conf) -> Iterator[Sample]:
    """What was not seen has no sample: a 0 would say that nothing is at risk."""
    label = {"node": conf.node}
    yield "guard_run_timestamp_seconds", label, run.now
    yield "guard_interval_seconds", label, conf.interval_seconds
    yield "guard_problems", label, run.problems
    yield "guard_cured", label, run.cured
    if run.changes is not None:
        yield "changes", label, run.changes
    verdict = run.figures.verdict if run.figures else UNKNOWN
    for each in (UNSAFE, UNKNOWN, SAFE):
        yield "verdict", dict(label, verdict=each), each == verdict
    if run.node is not None and run.figures is not None:
        yield "observed_timestamp_seconds", label, run.now
        facts = {"hostname": run.node["hostname"], "kernel": run.node["kernel"]}
        yield "info", dict(label, mode=conf.plan["watch"].get("mode") or "", **facts), 1
        yield from _of_node(label, run.figures, conf)
        yield from _of_pods(label, run.node["pods"], run.figures)
        for seconds, number in (run.node["ipvs"]["cut_within"] or {}).items():
            yield "ipvs_connections_cut_within", dict(label, seconds=str(seconds)), number


def _of_node(label: Mapping[str, str], figures: Figures, conf: Conf) -> Iterator[Sample]:
    for name, seconds in figures.limits.items():
        yield "limit_seconds", dict(label, limit=name), seconds
    if figures.lowest is not None:
        yield "lowest_limit_seconds", label, figures.lowest
    wanted = conf.plan["watch"]["keepalive"]
    for when, keepalive in (("live", figures.keepalive), ("planned", Keepalive(**wanted) if wanted else None)):
        if keepalive is not None:
            yield "keepalive_time_seconds", dict(label, when=when), keepalive.time
            yield "keepalive_intvl_seconds", dict(label, when=when), keepalive.intvl
            yield "keepalive_probes", dict(label, when=when), keepalive.probes
    if figures.spare is not None:
        yield "spare_seconds", label, figures.spare
    if figures.namespaces_unsafe is not None:
        yield "namespaces_unsafe", label, figures.namespaces_unsafe


def _of_pods(label: Mapping[str, str], pods: Mapping[str, Any], figures: Figures) -> Iterator[Sample]:
    if figures.spaces is None:
        return
    at_risk = [space.kind for space in figures.spaces if space.at_risk]
    yield "pods", label, pods["count"]
    yield "pods_at_risk", label, at_risk.count("pod")
    yield "containers", label, pods["containers"]
    yield "containers_at_risk", label, at_risk.count("container")
    yield "other_namespaces_at_risk", label, sum(kind not in ("node", "pod", "container") for kind in at_risk)
    services, outside, kept = totals(figures.spaces)
    without = max(0, pods["totals"]["without_keepalive"] - kept)
    yield "connections", label, pods["totals"]["connections"]
    yield "connections_to_services", label, pods["totals"]["to_services"]
    yield "connections_without_keepalive", label, without
    yield "connections_late", label, services.late
    yield "connections_kept_by_server", label, services.kept_by_server
    yield "connections_at_risk", label, without + services.late if figures.lowest is not None else 0
    yield "connections_to_other_addresses", label, pods["totals"]["to_outside"]
    yield "connections_to_other_addresses_at_risk", label, outside.at_risk
