#!/usr/bin/python
# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible module pod_sysctls: the sysctls that new pods start with on a node."""

DOCUMENTATION = r"""
module: pod_sysctls
short_description: Have pods that a node starts from now on begin with given sysctls
version_added: 0.1.0
description:
  - The network namespace of a pod takes nothing over from its node. It begins with the kernel's own values. This
    module has a node give its pods others, in the way that the node's own programs have for it.
  - V(kubelet) writes C(defaultPodSysctls) into the directory that kubelet reads with C(--config-dir), from Kubernetes
    1.37 on.
  - V(crio) writes C(default_sysctls) into C(/etc/crio/crio.conf.d). CRI-O takes the list of the last file alone, so
    entries of the files before it are repeated.
  - V(cni) chains the C(tuning) plugin in the network configuration list that the container runtime takes. One that is
    chained already is edited. Everything else in the file stays byte for byte. Before anything is written, the plugin
    itself is tried out with the sysctls, in a network namespace that goes away afterwards.
  - Pods that run already are not touched.
options:
  state:
    description:
      - With V(present) new pods start with O(sysctls). The file of an earlier run that used another O(way) is given
        back.
      - With V(absent) every file that was ever written here is given back. All other options are ignored.
    type: str
    choices: [present, absent]
    default: present
  sysctls:
    description:
      - Names of sysctls below C(net) with their values. Needed with O(state=present).
      - Values are text or whole numbers.
    type: dict
  way:
    description:
      - How pods get them. V(auto) takes the first of V(kubelet), V(crio) and V(cni) that this node has.
      - V(auto) takes V(kubelet) only where the feature gate C(DefaultPodSysctls) is on already. Asked for by name,
        V(kubelet) switches it on in the same file.
    type: str
    choices: [auto, kubelet, crio, cni]
    default: auto
  cni_directory:
    description: Where the container runtime looks for its network configuration. It takes the first file by name.
    type: path
    default: /etc/cni/net.d
  cni_file:
    description: The network configuration list to edit, where it is another one than the first in O(cni_directory).
    type: path
  cni_plugin_directories:
    description:
      - Where the container runtime looks for CNI plugins.
      - The C(tuning) plugin has to lie beside the other plugins of the list, because those lie where the runtime looks.
        Where several directories have them, each has to have C(tuning), or only that of the runtime is to be named
        here. Else nothing is written.
    type: list
    elements: path
    default: [/opt/cni/bin, /usr/lib/cni, /usr/libexec/cni]
extends_documentation_fragment:
  - kubenode.connections._attributes
attributes:
  check_mode:
    support: full
    details: What it returns is what the real run returns. Nothing is written, not even a lock file.
  diff_mode:
    support: full
  platform:
    platforms: linux
    support: full
  idempotent:
    support: full
notes:
  - It needs root, and for V(cni) a node that can make network namespaces.
  - What the node had before is kept in C(/var/lib/kubenode.connections/originals.json). With O(state=absent) files
    come back byte for byte. Where someone else has written a file since, only our part is taken out of it. Where
    C(originals.json) was lost, RV(notes) names drop-ins of this module that are still there.
  - Only what belongs to root is believed, run and written. Nobody else may be able to change the folder that is written
    to, the C(tuning) plugin, or a folder on the way to them, and a kubelet or a CRI-O counts only where root runs it in
    the node's own namespaces. Else the module says whose it is and changes nothing.
  - Nothing is restarted. RV(restart) says which services read their file only when they start. A container runtime
    sees a changed network configuration by itself.
  - Pods with C(hostNetwork) have no network namespace of their own and are left alone in every way.
seealso:
  - module: kubenode.connections.node_settings
author:
  - The kubenode.connections authors (@kubenode)
"""

EXAMPLES = r"""
- name: Have new pods probe after ten minutes
  kubenode.connections.pod_sysctls:
    sysctls:
      net.ipv4.tcp_keepalive_time: 600
      net.ipv4.tcp_keepalive_intvl: 30
      net.ipv4.tcp_keepalive_probes: 9

- name: The same on K3s, which has its network configuration and its plugins elsewhere, and no tuning of its own
  kubenode.connections.pod_sysctls:
    way: cni
    cni_directory: /var/lib/rancher/k3s/agent/etc/cni/net.d
    cni_plugin_directories: [/var/lib/rancher/k3s/data/cni]
    sysctls:
      net.ipv4.tcp_keepalive_time: 600

- name: Give the node's files back
  kubenode.connections.pod_sysctls:
    state: absent
"""

RETURN = r"""
way:
  description: The way that was taken, none with O(state=absent).
  returned: success
  type: str
  sample: crio
reason:
  description: Why that way, one sentence.
  returned: success
  type: str
  sample: CRI-O runs here and has default_sysctls.
before:
  description:
    - Our own part of each file that is concerned, none where there is no such file. The same is in the diff and in
      messages.
    - Of a network configuration it is what its C(tuning) plugins set of our sysctls, and empty where it has no such
      plugin. The rest may hold tokens and keys and is not returned.
    - A drop-in is ours as a whole. One that somebody else has written is not shown.
  returned: success
  type: dict
  sample: {/etc/crio/crio.conf.d/99-kubenode-connections.conf: null}
after:
  description: The same for afterwards, in check mode as foreseen.
  returned: success
  type: dict
  sample:
    /etc/crio/crio.conf.d/99-kubenode-connections.conf: |
      # Written by the Ansible module kubenode.connections.pod_sysctls.
      [crio.runtime]
      default_sysctls = [
          "net.ipv4.tcp_keepalive_time=600",
      ]
restart:
  description: Names of the systemd services that still run without knowing what their file says now.
  returned: success
  type: list
  elements: str
  sample: [crio]
notes:
  description:
    - What to know beside that, one sentence or two each. Above all who is known to write the file again, when, and
      what to change there, and why ways that come before the one taken could not be gone.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubenode.connections.plugins.module_utils._converge.one_run import answer
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls.cni_trial import (
    DIRECTORY,
    PLUGIN_DIRECTORIES,
)
from ansible_collections.kubenode.connections.plugins.module_utils._pod_sysctls.run import converge, wish_from


def main() -> None:
    """Bring the node to the options, or fail with the node as it was."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "sysctls": {"type": "dict"},
            "way": {"type": "str", "choices": ["auto", "kubelet", "crio", "cni"], "default": "auto"},
            "cni_directory": {"type": "path", "default": DIRECTORY},
            "cni_file": {"type": "path"},
            "cni_plugin_directories": {"type": "list", "elements": "path", "default": list(PLUGIN_DIRECTORIES)},
        },
        required_if=[("state", "present", ["sysctls"])],
        supports_check_mode=True,
    )
    answer(module, lambda: converge(wish_from(module.params), module.check_mode)._asdict())


if __name__ == "__main__":
    main()
