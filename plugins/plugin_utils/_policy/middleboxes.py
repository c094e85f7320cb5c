# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Idle limits of what stands between nodes, or forwards on them, and cannot be observed. Private to this collection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import MAX_SECONDS
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import Range
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError, nearest

_OPTION = "keepalive_middleboxes"
_SECONDS = Range(1, MAX_SECONDS, "the longest timeout that IPVS has", "an idle limit has at least one second")


@dataclass(frozen=True)
class Middlebox:
    """Something on the path that forgets a TCP connection after ``seconds`` without a packet."""

    name: str
    seconds: int

    def as_dict(self) -> dict[str, object]:
        return {"name": self.name, "seconds": self.seconds}


class Known(NamedTuple):
    """A middlebox known by name: what to call it, and its default idle limit for TCP as its vendor documents it."""

    label: str
    seconds: int


# What each can be set to, in seconds, and where it is documented.
KNOWN = {
    # 60-6000, a TLS listener is fixed at 350. AWS: Network Load Balancers, TCP idle timeout
    "aws_nlb": Known("AWS NLB", 350),
    # 60-6000. AWS: Gateway Load Balancers, TCP idle timeout
    "aws_gwlb": Known("AWS GWLB", 350),
    # Fixed. AWS: NAT gateways, troubleshooting
    "aws_nat_gateway": Known("AWS NAT gateway", 350),
    # Fixed. AWS: interface endpoints (PrivateLink)
    "aws_vpc_endpoint": Known("AWS VPC endpoint", 350),
    # 60-6000. AWS: Network Firewall, TCP idle timeout
    "aws_network_firewall": Known("AWS Network Firewall", 350),
    # 240-1800. Azure: Load Balancer, TCP reset and idle timeout
    "azure_lb": Known("Azure LB", 240),
    # 240-6000. Azure: Load Balancer, outbound rules
    "azure_outbound": Known("Azure outbound rule", 240),
    # Fixed. Google Cloud: Compute Engine, troubleshooting (connection tracking)
    "gcp_firewall": Known("GCP VPC firewall", 600),
    # Settable. Google Cloud: Cloud NAT, TCP established idle timeout
    "gcp_cloud_nat": Known("GCP Cloud NAT", 1200),
    # Fixed. IBM Cloud: VPC public gateways
    "ibm_public_gateway": Known("IBM public gateway", 240),
    # Settable. cilium-agent: bpf-ct-timeout-regular-tcp, bpf-ct-timeout-service-tcp (21600 before cilium/cilium#27665)
    "cilium": Known("Cilium", 8000),
    # Settable. Calico: TCPEstablished in felix/bpf/conntrack/timeouts/timeouts.go
    "calico_ebpf": Known("Calico eBPF", 3600),
}


def parse_middleboxes(value: object) -> tuple[Middlebox, ...]:
    """The declared middleboxes: each a known name, or a mapping of name and seconds. Raises PlanError.

    Text is names with commas between them, as -e name=value gives it.
    """
    if isinstance(value, str):
        value = [word for each in value.split(",") if (word := each.strip())]
    if not isinstance(value, list):
        raise PlanError(
            f"{_OPTION}: {value!r} is not a list. Write a list of names, or of mappings of name and seconds."
        )
    return tuple(_middlebox(item) for item in value)


def _middlebox(item: object) -> Middlebox:
    if isinstance(item, str):
        if item not in KNOWN:
            raise PlanError(
                f"{_OPTION}: {item!r} is not known by name. {nearest(item, KNOWN)} Others: {{name: ..., seconds: ...}}."
            )
        return Middlebox(KNOWN[item].label, KNOWN[item].seconds)
    if (
        not isinstance(item, dict)
        or set(item) != {"name", "seconds"}
        or not isinstance(item["name"], str)
        or not item["name"]
    ):
        raise PlanError(
            f"{_OPTION}: {item!r} is not a middlebox. Write one of its known names, or a mapping of name and seconds."
        )
    name = item["name"]
    label = KNOWN[name].label if name in KNOWN else name
    return Middlebox(label, _SECONDS.check(f"{_OPTION}: seconds of {name}", item["seconds"]))
