# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The metrics of the report and of the guard, as text for node_exporter's textfile collector. Pure. Private to this
collection.

The text format of Prometheus, without timestamps, because the collector refuses files with any.
"""

from typing import Dict, Iterable, List, Mapping, Tuple

from .printable import printable

PREFIX = "kubenode_connections"

HELP = {
    "info": "Always 1; the labels say which node it is.",
    "observed_timestamp_seconds": "When the node was observed, in seconds since 1970.",
    "verdict": "1 for the verdict of the node, 0 for the others.",
    "verdict_after_boot": "1 for the verdict of the keepalive that comes back with a reboot, 0 for the others.",
    "limit_seconds": "After how many idle seconds something on the node forgets a TCP connection.",
    "lowest_limit_seconds": "The lowest idle limit on the path of any node: keepalive must stay below it.",
    "keepalive_time_seconds": "Idle seconds before the first keepalive probe, in the node's own network namespace.",
    "keepalive_intvl_seconds": "Seconds between unanswered keepalive probes.",
    "keepalive_probes": "Unanswered keepalive probes after which a connection is given up.",
    "spare_seconds": "Seconds between the last probe that counts and the lowest limit; negative is too late.",
    "changes": "Values that an apply would change.",
    "namespaces_unsafe": "Network namespaces other than the node's own, mostly pods, whose keepalive is too late.",
    "pods": "Pods whose network namespace was seen.",
    "pods_at_risk": "Pods whose keepalive is too late, or with connections to services that nothing keeps alive.",
    "containers": "Containers outside of pods whose network namespace was seen.",
    "containers_at_risk": "Containers whose keepalive is too late, or with connections that nothing keeps alive.",
    "other_namespaces_at_risk": "Network namespaces of neither with connections to services that nothing keeps alive.",
    "connections": "Established TCP connections in all network namespaces that could be read.",
    "connections_to_services": "Established TCP connections to a virtual service.",
    "connections_without_keepalive": "Connections to a virtual service without SO_KEEPALIVE, which no server keeps.",
    "connections_late": "Connections to a virtual service whose keepalive timer ends after the lowest limit.",
    "connections_kept_by_server": "Connections to a virtual service that the server's probes keep, not the client's.",
    "connections_at_risk": "Connections at risk: without SO_KEEPALIVE or with a late timer; 0 where no limit was seen.",
    "connections_to_other_addresses": "Established TCP connections opened to addresses that are no virtual service.",
    "connections_to_other_addresses_at_risk": "Those of them without SO_KEEPALIVE or with a late timer.",
    "ipvs_connections_cut_within": "Connections that IPVS forgets within so many seconds if they stay idle.",
    "guard_run_timestamp_seconds": "When the node's guard ran last, in seconds since 1970.",
    "guard_interval_seconds": "How often the node's guard runs.",
    "guard_problems": "What the guard could not read or do in its last run.",
    "guard_cured": "Pods and containers that the guard gave the planned keepalive in its last run.",
    "findings": "Findings by severity, without the silenced ones.",
    "findings_silenced": "Silenced findings.",
    "plan_findings": "Findings about all nodes together, by severity, without the silenced ones.",
}
"""Every metric, in the order in which it is written."""

Sample = Tuple[str, Mapping[str, str], float]
"""The name of a metric in HELP, its labels, its value."""


def render(samples: Iterable[Sample]) -> str:
    """Samples grouped by metric, as the format wants them."""
    by_metric: Dict[str, List[str]] = {}
    for metric, labels, value in samples:
        line = f"{PREFIX}_{metric}{{{_labels(labels)}}} {int(value)}"
        by_metric.setdefault(metric, []).append(line)
    lines: List[str] = []
    for metric, text in HELP.items():
        if metric in by_metric:
            lines += [f"# HELP {PREFIX}_{metric} {text}", f"# TYPE {PREFIX}_{metric} gauge"]
            lines += by_metric[metric]
    return "\n".join([*lines, ""])


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())


def _escape(value: str) -> str:
    r"""A value between quotes, by the escapes that the format has.

    It is the name that the report shows in a terminal, where such files are looked at, too: ESC is the letters \x1b.
    """
    return printable(value).replace("\\", r"\\").replace('"', r"\"")
