# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the last plan said of pods and containers, done for those that have come since. Private to this collection."""

from typing import List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import Conf


class Cured(NamedTuple):
    """How many pods and containers were given the planned keepalive, and what did not take it, in sentences."""

    number: int
    problems: List[str]


def give(conf: Conf) -> Cured:
    """Give the planned keepalive to those that have the kernel's default, in one transaction. Raises NodeError."""
    pods, containers = _values(conf, "give_pods"), _values(conf, "give_containers")
    if pods is None and containers is None:
        return Cured(0, [])
    done = converge(Settings(pods=pods, containers=containers), check=False)
    given = [*(done.after["pods"] or ()), *(done.after["containers"] or ())]
    why = [
        f"{each['pod']}: it did not take the keepalive {each['wanted']}: {each['why']}" for each in done.pods_not_taken
    ]
    return Cured(len(given), why)


def _values(conf: Conf, name: str) -> Optional[Tuple[int, ...]]:
    wanted = conf.plan["watch"][name]
    return (wanted["time"], wanted["intvl"], wanted["probes"]) if wanted else None
