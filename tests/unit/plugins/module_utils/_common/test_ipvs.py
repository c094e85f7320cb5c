# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.plugins.module_utils._common import ipvs
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_timeouts

PRINTED = "Timeout (tcp tcpfin udp): 900 120 300\n"


def test_the_kernels_timeouts_are_what_ipvsadm_prints_of_a_new_namespace():
    assert ipvs_timeouts.parse_timeouts(PRINTED) == ipvs.KERNEL_DEFAULTS
    assert ipvs.CELLS == ("tcp", "tcpfin", "udp")
    assert tuple(ipvs.KUBE_PROXY_FIELDS) == ipvs.CELLS


def test_the_highest_timeout_is_what_fits_into_an_int_of_jiffies():
    assert ipvs.MAX_SECONDS == (2**31 - 1) // 1000
