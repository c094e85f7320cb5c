#!/usr/bin/python
# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible module ipvs_timeouts: sets the three IPVS timeouts, now and at boot."""

DOCUMENTATION = r"""
module: ipvs_timeouts
short_description: Set the IPVS timeouts of a Kubernetes node
version_added: 0.1.0
description:
  - Sets after how many idle seconds IPVS forgets a connection, as C(ipvsadm --set) does, but now and at boot.
  - A timeout that is not given, or given as V(keep), stays as it is. C(ipvsadm) and the kernel write V(0) for that,
    which is refused here because it reads like a timeout.
  - A connection gets the new timeout with its next packet. One that is idle already keeps its old end.
options:
  tcp:
    description:
      - Seconds for idle TCP connections, or V(keep). The kernel starts with V(900).
      - From V(1) to V(2147483), which is what every kernel takes. C(ipvsadm) itself refuses more than V(2678400).
    type: str
  tcpfin:
    description: The same for TCP connections after a FIN. The kernel starts with V(120).
    type: str
  udp:
    description: The same for UDP. The kernel starts with V(300).
    type: str
  namespace:
    description:
      - The network namespace whose timeouts are set, instead of the node's own. Each has timeouts of its own, for the
        virtual services in it, such as those of Docker Swarm in V(ingress_sbox).
      - It is the name of one below C(/run/netns) (C(ip netns)) or C(/run/docker/netns), or the path there; or the name
        or ID of a running container of Docker, podman, nerdctl, systemd-nspawn, libvirt, LXC or Incus.
      - The kernel forgets the timeouts when the namespace ends. RV(notes) says so, and nothing sets them again.
        O(persistent) is about the node's own.
    type: str
    version_added: 0.1.0
  persistent:
    description:
      - Whether the systemd unit C(kubenode-ipvs-timeouts.service) sets the given timeouts again after boot. The
        kernel keeps them nowhere. The unit loads C(ip_vs) if it has to.
      - With V(false) the given timeouts are taken out of the unit.
      - Set this to V(false) where kube-proxy (C(ipvs.tcpTimeout) and the like) or keepalived sets them.
    type: bool
    default: true
extends_documentation_fragment:
  - kubenode.connections._attributes
attributes:
  check_mode:
    support: full
    details: What it returns is what the real run returns. Nothing is written, not even a lock file.
  diff_mode:
    support: full
    details: It shows the unit and the live values.
  platform:
    platforms: linux
    support: full
  idempotent:
    support: full
notes:
  - It needs root, and IPVS in the kernel. It does not load C(ip_vs), since kube-proxy does that in IPVS mode.
    M(kubenode.connections.node_settings) does it when asked to.
  - The originals are kept on the node. M(kubenode.connections.node_settings) with
    O(kubenode.connections.node_settings#module:state=absent) gives them back, and everything else that was set there.
    Where they lie, and when they are believed, is said there, too.
seealso:
  - module: kubenode.connections.node_settings
  - module: kubenode.connections.node_info
author:
  - The kubenode.connections authors (@kubenode)
"""

EXAMPLES = r"""
- name: Let IPVS wait longer than the kernel's keepalive of two hours
  kubenode.connections.ipvs_timeouts:
    tcp: 8284

- name: The same until the next boot only, and UDP as it is
  kubenode.connections.ipvs_timeouts:
    tcp: 8284
    udp: keep
    persistent: false

- name: Let the balancer of Docker Swarm wait longer, too
  kubenode.connections.ipvs_timeouts:
    namespace: ingress_sbox
    tcp: 8284
"""

RETURN = r"""
before:
  description: The IPVS timeouts in seconds before.
  returned: success
  type: dict
  sample: {tcp: 900, tcpfin: 120, udp: 300}
after:
  description: The IPVS timeouts in seconds afterwards, in check mode as foreseen.
  returned: success
  type: dict
  sample: {tcp: 8284, tcpfin: 120, udp: 300}
notes:
  description: What to know beside that, for example that the node has no systemd to set the timeouts again after boot.
  returned: success
  type: list
  elements: str
  sample: []
"""

from typing import Any, Dict, Mapping

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubenode.connections.plugins.module_utils._converge.one_run import answer
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import timeouts_from
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import Outcome, converge


def main() -> None:
    """Set the timeouts, or fail with the node as it was."""
    module = AnsibleModule(
        argument_spec={
            "tcp": {"type": "str"},
            "tcpfin": {"type": "str"},
            "udp": {"type": "str"},
            "namespace": {"type": "str"},
            "persistent": {"type": "bool", "default": True},
        },
        required_one_of=[("tcp", "tcpfin", "udp")],
        supports_check_mode=True,
    )
    answer(module, lambda: _result(converge(timeouts_from(module.params), module.check_mode)))


def _result(outcome: Outcome) -> Dict[str, Any]:
    return {
        "changed": outcome.changed,
        "before": _timeouts(outcome.before),
        "after": _timeouts(outcome.after),
        "diff": outcome.diff,
        "notes": outcome.notes,
    }


def _timeouts(side: Mapping[str, Any]) -> Any:
    """Those of the one network namespace that was asked for."""
    return next(iter(side["namespace_ipvs_timeouts"].values()), side["ipvs_timeouts"])


if __name__ == "__main__":
    main()
