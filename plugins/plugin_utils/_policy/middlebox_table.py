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
ALIBABA_TRACKING = "alibaba_security_group"
FORWARD_SERVICES = ("cilium", "calico_ebpf")

_AWS = "https://docs.aws.amazon.com/"
_AZURE = "https://learn.microsoft.com/azure/"
_GOOGLE = "https://cloud.google.com/"
_ORACLE = "https://docs.oracle.com/en-us/iaas/Content/NetworkLoadBalancer/NetworkLoadBalancers/"

KNOWN = {
    "aws_nlb": Known("AWS NLB", 350, 60, 6000, f"{_AWS}elasticloadbalancing/latest/network/update-idle-timeout.html"),
    "aws_nlb_tls": Known(
        "AWS NLB, TLS listener", 350, 350, 350, f"{_AWS}elasticloadbalancing/latest/network/update-idle-timeout.html"
    ),
    "aws_gwlb": Known("AWS GWLB", 350, 60, 6000, f"{_AWS}elasticloadbalancing/latest/gateway/update-idle-timeout.html"),
    "aws_nat_gateway": Known(
        "AWS NAT gateway", 350, 350, 350, f"{_AWS}vpc/latest/userguide/nat-gateway-troubleshooting.html"
    ),
    "aws_vpc_endpoint": Known(
        "AWS VPC endpoint",
        350,
        350,
        350,
        "AWS Networking & Content Delivery blog: TCP connections through VPC endpoints",
    ),
    "aws_network_firewall": Known(
        "AWS Network Firewall", 350, 60, 6000, f"{_AWS}network-firewall/latest/APIReference/API_FlowTimeouts.html"
    ),
    "aws_security_group": Known(
        "EC2 security group tracking before Nitro v6",
        432000,
        60,
        432000,
        f"{_AWS}AWSEC2/latest/APIReference/API_ConnectionTrackingConfiguration.html",
    ),
    NITRO_V6: Known(
        "EC2 security group tracking",
        350,
        60,
        432000,
        f"{_AWS}AWSEC2/latest/APIReference/API_ConnectionTrackingConfiguration.html",
    ),
    "aws_alb": Known(
        "AWS ALB",
        60,
        None,
        None,
        f"{_AWS}elasticloadbalancing/latest/application/edit-load-balancer-attributes.html",
        "the attribute idle_timeout.timeout_seconds",
    ),
    "aws_clb": Known(
        "AWS CLB",
        60,
        1,
        3600,
        f"{_AWS}elasticloadbalancing/latest/classic/config-idle-timeout.html",
        "its idle timeout (ConnectionSettings)",
    ),
    "azure_lb": Known("Azure LB", 240, 240, 6000, f"{_AZURE}load-balancer/load-balancer-tcp-idle-timeout"),
    "azure_outbound": Known(
        "Azure outbound rule", 240, 240, 6000, f"{_AZURE}load-balancer/load-balancer-tcp-idle-timeout"
    ),
    "azure_aks_outbound": Known(
        "outbound rule of AKS", 1800, 240, 7200, "Azure API, ManagedClusterLoadBalancerProfile: idleTimeoutInMinutes"
    ),
    "azure_nat_gateway": Known("Azure NAT gateway", 240, 240, 7200, f"{_AZURE}nat-gateway/nat-gateway-resource"),
    "azure_firewall": Known("Azure Firewall", 240, 240, 900, f"{_AZURE}firewall/tcp-session-behavior"),
    "gcp_firewall": Known("GCP VPC firewall", 600, 600, 600, f"{_GOOGLE}compute/docs/troubleshooting"),
    "gcp_cloud_nat": Known("GCP Cloud NAT", 1200, None, None, f"{_GOOGLE}nat/docs/tune-nat-configuration"),
    "gcp_psc": Known(
        "GCP Private Service Connect",
        1200,
        1200,
        1200,
        "Google Cloud, Private Service Connect: Consumer connections time out",
    ),
    "gcp_internal_nlb": Known(
        "GCP internal passthrough NLB", 600, None, None, f"{_GOOGLE}load-balancing/docs/internal"
    ),
    ALIBABA_TRACKING: Known(
        "Alibaba Cloud security group tracking",
        910,
        30,
        910,
        "Alibaba Cloud API, Ecs 2014-05-26: CreateNetworkInterface, ConnectionTrackingConfiguration",
    ),
    "alibaba_clb": Known(
        "Alibaba CLB",
        900,
        10,
        900,
        "https://help.aliyun.com/zh/slb/classic-load-balancer/developer-reference/api-slb-2014-05-15-createloadbalancertcplistener",
    ),
    "alibaba_nlb": Known(
        "Alibaba NLB",
        900,
        1,
        900,
        "Alibaba Cloud API, Nlb 2022-04-30: CreateListener, IdleTimeout",
    ),
    "alibaba_alb": Known(
        "Alibaba ALB",
        15,
        1,
        60,
        "Alibaba Cloud API, Alb 2020-06-16: CreateListener, IdleTimeout",
        "IdleTimeout of its listener",
    ),
    "tencent_clb": Known("Tencent CLB", 900, 10, 3600, "https://www.tencentcloud.com/document/product/214/32517"),
    "tencent_gwlb": Known("Tencent GWLB", 350, 60, 6000, "Tencent Cloud API, gwlb: TcpIdleConnectTimeout"),
    "huawei_elb": Known(
        "Huawei ELB", 300, 10, 4000, "https://support.huaweicloud.com/intl/en-us/usermanual-elb/elb_ug_jt_0014.html"
    ),
    "oci_nlb": Known("OCI NLB", 360, None, None, f"{_ORACLE}configure-idle-timeout.htm"),
    "oci_lb": Known(
        "OCI load balancer",
        300,
        None,
        None,
        "https://docs.oracle.com/iaas/Content/Balance/Reference/connectionreuse.htm",
        "the idle timeout of its listener",
    ),
    "ibm_public_gateway": Known("IBM public gateway", 240, 240, 240, "IBM Cloud, VPC: About public gateways"),
    "ucloud_clb_proxy": Known(
        "UCloud CLB, request proxy",
        60,
        None,
        None,
        "https://ucloud-global.com/en/docs/ulb/clb/faq/design/idletimeout",
        "its connection idle timeout",
    ),
    "openstack_octavia": Known(
        "OpenStack Octavia",
        50,
        None,
        None,
        "https://docs.openstack.org/octavia/latest/configuration/configref.html#haproxy_amphora.timeout_client_data",
        "timeout_client_data and timeout_member_data",
    ),
    "cisco_asa": Known("Cisco ASA", 3600, 300, 4294800, "Cisco ASA, command reference: timeout conn"),
    "fortigate": Known(
        "FortiGate", 3600, 300, 604800, "https://docs.fortinet.com/document/fortigate/6.0.0/cli-reference/476602"
    ),
    "palo_alto": Known("Palo Alto", 3600, None, None, "PAN-OS: show session info, TCP default timeout"),
    "pfsense": Known("pfSense", 86400, None, None, "pf of FreeBSD, sys/netpfil/pf/pf.h: PFTM_TCP_ESTABLISHED_VAL"),
    "opnsense": Known("OPNsense", 86400, None, None, "pf of FreeBSD, sys/netpfil/pf/pf.h: PFTM_TCP_ESTABLISHED_VAL"),
    "mikrotik": Known(
        "MikroTik RouterOS", 86400, None, None, "https://help.mikrotik.com/docs/display/ROS/Connection+tracking"
    ),
    "cilium": Known("Cilium", 8000, None, None, "https://github.com/cilium/cilium/pull/27665"),
    "calico_ebpf": Known(
        "Calico eBPF", 3600, None, None, "Calico, felix/bpf/conntrack/timeouts/timeouts.go: TCPEstablished"
    ),
    "haproxy": Known(
        "HAProxy",
        50,
        None,
        None,
        "HAProxy as Debian configures it, haproxy.cfg; https://docs.haproxy.org/2.6/configuration.html#4-timeout%20client",
        "timeout client and timeout server, or timeout tunnel",
    ),
    "nginx_stream": Known(
        "nginx stream",
        600,
        None,
        None,
        "https://nginx.org/en/docs/stream/ngx_stream_proxy_module.html#proxy_timeout",
        "proxy_timeout",
    ),
    "envoy": Known(
        "Envoy",
        3600,
        None,
        None,
        "https://www.envoyproxy.io/docs/envoy/latest/faq/configuration/timeouts",
        "idle_timeout of its tcp_proxy filter",
    ),
    "istio": Known(
        "Istio's Envoy",
        3600,
        None,
        None,
        "https://istio.io/latest/docs/reference/config/networking/destination-rule/",
        "idleTimeout of connectionPool.tcp in its DestinationRule",
    ),
}
