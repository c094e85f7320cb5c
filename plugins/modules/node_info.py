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
      - Where kube-proxy serves its metrics, as IP address and port. Asked there are C(/proxyMode), C(/configz) and
        C(/metrics).
      - When not given, it is taken from the running kube-proxy, that is from V(metricsBindAddress) in the file of its
        C(--config), else from C(--metrics-bind-address). Where no kube-proxy is found, V(127.0.0.1:10249) is asked.
      - V(0.0.0.0) and V([::]) mean loopback. Any other address must be one of the node's own.
      - It is asked only where a socket of root's listens there. Run as root, the module also wants a root process in
        the node's own user and network namespaces to have that socket open, which is kube-proxy or a program that has
        it within itself. Who else listens there is told in RV(node.kube_proxy.error).
    type: str
  kube_proxy_timeout:
    description: How many seconds kube-proxy may take for all its answers together, more than V(0) and V(60) at most.
    type: float
    default: 3
  sample_seconds:
    description:
      - How many seconds lie between the two readings of the counters in RV(node.growth), V(60) at most. The rest of the
        node is read meanwhile, so that the module takes that long, or as long as the rest takes.
      - V(0) reads them once, and RV(node.growth) is V(null).
    type: float
    default: 1
  sysctls:
    description:
      - Further sysctls to read, by their dotted names, for RV(node.sysctls).
      - One that cannot be read is left out, and so are the secrets C(tcp_fastopen_key) and C(stable_secret).
    type: list
    elements: str
    default: []
    version_added: 0.1.0
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
  - Without root the IPVS timeouts and other network namespaces, and so pods, cannot be read. The module then
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
    cloud:
      description:
        - The cloud that the node is a machine of, by what its firmware (DMI) says.
        - V(null) where that says nothing, as where there is no DMI.
        - Nobody is asked, no metadata service either.
      type: dict
      contains:
        provider:
          description:
            - Any of C(alibaba), C(aws), C(azure), C(gcp), C(huawei), C(oci), C(openstack) and C(tencent).
            - V(null) where the firmware names none of them.
          type: str
        instance_type:
          description: The type of the machine where the firmware tells it, as on EC2 outside of Xen; else V(null).
          type: str
      sample: {provider: aws, instance_type: m8i.large}
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
            - Empty without that unit, or where the Python that it runs is gone. V(null) where no systemd is installed.
              The kernel starts with 900, 120 and 300.
          type: dict
          sample: {tcp: 8284}
        totals:
          description:
            - How many virtual services and real servers there are. V(null) when the table of them cannot be read.
            - C(tcp_services) are the services that may carry TCP, that is those for TCP and those by firewall mark.
            - C(persistent) are the services with session affinity. C(scattering) are those for TCP with several real
              servers of a weight above 0, where neither affinity nor the scheduler (C(sh), C(mh), C(dh)) leads a
              connection that was forgotten back to its own.
            - C(draining) are the real servers with weight 0 that still have connections, C(draining_connections) all
              of those.
          type: dict
          sample:
            services: 12
            real_servers: 31
            persistent: 1
            scattering: 8
            draining: 1
            draining_connections: 3
            tcp_services: 9
        services:
          description:
            - The virtual services, the first 100 as the kernel lists them. C(flags) is as the kernel prints it,
              C(real_servers) how many it has.
          type: list
          elements: dict
          sample:
            - {protocol: TCP, address: 10.96.0.10, port: 80, fwmark: null, scheduler: rr, flags: "", real_servers: 2}
        services_omitted:
          description: How many services are not listed.
          type: int
          sample: 0
        services_by_mark:
          description:
            - How many of the services are by firewall mark. No socket tells whether it goes there. Such connections are
              among those to other addresses, see RV(node.pods.rows[].outside).
          type: int
          sample: 0
          version_added: 0.1.0
        real_servers:
          description:
            - The real servers that have connections (C(addresses)), of the services for TCP in
              RV(node.pods.rows[].services). At most 5000 of all; a service beyond that is left out.
            - C(whole) is V(false) where not all of them are sure to get the connection at that address, such as with
              direct routing or a service by firewall mark beside it.
          type: list
          elements: dict
          sample:
            - {service: 10.96.0.10:6379, addresses: ["10.2.0.5:6379"], whole: true}
        draining:
          description:
            - The real servers with weight 0 that still have connections, the 200 with most of them.
            - C(service) is an address and port, or V(fwmark NUMBER). C(seconds_left) is what the last of its
              connections has left if nothing is sent, V(null) where none was seen.
          type: list
          elements: dict
          sample:
            - protocol: TCP
              service: 10.96.0.10:80
              real_server: 10.3.0.2:8080
              active: 2
              inactive: 1
              seconds_left: 812
        connections:
          description: How many connections there are, by protocol and state.
          type: dict
          sample: {TCP: {ESTABLISHED: 4, TIME_WAIT: 1}, UDP: {UDP: 1}}
        cut_within:
          description:
            - How many established TCP connections IPVS forgets within 60, 300 and 900 seconds unless a packet comes.
            - V(null) when the table of connections cannot be read.
          type: dict
          sample: {"60": 0, "300": 1, "900": 4}
        idlest:
          description:
            - The 20 established TCP connections that are idle longest, the longest first. IPVS forgets them after
              C(seconds_left) unless a packet comes.
            - C(idle_seconds) is the TCP timeout less C(seconds_left). V(null) where the timeout cannot be read, or was
              higher when the last packet came. Where it was lower then, C(idle_seconds) is too much by the difference.
          type: list
          elements: dict
          sample:
            - client: 10.1.0.2:39002
              service: 10.96.0.10:80
              real_server: 10.3.0.2:8080
              idle_seconds: 612
              seconds_left: 288
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
        policies:
          description:
            - The timeout policies for TCP that somebody uses (C(nfct), C(ct timeout) of nftables, Open vSwitch),
              C(used) in number, and the shortest C(established) of theirs in seconds. They count instead of
              RV(node.conntrack.timeouts).
            - V(null) where the kernel has none, or asking would load a module.
          type: dict
          sample: {used: 1, established: 3600}
          version_added: 0.1.0
        cut_within:
          description:
            - How many established TCP connections whose destination is translated connection tracking forgets within
              60, 300 and 900 seconds unless a packet comes.
            - V(null) where IPVS translates them, see RV(node.ipvs.cut_within), and where that cannot be read.
          type: dict
          sample: {"60": 0, "300": 0, "900": 1}
    growth:
      description:
        - By how much counters of lost packets grew while the node was read, all CPUs together. V(null) with
          O(sample_seconds=0).
        - A table that is not there, or that was not there at both readings, has no counters.
      type: dict
      contains:
        seconds:
          description: The time between the two readings.
          type: float
          sample: 1.001
        conntrack:
          description: Packets that connection tracking called INVALID or dropped, and entries it could not insert or
            threw out of a full table.
          type: dict
          sample: {invalid: 12, insert_failed: 0, drop: 0, early_drop: 0}
        softnet:
          description: Packets that the kernel dropped before it handled them, and how often it ran out of time.
          type: dict
          sample: {dropped: 0, time_squeeze: 3}
    softnet:
      description:
        - What each CPU had to do with received packets since boot, by C(/proc/net/softnet_stat).
        - C(dropped) were too many for its queue. C(time_squeeze) counts how often it ran out of time, C(received_rps)
          how often another CPU gave it work by RPS.
      type: list
      elements: dict
      sample: [{cpu: 0, processed: 260262, dropped: 0, time_squeeze: 3, received_rps: 0}]
    rps:
      description: What decides over Receive Packet Steering (RPS).
      type: dict
      contains:
        cpus_online:
          description: The CPUs, as a list. V(null) where they could not be read.
          type: str
          sample: 0-3
        cpus_isolated:
          description: Those of them that the kernel keeps such work from (C(isolcpus), C(nohz_full)).
          type: str
          sample: ""
        numa_nodes:
          description: The CPUs of each NUMA node.
          type: dict
          sample: {"0": 0-3}
        sock_flow_entries:
          description: The value of C(net.core.rps_sock_flow_entries), V(null) where it is not there.
          type: int
          sample: 0
        nics:
          description:
            - The NICs of this network namespace that are devices. C(path) is the place below C(/sys), C(irq_cpus) the
              CPUs that their receive interrupts go to (V(null) where that cannot be told).
            - C(rps_cpus) is the mask of a receive queue without leading zeros, V(0) where RPS is off.
          type: list
          elements: dict
          sample:
            - name: eth0
              path: /devices/pci0000:00/0000:00:03.0/virtio2/net/eth0
              operstate: up
              numa_node:
              queues: [{name: rx-0, rps_cpus: "0", rps_flow_cnt: 0}]
              irq_cpus: "1"
        rule:
          description:
            - The udev rules of M(kubenode.connections.node_settings) for it, V(null) where they are not there, empty
              where somebody else has written that file.
          type: str
          sample:
    sysctls:
      description:
        - Every kernel setting that the collection reads, and those of O(sysctls), by their dotted names.
        - C(state) is V(present), V(absent) (this kernel does not have it now) or V(unreadable), and C(error) says why.
          C(value) is the live value as text, white space folded to single blanks.
        - C(boot.value) is what C(systemd-sysctl), or C(sysctl --system) where that is not installed, sets at boot,
          C(boot.file) and C(boot.line) decide it. V(null) where no file does, so that the kernel's default comes back.
        - C(boot.written) is the text of that line where the kernel takes something else for it, as V(384) for
          V(0600). Where it refuses the text (V(600;)), C(boot.value) is V(null).
        - C(boot.procps_value) is what C(sysctl --system) sets, where it differs.
        - C(boot.module) is the kernel module without which the setting does not exist. C(boot.in_time) tells whether it
          is there before C(systemd-sysctl) runs, built in or loaded at boot.
      type: dict
      sample:
        net.ipv4.tcp_keepalive_time:
          state: present
          value: "600"
          error:
          boot: {value: "600", file: /etc/sysctl.d/k8s.conf, line: 3, procps_value: null, written: null, module: null,
            in_time: true}
    sysctl_conf:
      description:
        - What C(/etc/sysctl.conf) sets of the sysctls that the collection reads. V(null) where there is no such file.
        - C(read_at_boot) tells whether it is read at boot. C(systemd-sysctl) reads it only where a drop-in is a link to
          it, which Debian has none of since 13. C(sysctl --system) and C(sysctl -p) always read it.
      type: dict
      sample: {read_at_boot: false, sysctls: {net.ipv4.tcp_keepalive_time: {value: "600", line: 3}}}
    owners:
      description:
        - Who else writes values that this collection sets, as far as files and processes of the node tell.
        - C(keepalived) are the IPVS timeouts of its C(lvs_timeouts), which it sets at its start and reload. V(null)
          where its service neither runs nor starts at boot, or sets none. Its file is the one that a running one was
          started with.
        - C(tuned) is the active profile of TuneD with the sysctls of it and of those that it includes. C(reapplies)
          tells whether TuneD applies C(sysctl.d) again after them, so that C(sysctl.d) wins. V(null) where its service
          neither runs nor starts at boot, or has no profile. C(excluded) are the keys that it then leaves out.
        - C(kube_router) is there where kube-router runs and forwards services, with the timeouts in seconds that its
          flags set at its start.
      type: dict
      sample:
        keepalived: {file: /etc/keepalived/keepalived.conf, line: 9, timeouts: {tcp: 7200, tcpfin: 60, udp: 30}}
        tuned:
          profile: openshift-node
          reapplies: true
          sysctls:
            net.netfilter.nf_conntrack_max: {value: "1048576", file: /usr/lib/tuned/openshift/tuned.conf, line: 19}
          excluded: []
        kube_router: {pid: 2214, timeouts: {tcp: 9000}}
    boot_problems:
      description:
        - Lines in C(sysctl.d) and C(modules-load.d) that nobody can use, 20 at most. Line 0 is the whole file, such as
          a FIFO or a directory.
        - A file or a folder there that could not be read may set anything, so it is among RV(node.problems).
      type: list
      elements: dict
      sample: [{file: /etc/sysctl.d/99-local.conf, line: 7, what: the line has no =}]
    data_planes:
      description:
        - What forwards packets of pods beside kube-proxy, by the network devices that it makes. V(cilium) and
          V(calico_ebpf) have tables of their own, V(ovs) (the datapath of Open vSwitch in the kernel, as of
          OVN-Kubernetes, Antrea and Kube-OVN) uses the connection tracking of the kernel.
      type: list
      elements: str
      sample: [ovs]
      version_added: 0.1.0
    kube_proxy:
      description:
        - kube-proxy as it describes itself at its metrics address, see O(kube_proxy_address) for whose answer counts.
        - Of its configuration only what is listed here leaves the node. Where one of these values makes no sense,
          C(ipvs_timeouts) and C(conntrack) are V(null), and C(error) tells.
      type: dict
      contains:
        running:
          description: >-
            Whether a process of that name runs as root on the node, or the answer is kube-proxy's. V(null) where the
            processes of other users are hidden (C(hidepid)).
          type: bool
          sample: true
        pid:
          description: Its process ID. Of several processes it is that of the one that listens.
          type: int
          sample: 2718
        process:
          description: The name of that process, V(kube-proxy) or that of a program that has it within itself.
          type: str
          sample: kube-proxy
        address:
          description: The address that was to be asked. V(null) where what was given is none.
          type: str
          sample: 127.0.0.1:10249
        mode:
          description: Its proxy mode, V(ipvs), V(iptables), V(nftables) or V(userspace).
          type: str
          sample: ipvs
        ipvs_timeouts:
          description: The IPVS timeouts in seconds that it sets when it starts; V(0) leaves the present one alone.
          type: dict
          sample: {tcp: 0, tcpfin: 0, udp: 0}
        conntrack:
          description:
            - The conntrack settings that it makes when it starts, timeouts in seconds. V(0) leaves the present one.
            - C(max) is what C(max_per_core) and C(min) come to on this node before Kubernetes 1.36, which caps it.
          type: dict
          sample:
            tcp_established: 86400
            tcp_close_wait: 3600
            max_per_core: 32768
            min: 131072
            max: 131072
            be_liberal: false
            udp: 0
            udp_stream: 0
        version:
          description:
            - Its version, out of its metrics. V(null) where they do not tell it.
            - Which conntrack settings it writes when it starts depends on it.
          type: str
          sample: v1.34.2
        error:
          description: What went wrong when it was to be asked, or who listens in its place.
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
          description:
            - Whether root runs kubelet, or hyperkube as kubelet, in the node's own namespaces. Of several the one that
              was started last counts.
            - A process of that name that belongs to another user or to a container is not believed.
              RV(node.kubelet.error) names it.
            - V(null) where the processes of other users are hidden (C(hidepid)).
          type: bool
          sample: true
        pid:
          description: Its process ID.
          type: int
          sample: 1024
        version:
          description:
            - What is written in the program of the running process (Go's build information), else the version of the
              Debian package that brought it.
            - Where neither tells it, what the program says to C(--version). It is asked only where nobody but root can
              change it or a folder on the way to it, and runs as user and group 65534, never as root.
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
        standalone:
          description: Whether it runs static pods alone, without an API server, by its command line.
          type: bool
          sample: false
    container_runtimes:
      description:
        - The daemon that runs containers on the node, root's own in the node's namespaces. Empty where there is none.
        - V(null) where that is not certain, such as a process of that name that is not root's and in no container.
      type: list
      elements: str
      sample: [containerd]
    ours:
      description:
        - What M(kubenode.connections.node_settings) has changed here and keeps the originals of, by its own record.
        - V(null) where that could not be read, as without root.
      type: dict
      contains:
        sysctls:
          description: The keys of ours in each sysctl file, by its path.
          type: dict
          sample: {/etc/sysctl.d/k8s.conf: [net.ipv4.tcp_keepalive_time]}
        modules:
          description: The kernel modules of ours in each file that loads some at boot, by its path.
          type: dict
          sample: {/etc/modules-load.d/k8s.conf: [br_netfilter]}
        ipvs_timeouts:
          description: Which IPVS timeouts.
          type: list
          elements: str
          sample: [tcp]
        ipvs_unit:
          description: Whether the systemd unit that sets them after boot is there.
          type: bool
          sample: false
        rps:
          description: Whether Receive Packet Steering of any queue.
          type: bool
          sample: false
        originals:
          description: What the keepalive sysctls that a run has changed were before it.
          type: dict
          sample: {net.ipv4.tcp_keepalive_time: "7200"}
        plan_id:
          description: The ID of the last plan that has changed something here, empty where there is none.
          type: str
          sample: 12-5f0c93ab
          version_added: 1.0.0
    enforcement:
      description:
        - Whether a program in the kernel gives every new connection a keepalive, or could, see
          O(kubenode.connections.node_settings#module:enforce). Nothing is loaded or attached for that.
      type: dict
      version_added: 0.1.0
      contains:
        possible:
          description: Whether this node can have it. V(null) where that is not known.
          type: bool
          sample: true
        reason:
          description: Why not, or why that is not known, and what to do.
          type: str
          sample: "Linux 5.4.0 takes no keepalive options from a program, Linux 5.9 does: install a newer kernel."
        obstacle:
          description:
            - The same in a word that does not change from release to release. It is V(kernel), V(cgroup), V(rights),
              V(lockdown), V(architecture) or V(unknown).
          type: str
          sample: kernel
        cgroup:
          description: Where the root of cgroup v2 is mounted. V(null) where it is not, or where nobody could look.
          type: str
          sample: /sys/fs/cgroup
        attached:
          description:
            - The keepalive that our program on the root cgroup gives. V(null) where there is none of ours.
            - C(exact) says whether its instructions are those of this version for these values and the ports that are
              recorded on the node, and whether it is the only one of ours.
          type: dict
          sample: {time: 600, intvl: 30, probes: 9, exact: true}
        exclude_ports:
          description: The ports that it leaves alone, as recorded on the node.
          type: list
          elements: int
          sample: []
        exclude_cgroups:
          description:
            - Those of the cgroups recorded on the node that it leaves alone. One that was made anew since is left out,
              until the next run excludes it. One that is not there counts as left alone.
          type: list
          elements: str
          sample: []
        boot:
          description:
            - What our script C(/etc/kubenode.connections/enforce.py) attaches when it runs at boot. C(enabled) is
              V(false) where our systemd unit will not run it, because that is not there or not enabled, or its Python
              is gone. V(null) where there is no script of ours.
          type: dict
          sample: {time: 600, intvl: 30, probes: 9, exclude_ports: [], exclude_cgroups: [], enabled: true}
        systemd:
          description: Whether systemd is installed, so that there can be a unit.
          type: bool
          sample: true
        others:
          description: How many programs of others for the same event are attached to the root cgroup.
          type: int
          sample: 0
    namespaces:
      description: The network namespaces of the node, this one included.
      type: dict
      contains:
        count:
          description: How many were seen, of processes and of mounts.
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
        shared:
          description:
            - Whether there is one keepalive for all of them, which is the node's own. So it is before Linux 4.5, where
              only the first namespace has these sysctls.
          type: bool
          sample: false
          version_added: 0.1.0
        keepalive:
          description: The TCP keepalive in them, equal ones together; C(own) marks that of this namespace.
          type: list
          elements: dict
          sample:
            - {time: 7200, intvl: 75, probes: 9, namespaces: 30, own: false}
            - {time: 600, intvl: 30, probes: 9, namespaces: 1, own: true}
        tables:
          description:
            - Which of the other namespaces have tables of their own that forget connections, as Docker Swarm has in
              C(ingress_sbox) and C(lb_*), and kind in the containers of its nodes.
            - IPVS counts where it has a virtual service there, connection tracking where its timeout for established
              connections is not the V(432000) that every namespace starts with.
          type: dict
          contains:
            rows:
              description: The namespaces, 100 at most, those with the lowest limits.
              type: list
              elements: dict
              contains:
                kind:
                  description: As in RV(node.pods.rows).
                  type: str
                  sample: other
                label:
                  description: As in RV(node.pods.rows).
                  type: str
                  sample: network namespace ingress_sbox
                netns:
                  description: The inode of the network namespace, as in C(/proc/PID/ns/net).
                  type: int
                  sample: 4026532801
                unprivileged:
                  description:
                    - Whether another user namespace than that of this module owns it, as in a rootless container. Then
                      an ordinary user may have set its values. V(false) where the kernel does not tell (before 4.9).
                  type: bool
                  sample: false
                ipvs:
                  description:
                    - How many virtual services IPVS has there, and how many may carry TCP, that is those for TCP and
                      those by firewall mark.
                    - C(timeouts) are V(null) where they could not be read. V(null) without a service.
                  type: dict
                  sample: {services: 3, tcp_services: 2, timeouts: {tcp: 900, tcpfin: 120, udp: 300}}
                conntrack:
                  description:
                    - After how many idle seconds connection tracking there forgets an established connection, and how
                      many it tracks now. V(null) for the default.
                  type: dict
                  sample: {established: 86400, entries: 31}
                error:
                  description: Why something of it could not be read.
                  type: str
                  sample: "/proc/self/net/ip_vs: Permission denied"
            omitted:
              description: How many were left out.
              type: int
              sample: 0
            unread:
              description:
                - In how many of the namespaces a table or its timeouts could not be read. One that is C(unprivileged)
                  has that in its row alone.
              type: int
              sample: 0
            error:
              description: Why, for the first of them.
              type: str
              sample: "/proc/self/net/ip_vs: Permission denied"
    pods:
      description:
        - The network namespaces of RV(node.namespaces) one by one, with the names of their pods and their connections
          to services and to other addresses.
        - A pod is known by the cgroup of its processes, its name by kubelet's directory of logs, C(/var/log/pods).
        - A container outside of pods is known in the same way where the cgroup is of Docker, podman, nerdctl,
          systemd-nspawn, libvirt, LXC or Incus. Its name comes from the cgroup, or from the files of Docker and podman
          in C(/var/lib/docker) and C(/var/lib/containers), if nobody but root can write them.
      type: dict
      contains:
        count:
          description: How many of the namespaces belong to pods. Pods in the node's own namespace have none.
          type: int
          sample: 29
        containers:
          description: How many of them belong to containers outside of pods. Those of users are not counted.
          type: int
          sample: 0
          version_added: 0.1.0
        rows:
          description:
            - One row for each namespace, 200 at most. The node's own comes first, then the worst, that is those with
              most connections without C(SO_KEEPALIVE) and with the longest silence.
            - Of those V(other) that belong to one pod or container, all but ten come last, so that it hides no other.
              So do all but ten that belong to none.
          type: list
          elements: dict
          contains:
            kind:
              description:
                - V(node) for the node's own namespace, V(pod), V(container) for one outside of pods, or V(other).
                - A namespace that a program made within its pod or container is V(other), too. So is that of a user's
                  own container (rootless), because a user gives cgroups any name.
              type: str
              sample: pod
            label:
              description:
                - What to call it. That is namespace and name of the pod, else V(pod UID). Of a container it is
                  V(container NAME (ENGINE\)), with its short ID where the name is not known. Else it is
                  V(process NAME (PID\)), or the name below C(/run/netns) or C(/run/docker/netns).
                - A pod of a cluster in a container, as kind has them, says so.
              type: str
              sample: default/web-0
            uid:
              description:
                - The UID of the pod, for a static pod the hash of its configuration. For a container its engine and ID,
                  such as V(nspawn-web).
              type: str
              sample: 0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0
            namespace:
              description: The pod's Kubernetes namespace.
              type: str
              sample: default
            name:
              description: The pod's name.
              type: str
              sample: web-0
            netns:
              description: The inode of the network namespace, as in C(/proc/PID/ns/net).
              type: int
              sample: 4026532801
            keepalive:
              description: The TCP keepalive in it. V(null) where it could not be read, see C(error).
              type: dict
              sample: {time: 7200, intvl: 75, probes: 9}
            retries2:
              description: C(net.ipv4.tcp_retries2) in it.
              type: int
              sample: 15
            error:
              description: Why something of it could not be read.
              type: str
              sample: "/proc/812/ns/net: Operation not permitted"
            sandbox:
              version_added: 0.1.0
              description:
                - What runs there with TCP of its own, by the names of the processes, so that the values of the host say
                  nothing about it. V(gvisor), or V(vm) for a virtual machine as Kata and KubeVirt have them.
                - V(null) where none was seen, and for the node itself.
              type: str
              sample: gvisor
            process:
              description:
                - The process with most connections that lack C(SO_KEEPALIVE), of those to services where there are any,
                  else the oldest.
                - C(runtime) is only looked for where such connections are. It is V(grpcio) (gRPC C-core), V(java),
                  V(dotnet), V(node), V(python), V(envoy), V(go), or V(grpc-go) and its version.
                - V(null) where it was not recognised.
                - C(pod) names the pod (hostNetwork) or the container of a process in the node's own namespace, by its
                  cgroup. It is V(null) elsewhere, where the row names the pod.
              type: dict
              sample: {pid: 4711, name: python3, runtime: grpcio, pod: null}
            connections:
              description: How many established TCP connections there are.
              type: int
              sample: 41
            to_services:
              description: How many of them go to a virtual service.
              type: int
              sample: 16
            without_keepalive:
              description: How many of those to services have no C(SO_KEEPALIVE).
              type: int
              sample: 6
            in_flight:
              description:
                - How many of those to services wait for an answer, so that their keepalive timer cannot be seen.
              type: int
              sample: 0
            lost:
              description:
                - How many connections to services IPVS of this node has forgotten already; idle for a minute or longer,
                  and no entry in its table. No other number but C(connections) has them.
              type: int
              sample: 0
            services_omitted:
              description: How many services are not listed.
              type: int
              sample: 0
            services:
              description:
                - The connections to each service, the worst 20 of each namespace and 1000 of all.
                - C(gaps) are pairs of seconds and connections, the seconds from the last packet to the end of the armed
                  keepalive timer, rounded up. So long a connection stays silent if nothing is sent.
              type: list
              elements: dict
              sample:
                - service: 10.96.12.7:50051
                  connections: 16
                  without_keepalive: 6
                  in_flight: 0
                  gaps: [[600, 7], [7200, 3]]
                  processes:
                    - {name: python3, pid: 4711, runtime: grpcio, pod: null, without_keepalive: 6, gap: 7200}
            to_outside:
              description:
                - How many connections it has opened to other addresses, such as databases, API servers and other pods.
                - Addresses of its own, loopback and link-local ones (C(169.254.0.0/16), C(fe80::/10)) do not count, nor
                  do those connections that are C(accepted).
              type: int
              sample: 5
            outside_without_keepalive:
              description: How many of these have no C(SO_KEEPALIVE).
              type: int
              sample: 3
            outside_in_flight:
              description: How many of these wait for an answer.
              type: int
              sample: 0
            outside:
              description:
                - The same of each of these addresses, with its port, the worst 20 of each namespace and 1000 of all.
                - Of a namespace with more than 4096 of them, 4096 are counted each by itself, the others only in the
                  numbers above.
              type: list
              elements: dict
              sample:
                - destination: 192.0.2.2:5432
                  connections: 5
                  without_keepalive: 3
                  in_flight: 0
                  gaps: [[7200, 2]]
                  processes:
                    - {name: python3, pid: 4711, runtime: python, pod: null, without_keepalive: 3, gap: 7200}
            accepted:
              description: How many connections came in at a port that listens. Who opened them decides over them.
              type: int
              sample: 20
            accepted_at:
              description:
                - What came in at each address and port of its own, those to services too, the worst 50 of a namespace
                  and 1000 of all. Loopback and link-local addresses do not count.
                - C(direct) of them came from another address, and to one that is no service's. Of all of them,
                  C(longest_gap) is the longest of the gaps that RV(node.pods.rows[].services) has.
              type: list
              elements: dict
              sample:
                - endpoint: 10.2.0.5:6379
                  connections: 20
                  direct: 20
                  without_keepalive: 0
                  in_flight: 0
                  longest_gap: 300
            accepted_omitted:
              description: How many connections came in at addresses and ports that are not listed.
              type: int
              sample: 0
        omitted:
          description: How many rows were left out. They are no worse than the last of RV(node.pods.rows).
          type: int
          sample: 0
        totals:
          description: The counts of all namespaces, those left out too.
          type: dict
          sample:
            {connections: 230, to_services: 61, without_keepalive: 6, to_outside: 40, outside_without_keepalive: 3}
        sockets_from:
          description:
            - Where the sockets were read, V(sock_diag) (netlink), or V(/proc/net/tcp) if some were read there. V(null)
              when they were not.
            - V(/proc/net/tcp) does not tell how long a connection is idle. The gaps are then only what is left of the
              keepalive timers.
          type: str
          sample: sock_diag
        error:
          description: Which connections to services could not be seen, and why.
          type: str
          sample: "/proc/net/nf_conntrack: Permission denied"
        rto:
          description:
            - How soon TCP repeats data on the connections of the node's own namespace to other addresses, in
              milliseconds. It is the round-trip time and 200 ms or more. C(p95_ms) is what 95 of 100 of the
              C(sockets) stay within.
            - V(null) when there is no such connection, or the sockets were not read through netlink.
          type: dict
          sample: {sockets: 212, p95_ms: 208, max_ms: 304}
    rearming:
      description:
        - Whether O(kubenode.connections.node_settings#module:open_connections) can arm the keepalive timers of open
          connections anew on this node. It is told without touching any of them.
      type: dict
      version_added: 0.1.0
      contains:
        possible:
          description: V(null) where that is not known.
          type: bool
          sample: true
        reason:
          description: Why not, or why it is not known, and what to do. V(null) where it is possible.
          type: str
          sample: Kernel 4.19.0-27-amd64 cannot do it (pidfd_getfd came with Linux 5.6). Boot a newer kernel.
    problems:
      description:
        - Everything that could not be read, why, and what to do.
        - C(id) does not change from release to release. It is V(ipvs-timeouts), V(ipvs-services), V(ipvs-connections),
          V(conntrack), V(boot), V(sysctls), V(kube-proxy), V(other-writers), V(kubelet), V(namespaces), V(softnet),
          V(rps), V(connections) or V(programs).
        - V(programs) speaks of connections that are listed without the process that has them open. They count all the
          same.
      type: list
      elements: dict
      sample:
        - id: ipvs-timeouts
          what: IPVS timeouts
          why: "IPVS timeouts: not read, the socket option answers Operation not permitted."
          do: "Run again as root (-e keepalive_become=true)."
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.look_times import check_sample, check_timeout
from ansible_collections.kubenode.connections.plugins.module_utils._common.printable import presentable
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import with_further
from ansible_collections.kubenode.connections.plugins.module_utils._observe.node import read_node


def main() -> None:
    """Read the node and return it."""
    module = AnsibleModule(
        argument_spec={
            "kube_proxy_address": {"type": "str"},
            "kube_proxy_timeout": {"type": "float", "default": 3},
            "sample_seconds": {"type": "float", "default": 1},
            "sysctls": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    timeout, sample = module.params["kube_proxy_timeout"], module.params["sample_seconds"]
    try:
        check_timeout("kube_proxy_timeout", timeout)
        check_sample("sample_seconds", sample)
        keys = with_further(module.params["sysctls"])
    except (NodeError, ValueError) as error:
        module.fail_json(msg=str(error))
    node = read_node(module.params["kube_proxy_address"], timeout, sample, keys)
    module.exit_json(changed=False, node=presentable(node))


if __name__ == "__main__":
    main()
