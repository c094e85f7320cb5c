# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IPVS for machines whose kernel has none."""

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_timeouts, modules


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
