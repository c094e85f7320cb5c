#!/bin/sh -e
# Copyright: (c) 2026, the kubenode.connections authors
# SPDX-License-Identifier: GPL-3.0-or-later

# What kube-proxy in ipvs mode leaves in the kernel. It loads ip_vs at its start, not at boot.
modprobe -a ip_vs ip_vs_rr
ip link add kube-ipvs0 type dummy
ip address add 10.96.0.10/32 dev kube-ipvs0
ipvsadm --add-service --tcp-service 10.96.0.10:80 --scheduler rr
for server in 10.2.0.2:80 10.3.0.2:80; do
    ipvsadm --add-server --tcp-service 10.96.0.10:80 --real-server "$server" --masquerading
done

# A pod: a network namespace of its own, with the kernel's keepalive whatever the node has, and a process in a cgroup
# named as kubelet's systemd driver names it.
ip netns add pod
uid=0a1b2c3d-0000-4000-8000-000000000001
container=$(printf '%064d' 1)
cgroup=/sys/fs/cgroup/kubepods.slice/kubepods-pod$(echo $uid | tr - _).slice/cri-containerd-$container.scope
mkdir -p "$cgroup" "/var/log/pods/shop_web-0_$uid"
systemd-run --quiet --unit=web-0 ip netns exec pod sleep infinity
systemctl show --property=MainPID --value web-0.service >"$cgroup/cgroup.procs"
