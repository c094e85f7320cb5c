# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the idle limits are called that a kernel has now, for nodes and the controller. Private to this collection."""

IPVS_TCP = "IPVS tcp"
CONNTRACK = "conntrack established"
CONNTRACK_POLICY = "conntrack established by a timeout policy"
