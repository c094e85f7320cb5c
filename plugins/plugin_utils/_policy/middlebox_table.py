# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The middleboxes that are known by name, as their vendors document them. Private to this collection.

A row is here only where a document of the vendor, or the source, says its numbers; a test holds the table of
docs/middleboxes.md to it.
"""

from __future__ import annotations

from typing import NamedTuple


class Known(NamedTuple):
    """One row. ``seconds`` is the idle limit for TCP unless its owner set another, from ``lowest`` to ``highest``.

    Both are ``seconds`` where it is fixed, and None where the document names no bounds. ``setting``: it is a proxy that
    ends TCP, where the probes of keepalive do not count, and this is what to set in it instead.
    """

    label: str
    seconds: int
    lowest: int | None
    highest: int | None
    source: str
    setting: str = ""

    @property
    def proxy(self) -> bool:
        return bool(self.setting)

    @property
    def fixed(self) -> bool:
        return self.lowest == self.highest == self.seconds


NITRO_V6 = "aws_security_group_nitro_v6"

KNOWN = {
    "aws_nlb": Known(
        "AWS NLB",
        350,
        60,
        6000,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html",
    ),
    "aws_gwlb": Known(
        "AWS GWLB",
        350,
        60,
        6000,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/gateway/update-idle-timeout.html",
    ),
    "aws_nat_gateway": Known(
        "AWS NAT gateway",
        350,
        350,
        350,
        "https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html",
    ),
    "aws_vpc_endpoint": Known(
        "AWS VPC endpoint", 350, 350, 350, "AWS networking blog: TCP idle timeouts of VPC endpoints"
    ),
    "aws_network_firewall": Known("AWS Network Firewall", 350, 60, 6000, "AWS Network Firewall: TCP idle timeout"),
    NITRO_V6: Known(
        "EC2 security group tracking",
        350,
        60,
        432000,
        "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ConnectionTrackingConfiguration.html",
    ),
    "azure_lb": Known(
        "Azure LB", 240, 240, 6000, "https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-idle-timeout"
    ),
    "azure_outbound": Known(
        "Azure outbound rule",
        240,
        240,
        6000,
        "https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-idle-timeout",
    ),
    "azure_nat_gateway": Known(
        "Azure NAT gateway", 240, 240, 7200, "https://learn.microsoft.com/azure/nat-gateway/nat-gateway-resource"
    ),
    "gcp_firewall": Known(
        "GCP VPC firewall", 600, 600, 600, "https://cloud.google.com/compute/docs/troubleshooting/general-tips"
    ),
    "gcp_cloud_nat": Known(
        "GCP Cloud NAT", 1200, None, None, "https://cloud.google.com/nat/docs/tune-nat-configuration"
    ),
    "ibm_public_gateway": Known("IBM public gateway", 240, 240, 240, "IBM Cloud: VPC public gateways"),
    "cilium": Known("Cilium", 8000, None, None, "cilium-agent: bpf-ct-timeout-regular-tcp, bpf-ct-timeout-service-tcp"),
    "calico_ebpf": Known("Calico eBPF", 3600, None, None, "Calico: bpfConntrackTimeouts, TCPEstablished"),
    "haproxy": Known(
        "HAProxy",
        50,
        None,
        None,
        "https://docs.haproxy.org/2.6/configuration.html#4-timeout%20client",
        "timeout client and timeout server, or timeout tunnel",
    ),
    "aws_alb": Known(
        "AWS ALB",
        60,
        1,
        4000,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
        "the attribute idle_timeout.timeout_seconds",
    ),
    "aws_clb": Known(
        "AWS CLB",
        60,
        1,
        3600,
        "https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/config-idle-timeout.html",
        "ConnectionSettings IdleTimeout",
    ),
}
