#!/usr/bin/python
# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible module node_info: reads what decides over idle TCP connections on a node."""

DOCUMENTATION = r"""
module: node_info
short_description: Read what decides over idle TCP connections on a Kubernetes node
version_added: 0.1.0
description:
  - Reads in one execution everything that decides how long an idle TCP connection lives on a node. That is the
    kernel's TCP keepalive, IPVS, connection tracking, kube-proxy and the files that set kernel values at boot.
  - It changes nothing and loads no kernel module. Where C(ip_vs) is not loaded, neither C(ipvsadm) nor the IPVS netlink
    family is asked, because asking them would load it.
  - What cannot be read is never silently left out, see RV(node.problems). "Not there" is not "not readable".
  - The result is the input of the filter P(kubenode.connections.plan#filter).
options:
  kube_proxy_address:
    description:
      - Where kube-proxy serves its metrics, as IP address and port. C(/proxyMode) and C(/configz) are asked there.
      - When not given, it is taken from the running kube-proxy, that is from V(metricsBindAddress) in the file of its
        C(--config), else from C(--metrics-bind-address). Where no kube-proxy is found, V(127.0.0.1:10249) is asked.
      - V(0.0.0.0) and V([::]) mean loopback.
    type: str
  kube_proxy_timeout:
    description: How many seconds kube-proxy may take for all its answers together.
    type: float
    default: 3
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
    details: It only reads.
notes:
  - Without root the IPVS timeouts and the keepalive of other network namespaces cannot be read. The module then
    returns the rest, and says so in RV(node.problems).
  - Values are those of the network namespace that the module runs in. Run it on the node itself, not in a pod.
seealso:
  - plugin: kubenode.connections.plan
    plugin_type: filter
  - module: kubenode.connections.node_settings
author:
  - The kubenode.connections authors (@kubenode)
"""

EXAMPLES = r"""
- name: Read the node
  kubenode.connections.node_info:
  become: true
  register: __observed

- name: Show who forgets an idle connection first
  ansible.builtin.debug:
    msg: >-
      IPVS forgets after {{ __observed.node.ipvs.timeouts.tcp }} s,
      keepalive starts after {{ __observed.node.sysctls['net.ipv4.tcp_keepalive_time'].value }} s
  when: __observed.node.ipvs.timeouts is not none

- name: Stop where keepalive would be lost at the next boot
  ansible.builtin.assert:
    that: __key.boot.value == __key.value and __key.boot.in_time
    fail_msg: >-
      It is {{ __key.value }} now and {{ __key.boot.value | default('the kernel default', true) }} after a reboot
      ({{ __key.boot.file | default('no file sets it', true) }})
  vars:
    __key: "{{ __observed.node.sysctls['net.ipv4.tcp_keepalive_time'] }}"

- name: Read a node whose kube-proxy serves its metrics elsewhere
  kubenode.connections.node_info:
    kube_proxy_address: 10.0.0.7:10249
    kube_proxy_timeout: 1.5
  become: true
  register: __observed
"""

RETURN = r"""
node:
  description: What was read.
  returned: always
  type: dict
  contains:
    hostname:
      description: The node's name for itself.
      type: str
      sample: worker1
    kernel:
      description: The release of the running kernel.
      type: str
      sample: 6.1.0-56-cloud-amd64
    root:
      description: Whether the module ran as root.
      type: bool
      sample: true
    container:
      description: The container manager that the module ran in, as systemd names it; V(null) outside of containers.
      type: str
      sample: podman
    modules:
      description: The kernel modules C(br_netfilter), C(ip_vs) and C(nf_conntrack), by name.
      type: dict
      sample: {ip_vs: {loaded: true, builtin: false, boot: {file: /etc/modules-load.d/k8s.conf, line: 2}}}
      contains:
        ip_vs:
          description: One module; the others look alike.
          type: dict
          contains:
            loaded:
              description: Whether its function is there, as a loaded module or built into the kernel.
              type: bool
              sample: true
            builtin:
              description: Whether it is built into the running kernel.
              type: bool
              sample: false
            boot:
              description:
                - The line that loads it at boot, itself or a module that needs it. V(null) when there is none.
              type: dict
              sample: {file: /etc/modules-load.d/k8s.conf, line: 2}
    ipvs:
      description: IPVS in this network namespace.
      type: dict
      contains:
        loaded:
          description: Whether the kernel has IPVS now.
          type: bool
          sample: true
        timeouts:
          description: After how many idle seconds IPVS forgets a connection. V(null) when that cannot be read.
          type: dict
          sample: {tcp: 900, tcpfin: 120, udp: 300}
        timeouts_from:
          description: The way the timeouts were read, V(socket option) or V(ipvsadm); V(null) when neither worked.
          type: str
          sample: socket option
        timeouts_at_boot:
          description:
            - The timeouts that the unit of M(kubenode.connections.node_settings) sets again after a reboot.
            - V(null) without that unit. The kernel then starts with 900, 120 and 300.
          type: dict
          sample: {tcp: 8284}
        services:
          description: The virtual services with their real servers. C(flags) is as the kernel prints it.
          type: list
          elements: dict
          sample:
            - protocol: TCP
              address: 10.96.0.10
              port: 80
              fwmark:
              scheduler: rr
              flags: ""
              real_servers: [{address: 10.3.0.2, port: 8080, forward: Masq, weight: 1, active: 2, inactive: 0}]
        connections:
          description: How many connections there are, by protocol and state.
          type: dict
          sample: {TCP: {ESTABLISHED: 4, TIME_WAIT: 1}, UDP: {UDP: 1}}
    conntrack:
      description: Connection tracking in this network namespace.
      type: dict
      contains:
        loaded:
          description: Whether the kernel has connection tracking now.
          type: bool
          sample: true
        count:
          description: The number of tracked connections.
          type: int
          sample: 318
        max:
          description: The highest number of tracked connections.
          type: int
          sample: 262144
        be_liberal:
          description: The value of C(net.netfilter.nf_conntrack_tcp_be_liberal).
          type: int
          sample: 0
        timeouts:
          description: Idle seconds by TCP state, and V(udp) and V(udp_stream).
          type: dict
          sample: {established: 86400, close_wait: 3600, udp: 30, udp_stream: 120}
        statistics:
          description: The kernel's counters for each CPU; which ones there are depends on the kernel.
          type: list
          elements: dict
          sample: [{cpu: 0, entries: 318, found: 0, invalid: 12, insert_failed: 0, drop: 0, early_drop: 0}]
    sysctls:
      description:
        - Every kernel setting that the collection reads, by its dotted name.
        - C(state) is V(present), V(absent) (this kernel does not have it now) or V(unreadable), and C(error) says why.
          C(value) is the live value as text, white space folded to single blanks.
        - C(boot.value) is what C(systemd-sysctl), or C(sysctl --system) where that is not installed, sets at boot,
          C(boot.file) and C(boot.line) decide it. V(null) where no file does, so that the kernel's default comes back.
        - C(boot.procps_value) is what C(sysctl --system) sets, where it differs.
        - C(boot.module) is the kernel module without which the setting does not exist. C(boot.in_time) tells whether it
          is there before C(systemd-sysctl) runs, built in or loaded at boot.
      type: dict
      sample:
        net.ipv4.tcp_keepalive_time:
          state: present
          value: "600"
          error:
          boot: {value: "600", file: /etc/sysctl.d/k8s.conf, line: 3, procps_value: null, module: null, in_time: true}
    boot_problems:
      description: Lines in C(sysctl.d) and C(modules-load.d) that nobody can use, 20 at most. Line 0 is the whole file.
      type: list
      elements: dict
      sample: [{file: /etc/sysctl.d/99-local.conf, line: 7, what: the line has no =}]
    kube_proxy:
      description: kube-proxy as it describes itself.
      type: dict
      contains:
        running:
          description: Whether a process of that name is visible or the metrics address answers as kube-proxy.
          type: bool
          sample: true
        pid:
          description: Its process ID.
          type: int
          sample: 2718
        address:
          description: The address that was asked.
          type: str
          sample: 127.0.0.1:10249
        mode:
          description: Its proxy mode, such as V(ipvs), V(iptables) or V(nftables).
          type: str
          sample: ipvs
        config:
          description: Its configuration as it serves it; the spelling of the names depends on its version.
          type: dict
          sample: {Mode: ipvs, IPVS: {TCPTimeout: 0s, TCPFinTimeout: 0s, UDPTimeout: 0s}}
        ipvs_timeouts:
          description: The IPVS timeouts in seconds that it sets when it starts; V(0) leaves the present one alone.
          type: dict
          sample: {tcp: 0, tcpfin: 0, udp: 0}
        conntrack:
          description: The conntrack settings that it makes when it starts, timeouts in seconds.
          type: dict
          sample: {tcp_established: 86400, tcp_close_wait: 3600, max_per_core: 32768, min: 131072, be_liberal: false}
        error:
          description: What went wrong when it was asked.
          type: str
          sample: "kube-proxy at 127.0.0.1:10249: /proxyMode is not answered in time."
    kubelet:
      description:
        - kubelet and its HTTP/2 health check, which notices a connection to the API server whose other end is gone.
        - V(null) where no kubelet runs or something could not be read. A kubelet within another process, as in K3s, is
          not seen.
      type: dict
      contains:
        running:
          description: Whether a process named kubelet, or hyperkube as kubelet, is visible.
          type: bool
          sample: true
        pid:
          description: Its process ID.
          type: int
          sample: 1024
        version:
          description:
            - What the program of the running process says to C(--version).
            - It is asked only where it belongs to the node and nobody but root can write it.
          type: str
          sample: v1.34.2
        disable_http2:
          description: Whether C(DISABLE_HTTP2) is set in its running environment, which turns off the health check too.
          type: bool
          sample: false
        read_idle_timeout:
          description:
            - After how many silent seconds it asks the other end, by C(HTTP2_READ_IDLE_TIMEOUT_SECONDS) of its running
              environment. The default is V(30); V(0) turns the health check off.
          type: int
          sample: 30
        ping_timeout:
          description: How many seconds it then waits, by C(HTTP2_PING_TIMEOUT_SECONDS). The default is V(15).
          type: int
          sample: 15
        error:
          description: What could not be read, and why.
          type: str
          sample: "kubelet's environment: /proc/1024/environ: Permission denied."
    namespaces:
      description: The network namespaces of the node, this one included.
      type: dict
      contains:
        count:
          description: How many were seen.
          type: int
          sample: 31
        unreadable:
          description: How many could not be entered, and processes whose namespace could not be told.
          type: int
          sample: 0
        error:
          description: Why, for the first of them.
          type: str
          sample: "/proc/1/ns/net: Permission denied"
        keepalive:
          description: The TCP keepalive in them, equal ones together; C(own) marks that of this namespace.
          type: list
          elements: dict
          sample:
            - {time: 7200, intvl: 75, probes: 9, namespaces: 30, own: false}
            - {time: 600, intvl: 30, probes: 9, namespaces: 1, own: true}
    problems:
      description: Everything that could not be read, why, and what to do.
      type: list
      elements: dict
      sample:
        - what: IPVS timeouts
          why: "IPVS timeouts: not read, the socket option answers Operation not permitted."
          do: "Run as root (become: true)."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubenode.connections.plugins.module_utils._node import read_node


def main() -> None:
    """Read the node and return it."""
    module = AnsibleModule(
        argument_spec={
            "kube_proxy_address": {"type": "str"},
            "kube_proxy_timeout": {"type": "float", "default": 3},
        },
        supports_check_mode=True,
    )
    seconds = module.params["kube_proxy_timeout"]
    if not 0 < seconds <= 60:
        module.fail_json(
            msg=f"kube_proxy_timeout: {seconds:g} is not between 0 and 60 seconds. Give a time in that range."
        )
    node = read_node(module.params["kube_proxy_address"], seconds)
    module.exit_json(changed=False, node=node)


if __name__ == "__main__":
    main()
