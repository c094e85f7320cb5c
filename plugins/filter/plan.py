# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filter plan: from observed nodes and a policy to the limit, the keepalive, and each node's settings."""

from __future__ import annotations

DOCUMENTATION = r"""
name: plan
short_description: Plan one TCP keepalive for all nodes, and the settings of each
version_added: 0.1.0
author: The kubenode.connections authors (@kubenode)
description:
  - Takes what M(kubenode.connections.node_info) saw on each node of a play. Finds the idle limits that are really on
    the path, works out a keepalive that stays below the lowest, and gives each node's settings with their reasons.
  - One plan is made for all nodes, because a connection crosses several and the lowest limit of any of them decides.
  - The same input gives the same plan. Nothing runs on a node.
  - IPVS counts where it handles connections, that is in kube-proxy's ipvs mode or where there are virtual services.
    What kube-proxy's configuration sets again at its next start counts too, and connection tracking where it is loaded.
  - Limits that could not be read are listed in RV(_value.not_seen). A node with such a limit is never V(safe).
  - So are limits that a node shows and that make no sense, less than 10 seconds or more than any kernel takes. Such a
    node has a finding, and the others are planned without that limit.
  - A node that is safe now and after a reboot gets empty settings. Values that the user set are never changed. Unsafe
    ones are an error that shows the sum.
positional: _input, policy, own
options:
  _input:
    description:
      - A mapping of node names to what M(kubenode.connections.node_info) returned as C(node).
      - An empty mapping or V(none) stands for a node that could not be observed. A mapping of V(not_observed) and the
        reason does, too, and the reason is told.
      - A host that was observed and has no kubelet, no kube-proxy, no container runtime and no IPVS service is no node
        of a cluster. It is not planned for, see RV(_value.other_hosts). Where no host is a node, all of them count.
    type: dict
    required: true
  policy:
    description:
      - What is wanted, by the names below. Unset names take their defaults, unknown names are an error.
      - The role P(kubenode.connections.keepalive#role) has each of them as a variable C(keepalive_<name>).
      - This filter takes one policy for all nodes. In the role nodes may differ in O(policy.bridge_nf_call),
        O(policy.be_liberal), O(policy.conn_reuse_mode), O(policy.expire_nodest_conn),
        O(policy.expire_quiescent_template), O(policy.sloppy_tcp), O(policy.rps), O(policy.rps_exclude_irq_cpus),
        O(policy.rps_sock_flow_entries), O(policy.sysctls), O(policy.namespace_ipvs_timeouts), O(policy.enforce),
        O(policy.enforce_exclude_ports), O(policy.enforce_exclude_cgroups), O(policy.open_connections),
        O(policy.sysctl_file) and O(policy.modules_file). They say
        nothing about other nodes. All others have one value for the whole plan.
    type: dict
    default: {}
    suboptions:
      profile:
        description:
          - V(derived) works the values out. V(article) takes exactly 600/30/10 and the bridge keys, as if the user had
            set them.
        type: str
        choices: [derived, article]
        default: derived
      strategy:
        description:
          - V(lower_keepalive) brings keepalive below the limits.
          - V(raise_ipvs) leaves the keepalive that is in use and raises the IPVS tcp timeout above it.
        type: str
        choices: [lower_keepalive, raise_ipvs]
        default: lower_keepalive
      lost_probes:
        description: How many probes in a row may be lost while a healthy connection still survives, V(0) to V(126).
        type: int
        default: 2
      margin:
        description: Further seconds to stay below the limit, beyond what timer slack takes.
        type: int
        default: 0
      time:
        description: Your own keepalive time in seconds, V(1) to V(32767).
        type: int
      intvl:
        description: Your own keepalive interval in seconds, V(1) to V(32767).
        type: int
      probes:
        description: Your own number of probes, V(1) to V(127).
        type: int
      time_ceiling:
        description: The highest time to work out, in seconds.
        type: int
        default: 7200
      intvl_ceiling:
        description: The highest interval to work out, in seconds.
        type: int
        default: 75
      middleboxes:
        description:
          - What else on the path forgets idle connections; no node can see it. Each is a mapping of C(name) and
            C(seconds), or one of these names, with the vendor's default in seconds and what it can be set to. Names may
            be text with commas.
          - AWS has V(aws_nlb) 350 (60 to 6000), V(aws_nlb_tls) 350 (fixed), V(aws_gwlb) 350 (60 to 6000),
            V(aws_nat_gateway) 350 (fixed), V(aws_vpc_endpoint) 350 (fixed), V(aws_network_firewall) 350 (60 to 6000),
            V(aws_security_group) 432000 (60 to 432000), V(aws_security_group_nitro_v6) 350 (60 to 432000), V(aws_alb)
            60 (proxy), V(aws_clb) 60 (proxy).
          - Azure has V(azure_lb) 240 (240 to 6000), V(azure_outbound) 240 (240 to 6000), V(azure_aks_outbound) 1800
            (240 to 7200), V(azure_nat_gateway) 240 (240 to 7200), V(azure_firewall) 240 (240 to 900).
          - Google Cloud has V(gcp_firewall) 600 (fixed), V(gcp_cloud_nat) 1200 (settable), V(gcp_psc) 1200 (fixed),
            V(gcp_internal_nlb) 600 (settable).
          - Others have V(alibaba_security_group) 910 (30 to 910), V(alibaba_clb) 900 (10 to 900), V(alibaba_nlb) 900
            (1 to 900), V(alibaba_alb) 15 (proxy), V(tencent_clb) 900 (10 to 3600), V(tencent_gwlb) 350 (60 to 6000),
            V(huawei_elb) 300 (10 to 4000), V(oci_nlb) 360 (settable), V(oci_lb) 300 (proxy),
            V(ibm_public_gateway) 240 (fixed), V(ucloud_clb_proxy) 60 (proxy), V(openstack_octavia) 50 (proxy).
          - Appliances and programs are V(cisco_asa) 3600 (300 to 4294800), V(fortigate) 3600 (300 to 604800),
            V(palo_alto) 3600 (settable), V(pfsense) 86400 (settable), V(opnsense) 86400 (settable), V(mikrotik) 86400
            (settable), V(haproxy) 50 (proxy), V(nginx_stream) 600 (proxy), V(envoy) 3600 (proxy), V(istio) 3600
            (proxy).
          - A proxy ends TCP itself and counts payload alone. It is no limit for keepalive; a finding says what helps.
          - V(aws_security_group_nitro_v6) and V(alibaba_security_group) are limits without being named where a node's
            firmware says that it is such an instance. Give it with C(seconds) where yours is set otherwise.
          - V(cilium) 8000 (settable, 21600 in releases before cilium#27665), V(calico_ebpf) 3600 (settable), by their
            sources. They forward Services on the node itself, where its kernel's own tables say nothing of them.
          - Without one of these two or a name of your own, a node where kubelet runs, or pods, and nothing that is
            known to forward Services is V(unknown).
          - Where yours is set to something else, give its name with your C(seconds). They have to be in its range.
          - Any other name with C(seconds) is taken for a device that counts every packet, so that probes refresh it.
            Give C(proxy) V(true) with it where it ends TCP.
        type: list
        elements: raw
        default: []
      bridge_nf_call:
        description:
          - Whether C(net.bridge.bridge-nf-call-iptables) and C(net.bridge.bridge-nf-call-ip6tables) are set to 1.
          - V(auto) does so where a node gets other sysctls and has C(br_netfilter) now or at boot, and always with
            O(policy.profile=article).
        type: str
        choices: [auto, always, never]
        default: auto
      be_liberal:
        description:
          - Whether C(net.netfilter.nf_conntrack_tcp_be_liberal) is 1, on nodes with C(nf_conntrack) now or at boot.
          - Unset leaves it alone.
        type: bool
      dead_peer_seconds:
        description:
          - After how many seconds at most unanswered data ends a connection, V(8) to V(1054).
          - C(net.ipv4.tcp_retries2) gets the largest value that is surely soon enough with the round-trip times seen on
            the node. Unset leaves it alone.
        type: int
      conn_reuse_mode:
        description:
          - The value of C(net.ipv4.vs.conn_reuse_mode), on nodes with C(ip_vs) now or at boot.
          - V(auto) sets 1 where it is not, on kernels from 5.9 on, to which kube-proxy does not write 0.
        type: str
        choices: [leave, auto, '0', '1']
        default: leave
      expire_nodest_conn:
        description:
          - Whether C(net.ipv4.vs.expire_nodest_conn) is 1, on nodes with C(ip_vs) now or at boot.
          - Unset leaves it alone. kube-proxy in ipvs mode sets 1 at every start.
        type: bool
      expire_quiescent_template:
        description:
          - Whether C(net.ipv4.vs.expire_quiescent_template) is 1, on nodes with C(ip_vs) now or at boot.
          - Unset leaves it alone. kube-proxy in ipvs mode sets 1 at every start.
        type: bool
      sloppy_tcp:
        description:
          - Whether C(net.ipv4.vs.sloppy_tcp) is 1, on nodes with C(ip_vs) now or at boot. Unset leaves it alone.
        type: bool
      rps:
        description:
          - Receive Packet Steering by the CPUs of the NIC's NUMA node, without isolated ones. V(leave) sets none, and
            gives back what an earlier run has set.
          - V(auto) sets it on NICs with fewer receive queues than such CPUs, V(always) on every NIC. Where no NIC gets
            it, none is set for NICs that appear later either.
        type: str
        choices: [leave, auto, always]
        default: leave
      rps_exclude_irq_cpus:
        description:
          - Whether the CPUs that the receive interrupts of a NIC go to are left out for it, unless none would be left.
        type: bool
        default: false
      rps_sock_flow_entries:
        description:
          - The value of C(net.core.rps_sock_flow_entries) with O(policy.rps), V(0) or a power of two. The receive
            queues of a NIC share it.
        type: int
        default: 32768
      sysctls:
        description:
          - Further sysctls and their values, for every node. The kernel modules they need are added.
          - Text such as C(vm.swappiness=10,net.core.somaxconn=1024) is taken, too.
        type: dict
        default: {}
      ipvs_timeouts:
        description:
          - IPVS timeouts in seconds, any of C(tcp), C(tcpfin) and C(udp), for nodes with IPVS on the path.
          - Text such as C(tcp=900,udp=300) is taken, too.
        type: dict
        default: {}
      namespace_ipvs_timeouts:
        description:
          - The same in other network namespaces, by the name of each or of its container. Names are as
            O(kubenode.connections.ipvs_timeouts#module:namespace) takes them.
        type: dict
        default: {}
        version_added: 0.1.0
      pods:
        description:
          - Whether running pods with the kernel's own keepalive get the planned one where theirs is too late, and
            whether the keepalive of pods counts for RV(_value.nodes.verdict).
        type: bool
        default: true
      containers:
        description: The same as O(policy.pods) for containers outside of pods, such as Docker's.
        type: bool
        default: true
        version_added: 0.1.0
      enforce:
        description:
          - Whether the kernel of a node gives the planned keepalive to every new TCP connection, of all of its
            processes and pods, and turns C(SO_KEEPALIVE) on for it.
          - A node that cannot do it is planned as without, with a finding that says why. With V(false) what an earlier
            run has attached is given back.
        type: bool
        default: false
        version_added: 0.1.0
      enforce_exclude_ports:
        description:
          - TCP ports, local or remote, whose connections O(policy.enforce) leaves alone.
        type: list
        elements: int
        default: []
        version_added: 0.1.0
      enforce_exclude_cgroups:
        description:
          - Control groups whose connections O(policy.enforce) leaves alone, as paths below the root of cgroup v2. An
            example is C(/system.slice/sshd.service).
        type: list
        elements: str
        default: []
        version_added: 0.1.0
      open_connections:
        description:
          - Which of the connections that are open and at risk get the planned keepalive in place, without a restart.
          - V(rearm) takes those that have C(SO_KEEPALIVE) and follow the keepalive of their network namespace. V(all)
            takes also those without C(SO_KEEPALIVE), V(never) none.
        type: str
        choices: [rearm, all, never]
        default: rearm
        version_added: 0.1.0
      sysctl_file:
        description: The file that the settings will be written to. What it sets already stays in the settings.
        type: path
        default: /etc/sysctl.d/k8s.conf
      modules_file:
        description:
          - The file that names the kernel modules to load at boot. What it names already stays in the settings of a
            node that needs modules.
        type: path
        default: /etc/modules-load.d/k8s.conf
  own:
    description:
      - What single nodes want otherwise, by their names; each a mapping as O(policy) is.
      - Only what says nothing about other nodes may differ. Anything else is an error that shows the values.
    type: dict
    default: {}
    version_added: 0.1.0
notes:
  - Node data is never evaluated as a template.
seealso:
  - module: kubenode.connections.node_info
  - module: kubenode.connections.node_settings
  - module: kubenode.connections.report
  - plugin: kubenode.connections.safe_keepalive
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Observe every node
  kubenode.connections.node_info:
  become: true
  register: __observed

- name: Plan once for the whole play, with a load balancer that forgets after 350 seconds
  ansible.builtin.set_fact:
    __plan: >-
      {{ dict(ansible_play_hosts_all
         | zip(ansible_play_hosts_all | map('extract', hostvars) | map(attribute='__observed.node', default={})))
         | kubenode.connections.plan({'middleboxes': ['aws_nlb']}) }}
  run_once: true

- name: Show the keepalive and why
  ansible.builtin.debug:
    msg: "{{ __plan.keepalive }}, {{ __plan.reasons.time }}"
  run_once: true

- name: Bring each node to its settings
  kubenode.connections.node_settings:
    # Empty means that the plan has no wish; given to the module it would give back what an earlier run has set.
    modules: "{{ __settings.modules or omit }}"
    sysctls: "{{ __settings.sysctls or omit }}"
    ipvs_timeouts: "{{ __settings.ipvs_timeouts or omit }}"
    ipvs_timeouts_persistent: "{{ __settings.ipvs_timeouts_persistent }}"
    rps: "{{ omit if __settings.rps is none else __settings.rps }}"
    pods: "{{ __settings.pods or omit }}"
    containers: "{{ __settings.containers or omit }}"
    namespace_ipvs_timeouts: "{{ __settings.namespace_ipvs_timeouts or omit }}"
    # These two are there only where something is to be done.
    enforce: "{{ __settings.enforce | default(omit) }}"
    open_connections: "{{ __settings.open_connections | default(omit) }}"
  become: true
  when: inventory_hostname in __plan.nodes
  vars:
    __settings: "{{ __plan.nodes[inventory_hostname].settings }}"
"""

RETURN = r"""
_value:
  description: The plan.
  type: dict
  contains:
    limit:
      description: The lowest idle limit that is there now, none where none was seen.
      type: dict
      sample: {"seconds": 900, "name": "IPVS tcp", "node": "worker1"}
    planned_limit:
      description: The lowest idle limit once the settings are in force. It differs where they raise an IPVS timeout.
      type: dict
      sample: {"seconds": 900, "name": "IPVS tcp", "node": "worker1"}
    limits:
      description: All idle limits, ascending, with C(node) none for a middlebox.
      type: list
      elements: dict
    not_seen:
      description:
        - Limits that may be there and could not be read, or make no sense, each with C(node), C(name) and C(why).
      type: list
      elements: dict
    left_out:
      description:
        - The hosts of the play that were left out (C(--limit)), and what is known of their limits. Only the action
          M(kubenode.connections.report) knows them. Here C(hosts) is empty.
        - It has C(hosts), C(of), C(limit), C(source) and C(sentence), as the schema of the report says.
      type: dict
    other_hosts:
      description: Hosts that are no nodes of a cluster. They are not in RV(_value.nodes).
      type: list
      elements: str
      sample: [bastion]
    keepalive:
      description: The keepalive to run with, none where no limit asks for one.
      type: dict
      sample: {"time": 600, "intvl": 30, "probes": 9}
    safe:
      description: Whether that keepalive is safe below RV(_value.planned_limit).
      type: bool
    decided_in_time:
      description: Whether a dead peer is given up before RV(_value.planned_limit).
      type: bool
    verdict:
      description: The worst verdict of any node, V(safe), V(unsafe) or V(unknown).
      type: str
    policy:
      description: The policy as understood, defaults filled in. Where nodes differ, it is that of most of them.
      type: dict
    reasons:
      description: Why C(time), C(intvl), C(probes) and C(limit) are what they are.
      type: dict
      sample: {"time": "two thirds of 900 s (IPVS tcp on worker1)"}
    nodes:
      description: Each node by its name.
      type: dict
      contains:
        mode:
          description: kube-proxy's mode, V(none) where it does not run, V(unknown) where it did not say.
          type: str
        watch:
          description:
            - What the node has to know of the plan to watch itself, for the role P(kubenode.connections.guard#role).
            - Its keys may change from release to release. V(none) for a node that was not observed.
          type: dict
        plan_id:
          description: RV(kubenode.connections.node_info#module:node.ours.plan_id), by which the node was planned.
          type: str
        limits:
          description: The idle limits of this node.
          type: list
          elements: dict
        limit:
          description:
            - The lowest idle limit that holds for the node itself, of any node or middlebox. With middleboxes bound to
              hosts, pods or destinations it may be another than RV(_value.limit).
          type: dict
        planned_limit:
          description: The same once the settings are in force.
          type: dict
        holding:
          description:
            - The lowest limits that hold for all connections of the node, to C(services) and C(outside) to other
              addresses, and the middleboxes that hold for a part of them (C(bound)).
          type: dict
        servers:
          description:
            - What is known of the servers that connections of the node go to, by the service or address. Of each the
              C(keepalive) of its namespace, and C(longest_gap), the longest from a last packet to the end of the timer
              that is armed on a socket that it accepted.
            - A peer is there only where everything that accepts its connections was seen, all with C(SO_KEEPALIVE).
          type: dict
          sample: {"10.96.0.10:6379": [{"keepalive": {"time": 600, "intvl": 30, "probes": 9}, "longest_gap": 300}]}
        coverage:
          description:
            - Which places that can forget a connection were looked at (C(seen), each with C(place) and C(what)) and
              which were not (C(not_seen), each with C(place), C(name), C(why) and C(do)).
            - With one that was not, RV(_value.nodes.verdict) is never V(safe).
          type: dict
          sample:
            seen: [{"place": "ipvs", "what": "IPVS tcp 900 s"}]
            not_seen: []
        notes:
          description: What is there but not on the path, and what is set without being observed.
          type: list
          elements: str
        keepalive:
          description: The keepalive that is in force in the node's own network namespace.
          type: dict
        verdict:
          description:
            - V(safe), V(unsafe) or V(unknown), of that keepalive and of that of the node's pods below RV(_value.limit).
            - It is about what is opened from now on, which settings decide. Connections that are open already do not
              count, since no sysctl reaches those without C(SO_KEEPALIVE) and those whose timer is armed.
            - Pods whose new connections get their keepalive from the kernel, by O(policy.enforce), are safe by that.
            - With O(policy.pods=false) pods do not count either.
          type: str
        own_verdict:
          description: The same without the node's pods.
          type: str
        own_why:
          description: The arithmetic of RV(_value.nodes.own_verdict) in words.
          type: str
        why:
          description: The arithmetic of the verdict in words.
          type: str
        summary:
          description: The verdict and its arithmetic as a sentence.
          type: str
          sample: >-
            worker1 is unsafe: 7200 + 2 x 75 = 7350 s, with timer slack 8284 s, is 7384 s beyond 900 s (IPVS tcp on
            worker1).
        spare_seconds:
          description: Seconds between the last probe that counts and the limit. Negative is too late by so many.
          type: int
        namespaces_unsafe:
          description: How many other network namespaces have a keepalive that is too late, those of pods among them.
          type: int
        pods:
          description: The pods of the node and their open connections. V(none) where nobody looked for them.
          type: dict
          contains:
            count:
              description: How many pods with a network namespace of their own there are.
              type: int
            verdict:
              description:
                - The worst of their keepalive and of their open connections to services.
                - V(unknown) where a namespace or a limit could not be read and nothing worse was seen. A namespace
                  that could not be read may be a pod's, so the node's own verdict is V(unknown), too.
              type: str
            at_risk:
              description:
                - The namespaces with a late keepalive or connections at risk, the worst first, 50 at most.
                - Each has C(kind) (V(pod), V(node) or V(other)), C(label), C(why), C(keepalive), C(own_values) (others
                  than the kernel's), C(verdict) of its keepalive, and the counts of RV(_value.nodes.pods.connections).
              type: list
              elements: dict
            at_risk_more:
              description: How many more there are.
              type: int
            connections:
              description:
                - Established connections to services, each counted once. C(without_keepalive) lack C(SO_KEEPALIVE), and
                  C(late) have a keepalive timer that ends after the limit.
                - C(undecided) cannot be told now. Data is under way, or the timer ends in time in a namespace that is
                  late, by a C(TCP_KEEPIDLE) of their own or because it is near its end. Or only what is left of the
                  timer was seen, in C(/proc/net/tcp), and the limit is within the longest timer that there may be.
                - C(kept_by_server) would be the first or the second, but the server's own probes come in time.
              type: dict
              sample: {without_keepalive: 6, late: 10, undecided: 0, safe: 31, kept_by_server: 4}
        settings:
          description:
            - The options for M(kubenode.connections.node_settings). Empty where the node needs nothing.
            - C(enforce) is there where O(policy.enforce) is wanted and possible, or an earlier run's is to be given
              back (empty). C(open_connections) is there where connections are open that can be re-armed.
          type: dict
          sample:
            modules: []
            sysctls:
              net.ipv4.tcp_keepalive_time: "600"
              net.ipv4.tcp_keepalive_intvl: "30"
              net.ipv4.tcp_keepalive_probes: "9"
            ipvs_timeouts: {}
            ipvs_timeouts_persistent: false
            rps: {}
            pods: {time: 600, intvl: 30, probes: 9}
            containers: null
            namespace_ipvs_timeouts: {}
        changes:
          description:
            - What differs from the settings, now or after a reboot.
            - Each has C(key), as in RV(_value.nodes.reasons) and RV(_value.nodes.owners), C(what), C(from), C(to),
              C(why), all of it as a C(sentence), C(after_reboot), whether it is so only after a reboot, and C(pods),
              whether it is one of running pods or containers.
          type: list
          elements: dict
        to_converge:
          description:
            - Whether M(kubenode.connections.node_settings) may have something to do on the node. Where it is false, the
              node need not be contacted again.
          type: bool
        rearm:
          description:
            - How many open connections C(settings.open_connections) is about, C(late) ones and those
              C(without_keepalive), by its C(mode). V(none) where there are none.
          type: dict
          sample: {mode: rearm, late: 3, without_keepalive: 0}
        reasons:
          description: The reason of each setting.
          type: dict
        owners:
          description: Who decides each value after a reboot or restart, such as C(kernel default) or a file and line.
          type: dict
    findings:
      description: What is wrong or not known, the most severe first.
      type: list
      elements: dict
      contains:
        id:
          description: A stable name.
          type: str
          sample: keepalive-too-late
        severity:
          description: V(critical), V(warning), V(unknown) or V(info).
          type: str
        scope:
          description: The node's name, or V(plan).
          type: str
        scope_kind:
          description: V(node), or V(plan) for what is about the plan as a whole. A host may be called plan.
          type: str
        observed:
          description: What was seen.
          type: str
        limit:
          description: What it was compared with, none where that makes no sense.
          type: str
        why:
          description: Why it matters.
          type: str
        remedy:
          description: What to do.
          type: str
        steps:
          description:
            - What of it can be pasted. Each has C(kind), V(playbook) or V(variable), and C(what), the playbook's name
              without the collection, or the variable with its value.
          type: list
          elements: dict
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.kubenode.connections.plugins.module_utils._common.printable import presentable
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.checked_values import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.plan_with_findings import make_plan

try:
    from ansible.utils.unsafe_proxy import wrap_var
except ImportError:
    # The mark that keeps node data from being templated is needed up to ansible-core 2.18 only.
    def wrap_var(v: Any) -> Any:
        return v


def plan(nodes: object, policy: object = None, own: object = None) -> Any:
    try:
        planned = make_plan(plain(nodes), plain({} if policy is None else policy), _own(plain(own)))
    except PlanError as error:
        raise AnsibleFilterError(f"plan: {error}") from None  # Ansible would say the cause once more
    return wrap_var(_printable(planned))  # type: ignore[no-untyped-call]


def _own(own: object) -> dict[str, Any]:
    if own is not None and not isinstance(own, dict):
        raise PlanError(f"own: {own!r} is not a mapping. Write the names of nodes and what each wants otherwise.")
    return own or {}


def _printable(planned: dict[str, Any]) -> dict[str, Any]:
    """The plan with all text for people safe to print, whatever a node says of itself. What modules get stays."""
    nodes = {name: {**presentable(node), "settings": node["settings"]} for name, node in planned["nodes"].items()}
    rest = {key: value for key, value in planned.items() if key not in ("nodes", "policy")}
    return {**presentable(rest), "policy": planned["policy"], "nodes": nodes}


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"plan": plan}
