#!/usr/bin/python
# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action kubenode.connections.converge; the code is in plugins/action/converge.py."""

DOCUMENTATION = r"""
module: converge
short_description: Bring a node to its planned settings, and see that it is as planned
version_added: 0.1.0
description:
  - Runs M(kubenode.connections.node_settings) with the settings that M(kubenode.connections.report) has planned for
    the node.
  - The same execution looks at the node again. The task fails where the node is not safe under O(limit), now or after
    a reboot, or differs from its settings. The settings stay then.
  - Running pods do not make it fail. What they did not take is a finding of the report. Nor do open connections that
    could not be re-armed.
  - A node that has nothing to change is not contacted.
options:
  node:
    description: The host's own part of RV(kubenode.connections.report#module:planned.nodes).
    type: dict
    required: true
  limit:
    description:
      - The lowest idle limit that holds for the node once every node has its settings,
        RV(kubenode.connections.report#module:planned.nodes.limit).
      - Leave it out where no limit was seen.
    type: dict
  planned_at:
    description:
      - When that plan was made, RV(kubenode.connections.report#module:planned.made_at). It is returned.
      - A report takes only results of its own plan, though a second apply in the same run still has those of the first.
    type: str
extends_documentation_fragment:
  - kubenode.connections._attributes
attributes:
  check_mode:
    support: full
    details: It says what would change. The node is not looked at again, since there is no afterwards.
  diff_mode:
    support: full
    details: It shows files and live values.
  platform:
    platforms: linux
    support: full
  idempotent:
    support: full
notes:
  - It needs root on the node.
  - The files to write, how to reach kube-proxy, and the policy are taken from the host's variables C(keepalive_*), as
    the role P(kubenode.connections.keepalive#role) documents them.
seealso:
  - module: kubenode.connections.report
  - module: kubenode.connections.node_settings
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
  register: __run
  run_once: true

- name: Converge the nodes that have something to change
  kubenode.connections.converge:
    node: "{{ __run.planned.nodes[inventory_hostname] }}"
    limit: "{{ __run.planned.nodes[inventory_hostname].limit or omit }}"
    planned_at: "{{ __run.planned.made_at }}"
  become: true
  register: __converged
  when: inventory_hostname in __run.planned.to_converge
"""

RETURN = r"""
node:
  description:
    - The node afterwards as M(kubenode.connections.observe) returns it.
    - The other values are those of M(kubenode.connections.node_settings).
  returned: when the node was contacted, not in check mode
  type: str
planned_at:
  description: O(planned_at) as it was given.
  returned: when the node was contacted
  type: str
  sample: "2026-11-21T03:40:00Z"
"""
