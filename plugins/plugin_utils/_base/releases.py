# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the release of the kernel and of a Kubernetes component. Private to this collection."""

from __future__ import annotations

import re

Release = tuple[int, int, int]

_RAISES_SINCE, _RAISES_UNTIL = (1, 23), (1, 28)
"""kubernetes#103174 made kube-proxy raise conntrack sysctls only, in 1.23; #120448 took that back in 1.29."""

MAX_CAPPED_SINCE = (1, 36)
"""kubernetes#137002: from this release on kube-proxy asks for MAX_CAP connections at most by the number of CPUs."""

MAX_CAP = 1048576

_REUSE_LEFT_SINCE: tuple[Release, ...] = ((1, 20, 15), (1, 21, 9), (1, 22, 0))
"""kubernetes#102122, in 1.22, and its picks #107437 and #107438 of January 2022: conn_reuse_mode is left alone from
Linux 5.9 on. Older releases write it on every kernel that has it; kube-proxy 1.20.2 does so on Linux 7.2."""

MAX_RAISED_SINCE = (1, 38)
"""kubernetes#142035: from this release on kube-proxy only raises the maximum that it works out. Patch releases of 1.36
and 1.37 do, too."""

IPVS_TIMEOUTS_SINCE = (1, 18)
"""kubernetes#85517: kube-proxy sets IPVS timeouts from this release on."""

IPVS_WARNED_SINCE, IPVS_GATED_SINCE, IPVS_OFF_SINCE, IPVS_GONE_SINCE = (1, 35), (1, 37), (1, 40), (1, 43)
"""KEP-5495: kube-proxy warns of ipvs mode, has the feature gate KubeProxyIPVS for it, has that off, has it no more.
By KEP-5343 nftables becomes the default mode in the release that has ipvs mode off."""


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


def leaves_reuse_mode(version: str | None) -> bool:
    """Whether a kube-proxy of this version leaves conn_reuse_mode alone on Linux from 5.9 on; unknown ones do."""
    numbers = release(version)
    if numbers is None or numbers >= _REUSE_LEFT_SINCE[-1]:
        return True
    return any(numbers[:2] == each[:2] and numbers >= each for each in _REUSE_LEFT_SINCE)


def since(version: str | None, first: tuple[int, int]) -> bool:
    """Whether the version is known and not older than a minor release."""
    numbers = release(version)
    return numbers is not None and numbers[:2] >= first


def before(version: str | None, first: tuple[int, int]) -> bool:
    """Whether the version is known and older than a minor release."""
    numbers = release(version)
    return numbers is not None and numbers[:2] < first


Version = tuple[int, int, int]

FIXED = "fixed"
UNFIXED = "unfixed"
UNKNOWN = "unknown"
WITHOUT = "without"

# f0a5e4d7a594 "ipvs: allow connection reuse for unconfirmed conntrack": Linux 5.9 and, by the release notes of the
# stable kernels, from these on. Later ones of the same series have it too.
_REUSE_FIX = (5, 9, 0)
_REUSE_BACKPORTS: tuple[Version, ...] = ((4, 19, 140), (5, 4, 59), (5, 7, 16))

# The sysctl is that old (pkg/util/kernel/constants.go in kubernetes/kubernetes).
_REUSE_MODE_SINCE = (4, 1, 0)

_UDP_STREAM_SINCE = (5, 1, 0)
"""By then at the latest the default of nf_conntrack_udp_timeout_stream is 120 s; it was 180 s before (udp_timeouts in
net/netfilter/nf_conntrack_proto_udp.c). A distribution's older kernel may have either."""

_BPF_READS_SINCE = (6, 1, 0)
"""From then on bpf_getsockopt of a sock_ops program reads the keepalive options of TCP (do_tcp_getsockopt)."""

NFTABLES_SINCE = (5, 13, 0)
"""What kube-proxy's nftables mode needs (pkg/util/kernel/constants.go in kubernetes/kubernetes)."""


def version(release: str) -> Version | None:
    """The three numbers that ``uname -r`` begins with, 0 for a missing third one; None where it does not."""
    found = re.match(r"([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,5}))?", release)
    if found is None:
        return None
    major, minor, patch = found.groups()
    return int(major), int(minor), int(patch or 0)


def udp_stream_defaults(release: str) -> tuple[str, ...]:
    """What nf_conntrack_udp_timeout_stream may begin with on that kernel."""
    numbers = version(release)
    return ("120",) if numbers is not None and numbers >= _UDP_STREAM_SINCE else ("180", "120")


def bpf_reads_keepalive(release: str) -> bool:
    """Whether a sock_ops program can read what keepalive a socket has; a kernel of an unknown version may not."""
    numbers = version(release)
    return numbers is not None and numbers >= _BPF_READS_SINCE


def reuse_delay(release: str) -> str:
    """Whether conn_reuse_mode 1 delays a reused port by one second: fixed, unfixed, unknown, or without that sysctl.

    A distribution's kernel (any text behind the numbers) may have the fix under an older number, and of stable 5.8 it
    is not known from where on: unknown.
    """
    numbers = version(release)
    if numbers is None:
        return UNKNOWN
    if numbers < _REUSE_MODE_SINCE:
        return WITHOUT
    backported = any(numbers[:2] == each[:2] and numbers[2] >= each[2] for each in _REUSE_BACKPORTS)
    if numbers >= _REUSE_FIX or backported:
        return FIXED
    own_count = re.fullmatch(r"[0-9.]+", release) is None
    return UNKNOWN if own_count or numbers > (5, 8, 0) else UNFIXED


def kube_proxy_forces_reuse_off(release: str, kube_proxy: str | None = None) -> bool:
    """Whether a kube-proxy of that version in ipvs mode writes conn_reuse_mode 0 at every start.

    From 4.1 up to, not with, 5.9; an old one above, too. It goes by the number only, so kernels that have the fix by a
    backport get 0 as well (pkg/proxy/ipvs/proxier.go).
    """
    numbers = version(release)
    if numbers is None or numbers < _REUSE_MODE_SINCE:
        return False
    return numbers < _REUSE_FIX or not leaves_reuse_mode(kube_proxy)
