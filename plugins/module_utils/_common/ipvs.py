# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three IPVS timeouts by name, for nodes and the controller. Pure. Private to this collection."""

from typing import NamedTuple


class Timeouts(NamedTuple):
    """The three IPVS timeouts in seconds. When they are set, 0 keeps the present value."""

    tcp: int
    tcpfin: int
    udp: int


CELLS = Timeouts._fields

KERNEL_DEFAULTS = Timeouts(900, 120, 300)
"""tcp_timeouts in net/netfilter/ipvs/ip_vs_proto_tcp.c, udp_timeouts in ip_vs_proto_udp.c."""

MAX_SECONDS = 2147483
"""The highest timeout every kernel takes: INT_MAX / HZ at HZ=1000 (ip_vs_set_timeout in its ip_vs_ctl.c)."""

KUBE_PROXY_FIELDS = {"tcp": "tcpTimeout", "tcpfin": "tcpFinTimeout", "udp": "udpTimeout"}
"""Their names in the section ipvs of kube-proxy's configuration (pkg/proxy/apis/config/types.go)."""
