# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node is brought to by node_settings in the tests, and nodes on which others have files, too."""

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    write,
)

TIME = "net.ipv4.tcp_keepalive_time"
INTVL = "net.ipv4.tcp_keepalive_intvl"
PROBES = "net.ipv4.tcp_keepalive_probes"
BRIDGE = "net.bridge.bridge-nf-call-iptables"
FILE = "/etc/sysctl.d/k8s.conf"
MODULES = "/etc/modules-load.d/k8s.conf"

WISH = Settings(modules=("br_netfilter",), sysctls={TIME: "600", INTVL: "30", BRIDGE: "0"})
BAD = WISH._replace(sysctls={TIME: "600", INTVL: "30", PROBES: "999"})
FOREIGN = b"# gr\xfc\xdfe\r\nvm.swappiness=10\n-net/ipv4/tcp_keepalive_time =\t7200\n%b=99\n" % INTVL.encode()


def without_directories():
    """A node on which nobody has made the drop-in directories."""
    os.rmdir("/etc/sysctl.d")
    os.rmdir("/etc/modules-load.d")


def lived_in():
    """A node on which others have files, too."""
    os.chmod(write(FILE, FOREIGN), 0o640)
    os.chown(FILE, 5, 6)
    write(MODULES, b"overlay")
    write("/etc/sysctl.d/other.conf", b"garbage\n" + b"x" * 5000)


def lived_in_openly():
    """The same where everybody may read what others have, so that it is shown whole."""
    lived_in()
    os.chmod(FILE, 0o644)


def refusal(settings, check=False):
    with pytest.raises(NodeError) as error:
        converge(settings, check)
    return str(error.value)
