#!/usr/bin/python
# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the action check_variables; the code is in plugins/action/check_variables.py."""

DOCUMENTATION = r"""
module: check_variables
short_description: Refuse wrong variables before anything is observed
version_added: 0.1.0
description:
  - Reads the variables C(keepalive_*) of every host of the play and fails in one sentence where one of them is wrong.
  - A name that the collection does not know is an error that suggests the nearest one.
  - A value that is not understood is an error that names the hosts that have it.
  - Values that differ between hosts are an error where a run can have only one. The message names each value and its
    hosts. Which may differ is said at P(kubenode.connections.plan#filter).
  - It contacts no node.
extends_documentation_fragment:
  - kubenode.connections._attributes
attributes:
  check_mode:
    support: full
    details: It does the same in check mode.
  diff_mode:
    support: none
    details: It changes nothing.
  platform:
    platforms: all
    support: full
    details: It runs on the controller.
  idempotent:
    support: full
notes:
  - It checks all hosts at once, so use C(run_once).
  - The role P(kubenode.connections.keepalive#role) runs it first.
  - Other roles have it refuse misspelt names of their own.
seealso:
  - module: kubenode.connections.report
author:
  - The kubenode.connections authors (@kubenode)
"""

EXAMPLES = r"""
- name: Stop at a wrong variable of any host
  kubenode.connections.check_variables:
  run_once: true
"""

RETURN = r"""
"""
