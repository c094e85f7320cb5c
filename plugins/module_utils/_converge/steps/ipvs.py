# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that sets IPVS timeouts. Private to this collection."""

from typing import Dict, Mapping, Optional, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.ipvs import CELLS, Timeouts
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import ipvs_timeouts, modules

from ..originals import LiveRecord
from ..restorable import LiveTarget, live_target
from ..transaction import Step


class IpvsTimeouts(Step):
    """The three IPVS timeouts in seconds, set in one call; names neither wanted nor recorded stay as they are."""

    area = "ipvs_timeouts"
    where = ""

    def __init__(
        self, records: Mapping[str, LiveRecord], wanted: Mapping[str, Optional[int]], loading: Sequence[str] = ()
    ) -> None:
        self._records = records
        self._wanted = wanted
        self._loading = loading
        self._previous: Optional[Dict[str, int]] = None
        before = self._now()
        self.targets = self._plan(before)
        super().__init__("IPVS timeouts", before, self._after(before))

    def learn(self) -> None:
        """Plan again with the values that are there now: a module loaded since may have brought them."""
        if self.before is None:
            self.targets = self._plan(self._now())

    def foresee(self) -> None:
        if self.before is None and "ip_vs" not in self._loading:
            raise NodeError(
                "IPVS timeouts: the kernel has no IPVS loaded (module ip_vs, /proc/net/ip_vs), so there is nothing to "
                "set. Load it first (modprobe ip_vs), or list ip_vs in modules of kubenode.connections.node_settings."
            )

    def read(self) -> Optional[Dict[str, int]]:
        now = self._now()
        if now is None or self.after is None:
            return now
        return {name: seconds for name, seconds in now.items() if name in self.after}

    def apply(self) -> None:
        self._previous = self._now()
        self._set(self.after)

    def undo(self) -> None:
        if self._previous is not None and self._now() not in (None, self._previous):
            self._set(self._previous)

    def _plan(self, now: Optional[Mapping[str, int]]) -> Dict[str, LiveTarget]:
        return {
            name: live_target(self._called(name), (now or {}).get(name), self._records.get(name), seconds)
            for name, seconds in self._wanted.items()
        }

    def _after(self, before: Optional[Mapping[str, int]]) -> Optional[Dict[str, int]]:
        after = dict(before or {})
        after.update({name: int(target.after) for name, target in self.targets.items() if target.after is not None})
        return after or None

    def _called(self, name: str) -> str:
        return f"the IPVS timeout {name}"

    def _now(self) -> Optional[Dict[str, int]]:
        try:
            return dict(ipvs_timeouts.get_timeouts()._asdict()) if modules.ipvs_loaded() else None
        except ipvs_timeouts.IpvsError as error:
            raise NodeError(str(error)) from error

    def _set(self, seconds: Mapping[str, int]) -> None:
        try:
            ipvs_timeouts.set_timeouts(Timeouts(*(seconds.get(name, 0) for name in CELLS)))
        except ipvs_timeouts.IpvsError as error:
            raise NodeError(str(error)) from error
