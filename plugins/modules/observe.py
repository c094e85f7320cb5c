#!/usr/bin/python
# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action kubenode.connections.observe; the code is in plugins/action/observe.py."""

DOCUMENTATION = r"""
module: observe
short_description: Observe a node, for the report of a whole play
version_added: 0.1.0
description:
  - Runs M(kubenode.connections.node_info) with the options that the host's variables C(keepalive_*) say, as the role
    P(kubenode.connections.keepalive#role) documents them. The keys of C(keepalive_sysctls) are read, too.
  - The node is returned as one text, because Ansible copies every value of a result several times. With hundreds of
    pods that took longer than all the rest. Use M(kubenode.connections.node_info) to look at the values yourself.
options:
  sample:
    description: Whether counters are read twice, C(keepalive_sample_seconds) apart, to see which of them grow.
    type: bool
    default: true
extends_documentation_fragment:
  - kubenode.connections._attributes
attributes:
  check_mode:
    support: full
    details: It only reads.
  diff_mode:
    support: none
    details: It only reads.
  platform:
    platforms: linux
    support: full
  idempotent:
    support: full
notes:
  - Without root it sees less, see M(kubenode.connections.node_info).
seealso:
  - module: kubenode.connections.node_info
  - module: kubenode.connections.report
author:
  - The kubenode.connections authors (@kubenode)
"""

EXAMPLES = r"""
- name: Observe
  kubenode.connections.observe:
  become: true
  register: __observed

- name: Plan for all hosts of the play and print the report
  kubenode.connections.report:
    registered:
      observed: __observed
  run_once: true
"""

RETURN = r"""
node:
  description: The node as M(kubenode.connections.node_info) returns it, as JSON that is compressed (zlib), in Base64.
  returned: success
  type: str
"""
