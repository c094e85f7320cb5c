#!/bin/sh
# Copyright: (c) 2026, the kubenode.connections authors
# SPDX-License-Identifier: GPL-3.0-or-later

# What the kernel has now of all that the collection may set, a line each; what is not there has none. It loads no module.
sysctl --all --pattern '^net\.' 2>/dev/null
test ! -e /proc/net/ip_vs || ipvsadm -l --timeout | sed 's/.*: /IPVS = /'
grep -H '' /sys/class/net/eth*/queues/rx-*/rps_* | sed 's/:/ = /'
sed 's/ .*/ = loaded/; s/^/module /' /proc/modules
