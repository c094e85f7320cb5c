# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What forwards packets of pods on the node beside kube-proxy, by the network devices that it makes. Reading only.
Private to this collection.
"""

import os
from typing import List

# Cilium's agent makes cilium_host, Calico's felix bpfin.cali (dataplane/linux/dataplanedefs) where it is in eBPF mode,
# the datapath of Open vSwitch in the kernel ovs-system (lib/dpif-netlink.c).
_DEVICES = (("cilium", "cilium_host"), ("calico_ebpf", "bpfin.cali"), ("ovs", "ovs-system"))


def read(devices: str = "/sys/class/net") -> List[str]:
    """The names of those that are there: cilium, calico_ebpf, ovs. Only root of the node makes devices here."""
    return [name for name, device in _DEVICES if os.path.exists(os.path.join(devices, device))]
