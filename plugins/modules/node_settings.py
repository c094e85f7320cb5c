#!/usr/bin/python
# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible module node_settings: brings a node to its settings in one transaction, and gives the originals back."""

DOCUMENTATION = r"""
module: node_settings
short_description: Bring a Kubernetes node to its kernel modules, sysctls, IPVS timeouts, RPS and pods' keepalive
version_added: 0.1.0
description:
  - Brings one node to its settings, now and after the next boot. The order is kernel modules, files, live sysctls,
    IPVS timeouts, a systemd unit that sets the IPVS timeouts again after boot, and Receive Packet Steering (RPS),
    the keepalive of every new connection, and the keepalive of running pods. Connections that are open already come
    after all of it.
  - All of it is one transaction. Every previous value is remembered before anything is written, every value is read
    back after it is written, and on any failure everything is undone in reverse. The message says what failed, and
    that the node is as before. A signal from outside (a lost connection, a time-out, Ctrl-C) counts as a failure, too.
  - Each running pod is given its keepalive on its own, because a pod may do with its values as it likes. One that
    does not take or keep the value is in RV(pods_not_taken), and fails neither the node nor the other pods.
  - What the node had before the first run is kept in C(/var/lib/kubenode.connections/originals.json). With
    O(state=absent) files come back byte for byte and live values with them. Where someone else has edited a file
    since, only our lines are undone in it. Where someone else has set a live value since, or has changed or removed
    our lines or a file, it stays that way, and RV(notes) says so.
  - That file says what root writes where. It is believed only where root alone can have written it, that is a plain
    file of root's, in folders of root's, in all of which nobody else may write. The same is asked of the folders of
    every file that is written here. Otherwise the module fails before it writes anything, and names the folder or
    file, its owner and its mode.
  - Foreign lines, comments, order, spelling and line ends of the files stay as they are. A key that is there already
    is edited where it takes effect. A file keeps its mode, owner and SELinux label.
options:
  state:
    description:
      - With V(present) the node gets the settings. Each of O(modules), O(sysctls), O(ipvs_timeouts), O(rps), O(pods),
        O(containers), O(namespace_ipvs_timeouts) and O(enforce) that is given is the whole of that part, so what an
        earlier run has set and is not in it any more gets its original back. An empty one gives back all of that part.
        One that is not given stays as it is.
      - With V(absent) everything that was ever set is given back. All other options are ignored.
      - Where C(originals.json) was lost, nothing can be given back. RV(notes) then names what is still there of this
        collection, and what to do by hand. What O(enforce) has attached is known by its name, so it goes all the same.
    type: str
    choices: [present, absent]
    default: present
  modules:
    description:
      - Names of kernel modules to load now and at boot, such as V(br_netfilter). They are there before the files of
        C(sysctl.d) are read, so that the keys they bring are set at boot.
      - A module that is built into the kernel counts as loaded.
    type: list
    elements: str
  sysctls:
    description:
      - Names of kernel settings with their values, set now and at boot. Names may be written with dots or slashes as
        in C(sysctl.d(5\)).
      - Values are text or whole numbers. Blanks and tabs between the words of a value make no difference.
    type: dict
  ipvs_timeouts:
    description:
      - IPVS timeouts in seconds, from V(1) to V(2147483). One that is not named is left alone, or gets its original
        back where an earlier run has set it.
    type: dict
    suboptions:
      tcp:
        description: Idle TCP connections.
        type: int
      tcpfin:
        description: TCP connections after a FIN.
        type: int
      udp:
        description: UDP flows.
        type: int
  ipvs_timeouts_persistent:
    description:
      - Whether a systemd unit, C(kubenode-ipvs-timeouts.service), sets O(ipvs_timeouts) again after boot. The kernel
        keeps them nowhere.
      - Set this to V(false) where kube-proxy or keepalived sets them.
    type: bool
    default: true
  rps:
    description:
      - Receive Packet Steering, which lets several CPUs work on the packets of one receive queue of a NIC. It is set
        now, and by C(/etc/udev/rules.d/60-kubenode-connections-rps.rules) at boot and for NICs and queues that appear
        later.
      - NICs are those that are devices, not bridges, bonds, VLANs and the interfaces of pods. One that is not there is
        no error.
    type: dict
    suboptions:
      nics:
        description:
          - Which NICs get which CPUs. The first that fits a NIC counts. With neither O(rps.nics[].name) nor
            O(rps.nics[].numa_node) it fits all NICs that are left. A NIC that none fits is left alone, or gets its
            originals back.
        type: list
        elements: dict
        suboptions:
          cpus:
            description: The CPUs as a list such as V(0-3), for every receive queue of the NIC (C(rps_cpus)).
            type: str
            required: true
          name:
            description:
              - The NIC of that name. The udev rules go by the place of its device, so they hold for it when its name
                changes.
            type: str
          numa_node:
            description: NICs of this NUMA node.
            type: int
          fewer_queues_than:
            description: A NIC that fits and has as many receive queues, or more, is left alone.
            type: int
      flow_entries:
        description:
          - How many flows the receive queues of a NIC remember together, V(0) or a power of two. Each queue gets its
            part (C(rps_flow_cnt)), so that packets go to the CPU on which the program reads them.
          - It takes C(net.core.rps_sock_flow_entries) in O(sysctls) too, with the same number.
        type: int
        default: 0
  pods:
    description:
      - The TCP keepalive for the network namespaces of pods that run now. A pod has its own, and a new one begins with
        the kernel's 7200/75/9, whatever the node has.
      - Only pods with the kernel's 7200/75/9, or with what an earlier run gave them and would probe later, get it.
        Others were given their values on purpose. Pods with C(hostNetwork) have the node's.
      - It reaches connections that are opened afterwards, and it ends with the pod. What is open already is what
        O(open_connections) is for. Without it, RV(notes) names the pods with connections whose timer ends later, so
        that those can be restarted.
      - A pod that refuses a value, writes its own again or does not answer within seconds is in RV(pods_not_taken). It
        is left as it was before, without anything of ours, as far as it lets that happen.
    type: dict
    suboptions:
      time:
        description: C(net.ipv4.tcp_keepalive_time) in seconds, V(1) to V(32767).
        type: int
      intvl:
        description: C(net.ipv4.tcp_keepalive_intvl) in seconds, V(1) to V(32767).
        type: int
      probes:
        description: C(net.ipv4.tcp_keepalive_probes), V(1) to V(127).
        type: int
  containers:
    description:
      - The same for containers outside of pods that run now, of Docker, podman, nerdctl, systemd-nspawn, libvirt, LXC
        or Incus. They are known by their cgroup, see RV(kubenode.connections.node_info#module:node.pods.rows[].kind).
      - Containers on the host's network have the node's. Those of users (rootless) are left alone, because a user gives
        cgroups any name. Those in a pod belong to the pod.
      - It ends with the container's run. A container that is started again begins with the kernel's values.
    type: dict
    version_added: 0.1.0
    suboptions:
      time:
        description: As O(pods.time).
        type: int
      intvl:
        description: As O(pods.intvl).
        type: int
      probes:
        description: As O(pods.probes).
        type: int
  namespace_ipvs_timeouts:
    description:
      - IPVS timeouts in other network namespaces than the node's own, each of which has timeouts of its own. The keys
        are names as O(kubenode.connections.ipvs_timeouts#module:namespace) takes them, the values mappings of V(tcp),
        V(tcpfin) and V(udp) to seconds, as in O(ipvs_timeouts).
      - A name that is not there is an error that names those that are.
      - They end with the namespace, so a restart of its container or a reboot takes them away. RV(notes) says so.
        With O(state=absent) a namespace that has ended meanwhile is a note.
    type: dict
    version_added: 0.1.0
  enforce:
    description:
      - The TCP keepalive that every new connection of the node gets, at both ends, whether or not its program asks for
        one. It reaches every process, pod and container, now and to come, whatever its network namespace.
      - A small program does that, which the kernel runs when a connection has come up. It is attached to the root of
        cgroup v2 beside those of others, which stay. C(bpftool cgroup tree) shows it as V(ka_0258_001e_09) for
        600/30/9. Where cgroup v2 is not mounted, as on nodes with v1 only, it is reached all the same.
      - Loopback connections are left alone. So are those with a keepalive whose time and interval are no later, and no
        value is ever made later, if the kernel lets a program read what a connection has (6.1 and later). A kernel
        before that replaces what a program has set before its connection is up. What a program sets afterwards stays on
        all kernels.
      - It takes Linux 5.9 or later. Whether the kernel takes the values is read back from real connections over IPv4
        and IPv6, in a network namespace of their own. Where it does not, the run fails with the node as it was.
      - The unit C(kubenode-keepalive-enforce.service) attaches it again at boot, before kubelet and the container
        runtimes, by C(/etc/kubenode.connections/enforce.py). Where there is no systemd, nothing runs that
        script, and RV(notes) says so.
      - An empty one takes it away. Connections that have their keepalive by then keep it.
    type: dict
    version_added: 0.1.0
    suboptions:
      time:
        description: As O(pods.time), for the option C(TCP_KEEPIDLE).
        type: int
      intvl:
        description: As O(pods.intvl), for the option C(TCP_KEEPINTVL).
        type: int
      probes:
        description: As O(pods.probes), for the option C(TCP_KEEPCNT).
        type: int
      exclude_ports:
        description: Connections from or to one of these ports, at most 256, are left alone.
        type: list
        elements: int
        default: []
      exclude_cgroups:
        description:
          - Connections of processes in these cgroups, and in those below them, are left alone. They are paths below the
            root of cgroup v2, as C(/proc/PID/cgroup) has them behind V(0::), such as V(/system.slice/sshd.service).
          - One that is not there is told in RV(notes). A cgroup that is made anew, as whenever its service starts, is
            excluded from the next run or boot on.
        type: list
        elements: str
        default: []
  open_connections:
    description:
      - What connections get that are open already. Their keepalive timer was armed with an earlier value and ends after
        an idle limit. It is armed again in place, with the time that the connection is idle counted. Nothing is
        restarted, and its program notices nothing.
      - It takes Linux 5.6 or later and the right to trace other processes, see
        RV(kubenode.connections.node_info#module:node.rearming).
      - It is done once everything else is complete, and is no part of the transaction. A connection's timer ends with
        the connection, so there is nothing to restore. RV(open_connections) says what came of it, and RV(notes) whose
        connections could not be re-armed and why.
      - Only connections at risk are touched, by the rule of the audit. Those to loopback addresses, those that came in
        at a port that listens, and those that have data under way are not. Nor are those whose program has set a
        keepalive itself, which is where the values of the socket differ from those of its network namespace.
      - No value becomes later than it is in the network namespace.
      - Not given, or without O(open_connections.time), nothing is touched.
    type: dict
    version_added: 0.1.0
    suboptions:
      mode:
        description:
          - V(rearm) for connections that have C(SO_KEEPALIVE), V(all) for those without, too, which then have it.
          - V(rearm) when not given.
        type: str
        choices: [rearm, all]
      time:
        description: As O(pods.time).
        type: int
      intvl:
        description: As O(pods.intvl).
        type: int
      probes:
        description: As O(pods.probes).
        type: int
      limit:
        description: The lowest idle limit in seconds of connections to Services. Not given, those are left alone.
        type: int
      outside_limit:
        description:
          - The same of connections to other addresses. Where it is the timeout of connection tracking of a day or
            longer, leave it out. That does not harm most of them, see
            RV(kubenode.connections.node_info#module:node.pods.rows[].outside).
        type: int
      kinds:
        description:
          - In which network namespaces, by RV(kubenode.connections.node_info#module:node.pods.rows[].kind). All of
            these when not given.
        type: list
        elements: str
        choices: [node, pod, container]
  sysctl_file:
    description:
      - The file that gets the lines of O(sysctls). If it is a link, the file it leads to is edited. Nobody but root may
        write in a folder on its way.
      - Lines of ours in the file of an earlier run are undone when this names another one.
    type: path
    default: /etc/sysctl.d/k8s.conf
  modules_file:
    description: The same for O(modules).
    type: path
    default: /etc/modules-load.d/k8s.conf
  observe:
    description:
      - Whether and how to look at the node afterwards in the same execution, as M(kubenode.connections.node_info) does.
      - It is not done in check mode, where there is no afterwards.
    type: dict
    version_added: 0.1.0
    suboptions:
      kube_proxy_address:
        description: As O(kubenode.connections.node_info#module:kube_proxy_address).
        type: str
      kube_proxy_timeout:
        description: As O(kubenode.connections.node_info#module:kube_proxy_timeout).
        type: float
        default: 3
  plan:
    description:
      - Which plan these settings are of. Where a later one or a restore has changed the node since this one was made,
        the task fails before it would change anything. Of two applies at the same time one has all nodes then, and the
        other says so.
      - Not given, nobody asks.
    type: dict
    version_added: 1.0.0
    suboptions:
      id:
        description:
          - A number that is higher than those of all plans that had changed the nodes that it was made for, a dash, and
            8 to 32 hexadecimal digits of its own.
        type: str
        required: true
      seen:
        description: RV(kubenode.connections.node_info#module:node.ours.plan_id) when it was made.
        type: str
        required: true
  guard:
    description:
      - Has the node watch itself between two runs. A systemd timer runs a program of the node's Python, which looks at
        the node as M(kubenode.connections.node_info) does, holds it to the last plan, and writes its metrics for
        node_exporter's textfile collector.
      - Leave it out to leave the guard as it is. An empty mapping removes it, with its metrics.
      - The role P(kubenode.connections.guard#role) sets this.
    type: dict
    version_added: 0.1.0
    suboptions:
      node:
        description: The name of the node in the metrics.
        type: str
      plan:
        description:
          - What the report has planned for the node, C(settings) and C(watch) of
            RV(kubenode.connections.report#module:planned.nodes).
        type: dict
      interval:
        description: How many seconds pass from the end of a run to the next, from 60 to 86400.
        type: int
        default: 300
      cure:
        description:
          - Whether pods and containers that have come since get the planned keepalive, as the plan has it for those
            that run. Otherwise the guard writes its metrics and nothing else.
        type: bool
        default: false
      textfile:
        description: The folder that node_exporter was given with C(--collector.textfile.directory).
        type: path
        default: /var/lib/prometheus/node-exporter
extends_documentation_fragment:
  - kubenode.connections._attributes
attributes:
  check_mode:
    support: full
    details:
      - It takes the same way as a real run and ends before the first write. Not even a lock file is written.
      - What it returns is, byte for byte, what the real run returns. Only which pods will refuse a value, or write
        their own again, nobody can foresee.
      - For O(open_connections) it has the kernel duplicate the descriptors of the sockets for a moment, to read their
        options. It sets none. A program that has set the very values itself that its network namespace has before the
        run can only be told by the real run.
  diff_mode:
    support: full
    details: It shows files and live values.
  platform:
    platforms: linux
    support: full
  idempotent:
    support: full
notes:
  - It needs root. Inside a container without privileges C(/proc/sys) is read-only. The module then fails before it
    writes.
  - O(sysctls) are those of the network namespace that the module runs in. Pods have their own and do not inherit them.
  - Kernel modules are not unloaded with O(state=absent), because something may use them by then. They are unloaded
    again when a run fails that had loaded them.
  - A pod that does not take back with O(state=absent) what it had is in RV(pods_not_taken), too. What it had stays
    recorded for another try, and everything else is given back.
  - Where a run fails and a pod cannot be put back, the message says so and names it. The node itself is as before, and
    what the pod had stays recorded.
  - When C(net.ipv4.ip_forward) changes, the kernel resets C(forwarding) and more of every interface. Those keys are not
    put back with it.
  - Without O(open_connections) connections that are open already keep the keepalive timer that they were armed with. A
    note names the changed pods with connections whose timer has more than the new time to go. A connection that resends
    at that moment is not seen.
  - Of two runs at once the second waits, for at most 60 seconds. The lock is C(/run/kubenode.connections.lock). It lies
    beside C(originals.json) where others than root may write in C(/run).
seealso:
  - module: kubenode.connections.node_info
  - module: kubenode.connections.ipvs_timeouts
  - plugin: kubenode.connections.plan
    plugin_type: filter
author:
  - The kubenode.connections authors (@kubenode)
"""

EXAMPLES = r"""
- name: First probe after ten minutes, before IPVS forgets an idle connection after fifteen
  kubenode.connections.node_settings:
    modules:
      - br_netfilter
    sysctls:
      net.bridge.bridge-nf-call-ip6tables: 1
      net.bridge.bridge-nf-call-iptables: 1
      net.ipv4.tcp_keepalive_time: 600
      net.ipv4.tcp_keepalive_intvl: 30
      net.ipv4.tcp_keepalive_probes: 9

- name: Let IPVS wait longer than the kernel's keepalive of two hours
  kubenode.connections.node_settings:
    modules:
      - ip_vs
    ipvs_timeouts:
      tcp: 8284

- name: Let CPUs 0 to 3 share the packets of NICs with fewer than four receive queues
  kubenode.connections.node_settings:
    sysctls:
      net.core.rps_sock_flow_entries: 32768
    rps:
      flow_entries: 32768
      nics:
        - cpus: 0-3
          fewer_queues_than: 4

- name: Let the pods that run now probe before the limit, too
  kubenode.connections.node_settings:
    pods:
      time: 600
      intvl: 30
      probes: 9

- name: Let the containers that run now beside Kubernetes do so, too
  kubenode.connections.node_settings:
    containers:
      time: 600
      intvl: 30
      probes: 9

- name: Have every new connection probe before the limit, whether or not its program asks for that
  kubenode.connections.node_settings:
    enforce:
      time: 600
      intvl: 30
      probes: 9
      exclude_cgroups:
        - /system.slice/sshd.service

- name: Let connections to Services that are open already probe before the limit, too
  kubenode.connections.node_settings:
    open_connections:
      time: 600
      intvl: 30
      probes: 9
      limit: 900

- name: Give the node back what it had before the first run
  kubenode.connections.node_settings:
    state: absent
"""

RETURN = r"""
before:
  description: What the node had before, as far as the options and earlier runs are concerned.
  returned: success
  type: dict
  contains:
    modules:
      description: Whether each kernel module is loaded or built in.
      type: dict
      sample: {br_netfilter: true}
    sysctls:
      description: The live value of each setting, none where it is not there.
      type: dict
      sample: {net.ipv4.tcp_keepalive_time: "7200"}
    files:
      description:
        - The text of each file, none where there is no such file. Bytes that are not UTF-8 appear as C(\\xNN). The same
          is in the diff and in messages.
        - Of O(sysctl_file) and O(modules_file) that not everybody on the node may read, only our lines are shown. A
          unit or a file of udev rules that somebody else has written is not shown.
      type: dict
      sample: {/etc/sysctl.d/k8s.conf: null}
    ipvs_timeouts:
      description: The IPVS timeouts in seconds, none where they are not concerned or IPVS is not loaded.
      type: dict
      sample: {tcp: 900, tcpfin: 120, udp: 300}
    rps:
      description: The settings of receive queues by their path, as far as they are set or given back.
      type: dict
      sample: {/sys/class/net/eth0/queues/rx-0/rps_cpus: "0", /sys/class/net/eth0/queues/rx-0/rps_flow_cnt: "0"}
    pods:
      description: The keepalive (time/intvl/probes) of each running pod that it changes, and that has kept it so far.
      type: dict
      sample: {shop/web-0: 7200/75/9}
    containers:
      description: The same of running containers outside of pods.
      type: dict
      version_added: 0.1.0
      sample: {"container web (docker)": 7200/75/9}
    namespace_ipvs_timeouts:
      description: The IPVS timeouts in seconds of each other network namespace that is set or given back.
      type: dict
      version_added: 0.1.0
      sample: {network namespace ingress_sbox: {tcp: 900, tcpfin: 120, udp: 300}}
    enforce:
      description:
        - The keepalive (time/intvl/probes) that every new connection gets, and what is excluded from it. V(null) where
          none is enforced, or O(enforce) is not given.
      type: dict
      version_added: 0.1.0
      sample: {keepalive: 600/30/9, exclude_ports: [], exclude_cgroups: [/system.slice/sshd.service]}
after:
  description: The same for afterwards, in check mode as foreseen.
  returned: success
  type: dict
  sample:
    modules: {br_netfilter: true}
    sysctls: {net.ipv4.tcp_keepalive_time: "600"}
    files: {/etc/sysctl.d/k8s.conf: "net.ipv4.tcp_keepalive_time = 600\n"}
    ipvs_timeouts:
    rps: {}
    pods: {shop/web-0: 600/30/9}
    containers: {"container web (docker)": 600/30/9}
    namespace_ipvs_timeouts: {network namespace ingress_sbox: {tcp: 8284, tcpfin: 120, udp: 300}}
    enforce: {keepalive: 600/30/9, exclude_ports: [], exclude_cgroups: [/system.slice/sshd.service]}
notes:
  description:
    - What to know beside that, one sentence or two each. Above all what a reboot would undo, with the file and line
      that decides it, and what was left because someone else has set it since.
  returned: success
  type: list
  elements: str
  sample:
    - "net.ipv4.tcp_keepalive_time is 600 now and 7200 after a reboot: /etc/sysctl.d/zz-local.conf:3 comes after
      /etc/sysctl.d/k8s.conf. Take that line out, or choose a sysctl_file whose name sorts after it."
pods_not_taken:
  description:
    - The running pods and containers that should have another keepalive and have not. RV(notes) says it in words.
    - A run that was to change nothing but these has changed nothing.
  returned: success
  type: list
  elements: dict
  contains:
    pod:
      description: The pod as C(namespace/name), or by its UID where its name is not known; or the container.
      type: str
    uid:
      description: Its UID; of a container its engine and ID.
      type: str
    wanted:
      description: What it should have (time/intvl/probes).
      type: str
    found:
      description: What it has, none where that could not be read.
      type: str
    cause:
      description: V(rewritten) where something else sets it, V(refused) where it cannot be written, V(unread) where
        nobody could look.
      type: str
    why:
      description: What was observed, without a full stop.
      type: str
  sample:
    - pod: shop/web-0
      uid: 0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0
      wanted: 600/30/9
      found: 7200/75/9
      cause: rewritten
      why: something else sets it
open_connections:
  description:
    - What became of the connections at risk that were open, in check mode what would become of them. V(null) where
      O(open_connections) asked for nothing.
    - RV(ignore:changed) is true when one was re-armed.
  returned: success
  type: dict
  version_added: 0.1.0
  contains:
    rearmed:
      description: How many have their timer armed anew.
      type: int
      sample: 12
    not_rearmed:
      description: How many have not.
      type: int
      sample: 2
    rows:
      description:
        - The connections of one process to one peer each, 200 at most. Those with most connections that were not
          re-armed come first.
      type: list
      elements: dict
      contains:
        kind:
          description: As in RV(kubenode.connections.node_info#module:node.pods.rows).
          type: str
          sample: pod
        label:
          description: As in RV(kubenode.connections.node_info#module:node.pods.rows).
          type: str
          sample: shop/web-0
        uid:
          description: As in RV(kubenode.connections.node_info#module:node.pods.rows).
          type: str
          sample: 0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0
        peer:
          description:
            - The Service or other address that they go to. V(null) for those that were not looked at one by one.
          type: str
          sample: 10.96.12.7:50051
        process:
          description:
            - The process that has them open, with the pod or container (C(pod)) of one in the node's own namespace.
            - V(null) where there is none, or for several together.
          type: dict
          sample: {name: python3, pid: 4711, pod: null}
        rearmed:
          description: How many of these were re-armed.
          type: int
          sample: 3
        not_rearmed:
          description:
            - Why the others were not, and how many (C(connections)). C(reason) is that of the first of them, without a
              full stop.
            - C(reason_id) does not change from release to release. It is V(kernel) (older than 5.6), V(ptrace_scope)
              (C(kernel.yama.ptrace_scope) is 3), V(rights) (no right to trace the process), V(own_values) (set by its
              program), V(gone) (closed meanwhile), V(no_process) (no process that can be seen has it open),
              V(forgotten) (idle for longer than the limit already), V(busy) (data under way at each look),
              V(user_timeout) (its program's C(TCP_USER_TIMEOUT) would end it too soon),
              V(net_cls) (a control group of version 1 tags its packets, and would not any more),
              V(refused) (the kernel did not take or keep an option), or V(unlisted) (too many, or too little time).
          type: list
          elements: dict
          sample:
            - reason_id: own_values
              reason: the program has set 7200/75/9 itself, its network namespace has 600/30/9
              connections: 1
    more_rows:
      description: How many rows were left out.
      type: int
      sample: 0
node:
  description: The node afterwards, as RV(kubenode.connections.node_info#module:node) with C(growth) V(null).
  returned: success, with O(observe), not in check mode
  type: dict
"""

from typing import Any, Dict

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubenode.connections.plugins.module_utils._common.look_times import check_timeout
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import with_further
from ansible_collections.kubenode.connections.plugins.module_utils._converge.one_run import answer
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import (
    MODULES_FILE,
    SYSCTL_FILE,
    plan_from,
    settings_from,
)
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge

_OBSERVE = {"kube_proxy_address": {"type": "str"}, "kube_proxy_timeout": {"type": "float", "default": 3}}
_TIMEOUTS = {"tcp": {"type": "int"}, "tcpfin": {"type": "int"}, "udp": {"type": "int"}}
_NIC = {
    "cpus": {"type": "str", "required": True},
    "name": {"type": "str"},
    "numa_node": {"type": "int"},
    "fewer_queues_than": {"type": "int"},
}
_RPS = {
    "nics": {"type": "list", "elements": "dict", "options": _NIC},
    "flow_entries": {"type": "int", "default": 0},
}
_ENFORCE = {
    "time": {"type": "int"},
    "intvl": {"type": "int"},
    "probes": {"type": "int"},
    "exclude_ports": {"type": "list", "elements": "int", "default": []},
    "exclude_cgroups": {"type": "list", "elements": "str", "default": []},
}

_OPEN = {
    "mode": {"type": "str", "choices": ["rearm", "all"]},
    **{name: {"type": "int"} for name in ("time", "intvl", "probes", "limit", "outside_limit")},
    "kinds": {"type": "list", "elements": "str", "choices": ["node", "pod", "container"]},
}

_GUARD = {
    "node": {"type": "str"},
    "plan": {"type": "dict"},
    "interval": {"type": "int", "default": 300},
    "cure": {"type": "bool", "default": False},
    "textfile": {"type": "path", "default": "/var/lib/prometheus/node-exporter"},
}


_PLAN = {"id": {"type": "str", "required": True}, "seen": {"type": "str", "required": True}}


def main() -> None:
    """Bring the node to the options, or fail with the node as it was."""
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "modules": {"type": "list", "elements": "str"},
            "sysctls": {"type": "dict"},
            "ipvs_timeouts": {"type": "dict", "options": _TIMEOUTS},
            "ipvs_timeouts_persistent": {"type": "bool", "default": True},
            "rps": {"type": "dict", "options": _RPS},
            "pods": {"type": "dict", "options": {name: {"type": "int"} for name in ("time", "intvl", "probes")}},
            "containers": {"type": "dict", "options": {name: {"type": "int"} for name in ("time", "intvl", "probes")}},
            "namespace_ipvs_timeouts": {"type": "dict"},
            "enforce": {"type": "dict", "options": _ENFORCE},
            "open_connections": {"type": "dict", "options": _OPEN},
            "sysctl_file": {"type": "path", "default": SYSCTL_FILE},
            "modules_file": {"type": "path", "default": MODULES_FILE},
            "observe": {"type": "dict", "options": _OBSERVE},
            "plan": {"type": "dict", "options": _PLAN},
            "guard": {"type": "dict", "options": _GUARD},
        },
        supports_check_mode=True,
    )
    answer(module, lambda: _converged(module))


def _converged(module: AnsibleModule) -> Dict[str, Any]:
    look = module.params["observe"]
    if look is not None:
        check_timeout("observe.kube_proxy_timeout", look["kube_proxy_timeout"])
    settings = settings_from(module.params)
    if module.params["guard"] is not None and settings.guard is None:
        from ansible_collections.kubenode.connections.plugins.module_utils._converge.guard_options import from_options
        from ansible_collections.kubenode.connections.plugins.module_utils._guard.zipapp import program

        settings = settings._replace(guard=from_options(module.params, program))
    by = plan_from(module.params["plan"]) if module.params["state"] == "present" else None
    result: Dict[str, Any] = converge(settings, module.check_mode, by)._asdict()
    if look is not None and not module.check_mode:
        from ansible_collections.kubenode.connections.plugins.module_utils._observe.node import read_node

        keys = with_further(module.params["sysctls"] or ())
        result["node"] = read_node(look["kube_proxy_address"], look["kube_proxy_timeout"], keys=keys)
    return result


if __name__ == "__main__":
    main()
