# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test keepalive_safe: does a keepalive stay below an idle limit?"""

from __future__ import annotations

DOCUMENTATION = r"""
name: keepalive_safe
short_description: Does a TCP keepalive stay below an idle limit
version_added: 0.1.0
author: The kubenode.connections authors (@kubenode)
description:
  - True when an idle TCP connection with this keepalive is refreshed before something on the path forgets it.
  - Counted in are O(lost_probes) lost probes in a row and the kernel's timer slack, by which a timer may fire up to
    8/63 of its length late. So 71/63 of C(time) and O(lost_probes) times C(intvl) together must not exceed the limit.
  - False also where one of the three values is below 1, with which the kernel ends or floods idle connections.
positional: _input, limit
options:
  _input:
    description:
      - The keepalive, a mapping of C(time), C(intvl) and C(probes). Further keys are ignored.
      - Whole numbers, or text of them.
    type: dict
    required: true
  limit:
    description: The idle limit in whole seconds.
    type: int
    required: true
  lost_probes:
    description: How many probes in a row may be lost, V(0) to V(126).
    type: int
    default: 2
  margin:
    description: Seconds that must be left below the limit.
    type: int
    default: 0
seealso:
  - plugin: kubenode.connections.safe_keepalive
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Stop where the kernel's own keepalive is too late for IPVS
  ansible.builtin.assert:
    that: __keepalive is kubenode.connections.keepalive_safe(900)
  vars:
    __keepalive: {time: 7200, intvl: 75, probes: 9}
  # => fails; 600, 30 and 9 would pass

- name: Show the network namespaces whose keepalive is too late behind an AWS Network Load Balancer
  ansible.builtin.debug:
    msg: >-
      {{ __observed.node.namespaces.keepalive
         | reject('kubenode.connections.keepalive_safe', 350, lost_probes=3) }}
"""

RETURN = r"""
_value:
  description: Whether the keepalive is safe below the limit.
  type: bool
"""

from collections.abc import Callable

from ansible.errors import AnsibleTemplateError

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.single_limit import is_safe_for_seconds


def keepalive_safe(keepalive: object, limit: object, **options: object) -> bool:
    try:
        return is_safe_for_seconds(plain(keepalive), plain(limit), plain(options))
    except PlanError as error:
        raise AnsibleTemplateError(f"keepalive_safe: {error}") from None  # Ansible would say the cause once more


class TestModule:
    def tests(self) -> dict[str, Callable[..., bool]]:
        return {"keepalive_safe": keepalive_safe}
