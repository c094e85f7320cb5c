# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kernel's three keepalive values, for nodes and the controller. Pure. Private to this collection."""

from typing import NamedTuple, Tuple

KEYS = ("net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes")


class Keepalive(NamedTuple):
    """Seconds before the first probe, seconds between probes, unanswered probes to end: the sysctls KEYS."""

    time: int
    intvl: int
    probes: int

    def __str__(self) -> str:
        return "/".join(str(number) for number in self)


class Enforcement(NamedTuple):
    """A keepalive for every new connection but those from or to these ports, and those of processes in these cgroups.

    exclude_cgroups: paths below the root of cgroup v2, such as /system.slice/sshd.service.
    """

    keepalive: Keepalive
    exclude_ports: Tuple[int, ...] = ()
    exclude_cgroups: Tuple[str, ...] = ()


KERNEL_DEFAULT = Keepalive(7200, 75, 9)
"""What every new network namespace starts with (TCP_KEEPALIVE_TIME, _INTVL, _PROBES in include/net/tcp.h)."""

HIGHEST = Keepalive(32767, 32767, 127)
"""What setsockopt takes (MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT in include/net/tcp.h), from 1 on.

The sysctls take any int, among them values that end healthy connections or flood them with probes (tcp_keepalive_timer
in net/ipv4/tcp_timer.c).
"""


def parse(text: str) -> Keepalive:
    """``600/30/9`` as values. Raises ValueError."""
    time, intvl, probes = (int(number) for number in text.split("/"))
    return Keepalive(time, intvl, probes)
