# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attributes that every module of the collection documents. Private to this collection."""


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return what a real run would change without changing it.
  diff_mode:
    description: Returns details on what has changed (or would change in C(check_mode)), when in diff mode.
  platform:
    description: Operating systems on which it works.
  idempotent:
    description: A second run with the same options changes nothing, unless the node was changed in between.
"""
