# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The unit of ours as a whole, and how systemd reads a command."""

import shlex

TEXT = b"""\
# Written by kubenode.connections, which removes it again (node_settings with state=absent).
[Unit]
Description=Set the IPVS timeouts again after boot
After=systemd-modules-load.service
Before=kubelet.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=-/usr/sbin/modprobe ip_vs
ExecStart=/usr/bin/python3 -c "import socket, struct; \
socket.socket().setsockopt(0, 1162, struct.pack('3i', 8284, 0, 400))"

[Install]
WantedBy=multi-user.target
"""


def systemd_words(line):
    """The words that systemd makes of a command line; for double quotes and backslashes it agrees with a shell."""
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]
