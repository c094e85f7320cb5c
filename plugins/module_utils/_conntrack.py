# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection tracking of this network namespace. Reading only. Private to this collection."""

import os
import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._procfs import (
    Fault,
    read_sysctl,
    read_text,
)


class Conntrack(NamedTuple):
    """What connection tracking says of itself: timeouts are seconds by state, errors say what could not be read."""

    loaded: bool
    entries: Optional[int]
    max: Optional[int]
    be_liberal: Optional[int]
    timeouts: Dict[str, int]
    statistics: List[Dict[str, int]]
    errors: List[Fault]


_SYSCTLS = "/proc/sys/net/netfilter"
_STATISTICS = "/proc/net/stat/nf_conntrack"
_TCP_TIMEOUT = "nf_conntrack_tcp_timeout_"
_UDP_TIMEOUTS = {"nf_conntrack_udp_timeout": "udp", "nf_conntrack_udp_timeout_stream": "udp_stream"}
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_HEX = re.compile(r"[0-9a-fA-F]{1,16}")


def read() -> Conntrack:
    """Everything about connection tracking in this network namespace; all is empty where it is not loaded."""
    names = _names()
    if "nf_conntrack_max" not in names:
        return Conntrack(False, None, None, None, {}, [], [])
    errors: List[Fault] = []
    reading = read_text(_STATISTICS)
    statistics, strange = parse_statistics(reading.value or "")
    if reading.error:
        errors.append(Fault(reading.error, reading.do))
    if strange:
        errors.append(_odd(f"{_STATISTICS}: {strange} lines do not fit the header"))
    return Conntrack(
        True,
        _number("nf_conntrack_count", errors),
        _number("nf_conntrack_max", errors),
        _number("nf_conntrack_tcp_be_liberal", errors),
        _timeouts(names, errors),
        statistics,
        errors,
    )


def read_statistics() -> List[Dict[str, int]]:
    """The counters of each CPU as they are now, none where they are not there or cannot be read."""
    return parse_statistics(read_text(_STATISTICS).value or "")[0]


def parse_statistics(text: str) -> Tuple[List[Dict[str, int]], int]:
    """One mapping a CPU out of /proc/net/stat/nf_conntrack, and the number of lines that do not fit. Never raises.

    The header names the columns, which differ from kernel to kernel; the numbers are hexadecimal. cpu is the line's
    number from 0, ``entries`` is the same in each (net/netfilter/nf_conntrack_standalone.c).
    """
    lines = text.splitlines()
    header = lines[0].split() if lines else []
    rows, strange = [], 0
    for cpu, line in enumerate(lines[1:]):
        columns = line.split()
        if len(columns) == len(header) and all(_HEX.fullmatch(column) for column in columns):
            row = {name: int(column, 16) for name, column in zip(header, columns)}
            row["cpu"] = cpu
            rows.append(row)
        else:
            strange += 1
    return rows, strange


def _names() -> List[str]:
    try:
        return sorted(os.listdir(_SYSCTLS))
    except OSError:
        return []


def _timeouts(names: List[str], errors: List[Fault]) -> Dict[str, int]:
    """The TCP timeouts by state and the two UDP ones, in seconds."""
    timeouts = {}
    for name in names:
        state = _UDP_TIMEOUTS.get(name)
        if name.startswith(_TCP_TIMEOUT):
            state = name[len(_TCP_TIMEOUT) :]
        seconds = _number(name, errors) if state else None
        if state and seconds is not None:
            timeouts[state] = seconds
    return timeouts


def _number(name: str, errors: List[Fault]) -> Optional[int]:
    """The value of a net.netfilter key, None where it is not there or no number; what went wrong is added to errors."""
    reading = read_sysctl("net.netfilter." + name)
    if reading.error:
        errors.append(Fault(reading.error, reading.do))
    if reading.value is None:
        return None
    if not _NUMBER.fullmatch(reading.value):
        errors.append(_odd(f"net.netfilter.{name}: {reading.value[:80]!r} is not a number"))
        return None
    return int(reading.value)


def _odd(why: str) -> Fault:
    return Fault(why, f"Report it and the kernel ({os.uname().release}) to the collection.")
