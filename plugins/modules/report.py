#!/usr/bin/python
# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action kubenode.connections.report; the code is in plugins/action/report.py."""

DOCUMENTATION = r"""
module: report
short_description: Print what was seen, who is at risk, and what would change
version_added: 0.1.0
description:
  - Prints a plan as plain lines where the playbook runs. For each node it says what was seen, the idle limit and whose
    it is, whether the node is safe and by how many seconds with the arithmetic in words, what would change and why.
  - Findings follow, each once with all nodes it is true of, and what to run next.
  - Control characters and escape sequences in what nodes returned are made visible instead of sent to the terminal.
options:
  plan:
    description: The plan, as the filter P(kubenode.connections.plan#filter) returned it.
    type: dict
    required: true
  nodes:
    description: The nodes that the plan was made from, by their names.
    type: dict
    required: true
extends_documentation_fragment:
  - kubenode.connections._attributes
attributes:
  check_mode:
    support: full
    details: It only prints.
  diff_mode:
    support: none
    details: It only prints.
  platform:
    platforms: all
    support: full
    details: It runs on the controller.
  idempotent:
    support: full
    details: It only prints.
notes:
  - The plan is made for the whole play, so use C(run_once).
seealso:
  - plugin: kubenode.connections.plan
    plugin_type: filter
author:
  - The kubenode.connections authors (@kubenode)
"""

EXAMPLES = r"""
- name: Print the audit
  kubenode.connections.report:
    plan: "{{ __nodes | kubenode.connections.plan }}"
    nodes: "{{ __nodes }}"
  run_once: true
"""

RETURN = r"""
lines:
  description: The lines that were printed.
  returned: success
  type: list
  elements: str
verdict:
  description: The worst verdict of any node, V(safe), V(unsafe) or V(unknown).
  returned: success
  type: str
  sample: unsafe
"""
