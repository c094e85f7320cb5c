# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPVS for machines whose kernel has none."""

import json
import os

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_timeouts, modules

OWN = "/proc/self/ns/net"


class Kernel:
    """IPVS as the kernel does it, for machines without: three ints, 0 keeps. The real one is tested in a VM."""

    def __init__(self, monkeypatch, *seconds):
        self.now = ipvs_timeouts.Timeouts(*seconds) if seconds else None
        self.calls = []
        monkeypatch.setattr(modules, "ipvs_loaded", lambda: self.now is not None)
        monkeypatch.setattr(ipvs_timeouts, "get_timeouts", lambda: self.now)
        monkeypatch.setattr(ipvs_timeouts, "set_timeouts", self.set)

    def set(self, timeouts):
        self.calls.append(tuple(timeouts))
        if 13 in timeouts:
            raise ipvs_timeouts.IpvsError("IPVS timeouts: not set, the kernel answers Invalid argument.")
        self.now = ipvs_timeouts.Timeouts(*(new or old for new, old in zip(timeouts, self.now)))


class Kernels:
    """IPVS in every network namespace, each with timeouts of its own that also outlive the process that sets them."""

    def __init__(self, monkeypatch, folder):
        self._folder = folder
        monkeypatch.setattr(modules, "ipvs_loaded", lambda: True)
        monkeypatch.setattr(ipvs_timeouts, "get_timeouts", lambda: self.now(os.stat(OWN).st_ino))
        monkeypatch.setattr(ipvs_timeouts, "set_timeouts", self._set)

    def now(self, inode):
        try:
            with open(os.path.join(self._folder, str(inode)), encoding="ascii") as handle:
                return ipvs_timeouts.Timeouts(*json.load(handle))
        except FileNotFoundError:
            return ipvs_timeouts.Timeouts(900, 120, 300)

    def set(self, inode, *seconds):
        with open(os.path.join(self._folder, str(inode)), "w", encoding="ascii") as handle:
            json.dump(seconds, handle)

    def _set(self, timeouts):
        if 13 in timeouts:
            raise ipvs_timeouts.IpvsError("IPVS timeouts: not set, the kernel answers Invalid argument.")
        inode = os.stat(OWN).st_ino
        self.set(inode, *(new or old for new, old in zip(timeouts, self.now(inode))))
