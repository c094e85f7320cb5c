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

# A pod: a network namespace of its own, with the kernel's keepalive whatever the node has.
ip netns add pod
