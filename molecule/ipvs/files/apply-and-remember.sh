#!/bin/sh -e
# Copyright: (c) 2026, the kubenode.connections authors
# SPDX-License-Identifier: GPL-3.0-or-later

systemctl restart systemd-modules-load.service
systemctl restart systemd-sysctl.service
find /etc -xdev -type f -exec sha256sum {} + > /var/tmp/etc.sha256
sh /live.sh > /var/tmp/live
