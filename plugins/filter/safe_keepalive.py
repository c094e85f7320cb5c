# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter safe_keepalive: from an idle limit to a keepalive below it."""

from __future__ import annotations

DOCUMENTATION = r"""
name: safe_keepalive
short_description: Work out a TCP keepalive that stays below an idle limit
version_added: 0.1.0
author: The kubenode.connections authors (@kubenode)
description:
  - Takes the number of seconds after which something on the path forgets an idle TCP connection, and gives the three
    keepalive values of the kernel that keep the connection alive.
  - The result is safe. Even if O(lost_probes) probes in a row are lost and every timer fires as late as the kernel's
    timer wheel allows (8/63 of its length), a packet crosses the path before the limit.
  - The result is decided in time. A dead peer is given up before the connection is forgotten.
  - Two thirds of the limit become C(time) and a thirtieth C(intvl), with nine probes. None is above the kernel's own
    7200, 75 and 9, unless more probes may be lost. Where there is no room, C(intvl) gives way first, then C(time).
  - For a whole cluster use the filter P(kubenode.connections.plan#filter), which finds the limit itself.
positional: _input
options:
  _input:
    description: The idle limit in whole seconds, at least V(10).
    type: int
    required: true
  lost_probes:
    description: How many probes in a row may be lost while a healthy connection still survives, V(0) to V(126).
    type: int
    default: 2
  margin:
    description: Further seconds to stay below the limit, beyond what timer slack takes.
    type: int
    default: 0
  time_ceiling:
    description: The highest C(time) to give, in seconds, V(1) to V(32767).
    type: int
    default: 7200
  intvl_ceiling:
    description: The highest C(intvl) to give, in seconds, V(1) to V(32767).
    type: int
    default: 75
seealso:
  - plugin: kubenode.connections.plan
    plugin_type: filter
  - plugin: kubenode.connections.keepalive_safe
    plugin_type: test
"""

EXAMPLES = r"""
- name: The keepalive for kube-proxy's IPVS mode, which forgets after 900 seconds
  ansible.builtin.debug:
    msg: "{{ 900 | kubenode.connections.safe_keepalive }}"
  # => {"time": 600, "intvl": 30, "probes": 9}

- name: The keepalive behind an AWS Network Load Balancer, with four lost probes to survive
  ansible.builtin.debug:
    msg: "{{ 350 | kubenode.connections.safe_keepalive(lost_probes=4) }}"
  # => {"time": 233, "intvl": 11, "probes": 9}

- name: Give a pod's values to a template
  ansible.builtin.set_fact:
    pod_sysctls:
      - name: net.ipv4.tcp_keepalive_time
        value: "{{ __keepalive.time | string }}"
      - name: net.ipv4.tcp_keepalive_intvl
        value: "{{ __keepalive.intvl | string }}"
      - name: net.ipv4.tcp_keepalive_probes
        value: "{{ __keepalive.probes | string }}"
  vars:
    __keepalive: "{{ 900 | kubenode.connections.safe_keepalive }}"
"""

RETURN = r"""
_value:
  description: The keepalive.
  type: dict
  sample: {"time": 600, "intvl": 30, "probes": 9}
  contains:
    time:
      description: Seconds without traffic before the first probe, C(net.ipv4.tcp_keepalive_time).
      type: int
    intvl:
      description: Seconds between unanswered probes, C(net.ipv4.tcp_keepalive_intvl).
      type: int
    probes:
      description: Unanswered probes after which the kernel gives up, C(net.ipv4.tcp_keepalive_probes).
      type: int
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._limits.single_limit import derive_for_seconds


def safe_keepalive(limit: object, **options: object) -> dict[str, int]:
    try:
        return derive_for_seconds(plain(limit), plain(options)).as_dict()
    except PlanError as error:
        raise AnsibleFilterError(f"safe_keepalive: {error}") from None  # Ansible would say the cause once more


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"safe_keepalive": safe_keepalive}
