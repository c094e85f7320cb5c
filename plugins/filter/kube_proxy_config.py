# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter kube_proxy_config: single fields of kube-proxy's configuration, changed in its text."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kube_proxy_config
short_description: Change single fields in the text of kube-proxy's configuration
version_added: 0.1.0
author: The kubenode.connections authors (@kubenode)
description:
  - Takes the text of a C(KubeProxyConfiguration), as in a file or in the ConfigMap C(kube-system/kube-proxy), and gives
    it back with the timeouts and limits that are wished. Comments, order, quotes and every other line stay as they are.
  - A field that means the same to kube-proxy already is left alone, however it is written. C(15m0s) is 900 seconds, and
    a field that is not set has kube-proxy's default.
  - Before anything is given back, the new text is read again and compared. It differs in exactly these fields.
  - Text that is written in a way in which one field cannot be changed on its own is an error that says the line and
    what to set by hand. So are several documents, anchors, merged mappings, names that are there twice, and any
    C(apiVersion) but C(kubeproxy.config.k8s.io/v1alpha1).
  - The role P(kubenode.connections.kube_proxy#role) uses it.
positional: _input
options:
  _input:
    description: The text of the configuration.
    type: str
    required: true
  name:
    description: What the text is called in errors and in the record of originals, for example its path.
    type: str
    required: true
  state:
    description:
      - V(present) sets the fields that O(ipvs_timeouts) and O(conntrack) name. The other fields of an option that is
        given get back what the record of originals says was there before.
      - V(absent) gives all fields back.
      - A field that somebody else has changed since is never given back.
    type: str
    choices: [present, absent]
    default: present
  ipvs_timeouts:
    description:
      - C(ipvs.tcpTimeout), C(ipvs.tcpFinTimeout) and C(ipvs.udpTimeout) in seconds, any of C(tcp), C(tcpfin), C(udp).
      - With V(0) kube-proxy leaves the node's own value alone.
      - V({}) gives these fields back. Where the option is not given they stay as they are.
    type: dict
  conntrack:
    description:
      - Fields of C(conntrack), any of C(tcp_established), C(tcp_close_wait), C(udp) and C(udp_stream) in seconds,
        C(be_liberal) as a boolean, C(max_per_core) and C(min) as numbers.
      - With V(0) kube-proxy leaves the node's own value alone.
      - V({}) gives these fields back. Where the option is not given they stay as they are.
    type: dict
  originals:
    description: The record that an earlier call returned as RV(_value.originals), empty where there is none.
    type: str
    default: ''
seealso:
  - name: A value set with sysctl or ipvsadm comes back
    description: When kube-proxy's own configuration is the place to change, and how the role does it.
    link: https://github.com/kubenode/connections/blob/main/docs/kube-proxy.md
"""

EXAMPLES = r"""
- name: Show what a configuration would become
  ansible.builtin.debug:
    msg: "{{ __edited.changes }}"
  vars:
    __edited: >-
      {{ lookup('ansible.builtin.file', 'config.conf')
         | kubenode.connections.kube_proxy_config(name='config.conf', ipvs_timeouts={'tcp': 8284}) }}
"""

RETURN = r"""
_value:
  description: The new text and what is to know of it.
  type: dict
  contains:
    text:
      description: The new text.
      type: str
    changes:
      description: A sentence for each field that differs from the text before.
      type: list
      elements: str
      sample: ["ipvs.tcpTimeout: 0s -> 8284s"]
    kept:
      description: A sentence for each field that was not given back, because somebody else has changed it since.
      type: list
      elements: str
    originals_ahead:
      description:
        - The record to keep before the new text is written, in JSON. It still has what the text gives back.
      type: str
    originals:
      description:
        - The record to keep for the next call, in JSON, once the new text is written. Empty where there is nothing to
          give back.
      type: str
    ipvs_timeouts:
      description: The wished IPVS timeouts as numbers.
      type: dict
    conntrack:
      description: The wished fields of conntrack as numbers and booleans.
      type: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._kube_proxy.edit import edit

try:
    from ansible.utils.unsafe_proxy import wrap_var
except ImportError:
    # The mark that keeps a node's text from being templated is needed up to ansible-core 2.18 only.
    def wrap_var(v: Any) -> Any:
        return v


def kube_proxy_config(text: object, **options: object) -> Any:
    try:
        edited = edit(plain(text), plain(options))
    except PlanError as error:
        raise AnsibleFilterError(f"kube_proxy_config: {error}") from None  # YAML errors quote the text
    return wrap_var(edited)  # type: ignore[no-untyped-call]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kube_proxy_config": kube_proxy_config}
