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


MAX_EXCLUDED_PORTS = 256
"""Two instructions each, run for every new connection."""

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


# The timer wheel rounds up by one granule of its level, at worst 8/63 of the timer's length, so a period p may last
# p * 71/63 (kernel/time/timer.c, the table in its header; since 4.8). Kept as integers: no limit is a rounding error.
SLACK_NUMERATOR = 71
SLACK_DENOMINATOR = 63


def with_slack(seconds: int) -> int:
    """How long a timer of that many seconds may run at most, rounded up to whole seconds."""
    return -(-SLACK_NUMERATOR * seconds // SLACK_DENOMINATOR)


def without_slack(seconds: int) -> int:
    """The longest timer that has surely fired after that many seconds, in whole seconds."""
    return SLACK_DENOMINATOR * seconds // SLACK_NUMERATOR


def silence_seconds(keepalive: Keepalive, lost_probes: int) -> int:
    """The longest silence on a healthy idle connection of which ``lost_probes`` probes in a row are lost.

    Without a loss it is the larger of time and intvl: after an answered probe the timer runs for intvl, and when it
    fires the time since the answer is compared with time (tcp_keepalive_timer in net/ipv4/tcp_timer.c).
    """
    return max(keepalive.time + lost_probes * keepalive.intvl, keepalive.intvl)


def spare_seconds(keepalive: Keepalive, limit_seconds: int, lost_probes: int) -> int:
    """Whole seconds between the latest probe that must get through and the limit; negative is too late by so many."""
    return limit_seconds - with_slack(silence_seconds(keepalive, lost_probes))


def is_usable(keepalive: Keepalive) -> bool:
    """Whether idle connections survive it: with 0 probes the kernel resets them at the first timer."""
    return min(keepalive) >= 1


def keeps(keepalive: Keepalive, limit_seconds: int) -> bool:
    """Whether an idle connection is refreshed before the limit while no probe is lost: a fact, no wish."""
    return is_usable(keepalive) and spare_seconds(keepalive, limit_seconds, 0) >= 0


def losses_below(keepalive: Keepalive, limit_seconds: int) -> int:
    """How many probes in a row may be lost before the limit comes first, for a keepalive that ``keeps``."""
    return (without_slack(limit_seconds) - keepalive.time) // keepalive.intvl


def spare_for_verdict(keepalive: Keepalive, limit_seconds: int, lost_probes: int) -> int:
    """spare_seconds for as many lost probes as are survived, at most ``lost_probes``: negative only where too late."""
    lost = min(lost_probes, losses_below(keepalive, limit_seconds)) if keeps(keepalive, limit_seconds) else lost_probes
    return spare_seconds(keepalive, limit_seconds, lost)


def is_late(gap: int, keepalive: Keepalive, limit_seconds: int) -> bool:
    """Whether a timer with that gap, in a network namespace with that keepalive, ends after an idle limit.

    The gap is in seconds, from the last packet to the end of the armed timer. If it goes beyond the limit, so does the
    timer of which it is only what is left. In a namespace whose time is too late, a shorter gap may come from the
    socket's own TCP_KEEPIDLE. Nobody sees the TCP_KEEPINTVL of that socket, so the gap counts alone. Otherwise the
    interval of the namespace counts, too.
    """
    if gap < keepalive.time and not keeps(keepalive, limit_seconds):
        return with_slack(gap) > limit_seconds
    return not keeps(keepalive._replace(time=max(gap, 1)), limit_seconds)
