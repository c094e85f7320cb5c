# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the release of a Kubernetes component. Private to this collection."""

from __future__ import annotations

import re

Release = tuple[int, int, int]

_RAISES_SINCE, _RAISES_UNTIL = (1, 23), (1, 28)
"""kubernetes#103174 made kube-proxy raise conntrack sysctls only, in 1.23; #120448 took that back in 1.29."""

MAX_CAPPED_SINCE = (1, 36)
"""kubernetes#137002: from this release on kube-proxy asks for MAX_CAP connections at most by the number of CPUs."""

MAX_CAP = 1048576

IPVS_WARNED_SINCE, IPVS_OFF_SINCE, IPVS_GONE_SINCE = (1, 35), (1, 40), (1, 43)
"""KEP-5495: ipvs mode is warned of, off unless the feature gate KubeProxyIPVS turns it on, and removed."""


def release(version: str | None) -> Release | None:
    """The three numbers of a version such as v1.31.2 or v1.31.2+k3s1; None for anything else."""
    found = re.match(r"v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?!\d)", version or "")
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def raises_only(version: str | None) -> bool | None:
    """Whether a kube-proxy of this version leaves a conntrack sysctl alone that is higher than its own value.

    True for v1.23 to v1.28, False for all others, None where the version is not known.
    """
    numbers = release(version)
    return None if numbers is None else _RAISES_SINCE <= numbers[:2] <= _RAISES_UNTIL


def since(version: str | None, first: tuple[int, int]) -> bool:
    """Whether the version is known and not older than a minor release."""
    numbers = release(version)
    return numbers is not None and numbers[:2] >= first
