# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel counts of connections and packets: connection tracking, softnet, and how both grow. Private to this
collection."""

import os
import re
import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from .procfs import Fault, read_sysctl, read_text


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
_NUMBER = r"-?[0-9]{1,19}"
_HEX = r"[0-9a-fA-F]{1,16}"


def read_conntrack() -> Conntrack:
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
        if len(columns) == len(header) and all(re.fullmatch(_HEX, column) for column in columns):
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
    if not re.fullmatch(_NUMBER, reading.value):
        errors.append(_odd(f"net.netfilter.{name}: {reading.value[:80]!r} is not a number"))
        return None
    return int(reading.value)


def _odd(why: str) -> Fault:
    return Fault(why, f"Report it and the kernel ({os.uname().release}) to the collection.")


_SOFTNET = "/proc/net/softnet_stat"
_SOFTNET_HEX = re.compile(r"[0-9a-fA-F]{1,8}")

# The columns of softnet_seq_show in net/core/net-procfs.c. received_rps came with 2.6.35 and the number of the CPU with
# 5.10; before, the rows are those of the CPUs that are online, in their order. What follows is lengths of queues.
_SOFTNET_COLUMNS = {"processed": 0, "dropped": 1, "time_squeeze": 2, "received_rps": 9}
_SOFTNET_CPU_COLUMN = 12


class Softnet(NamedTuple):
    """The counters of each CPU since boot, by cpu and the names above; error says what could not be read."""

    rows: List[Dict[str, int]]
    error: Optional[str]


def read_softnet() -> Softnet:
    """The counters as they are now. They are those of the whole machine, in every network namespace the same."""
    reading = read_text(_SOFTNET)
    rows, strange = parse_softnet(reading.value or "")
    return Softnet(rows, reading.error or (f"{_SOFTNET}: {strange} lines make no sense" if strange else None))


def parse_softnet(text: str) -> Tuple[List[Dict[str, int]], int]:
    """One mapping a CPU, and the number of lines that make no sense. The numbers are hexadecimal. Never raises."""
    rows, strange = [], 0
    for number, line in enumerate(text.splitlines()):
        columns = line.split()
        if len(columns) <= _SOFTNET_COLUMNS["time_squeeze"] or not all(
            _SOFTNET_HEX.fullmatch(column) for column in columns
        ):
            strange += 1
            continue
        values = [int(column, 16) for column in columns]
        row = {name: values[index] for name, index in _SOFTNET_COLUMNS.items() if index < len(values)}
        row["cpu"] = values[_SOFTNET_CPU_COLUMN] if len(values) > _SOFTNET_CPU_COLUMN else number
        rows.append(row)
    return rows, strange


Rows = Sequence[Mapping[str, int]]
"""Counters by name, a mapping a CPU, whose number is under cpu."""

COUNTERS = {"conntrack": ("invalid", "insert_failed", "drop", "early_drop"), "softnet": ("dropped", "time_squeeze")}
"""What counts as lost or late, by the table that has it."""


class Sample(NamedTuple):
    """One reading of each table, and when it was, in seconds of the monotonic clock."""

    at: float
    tables: Dict[str, Rows]


def take_sample(readers: Mapping[str, Callable[[], Rows]]) -> Sample:
    """Read the tables now."""
    return Sample(time.monotonic(), {name: read() for name, read in readers.items()})


def rest_seconds(first: Sample, sample_seconds: float) -> float:
    """How long is still to be waited so that the second reading comes sample_seconds after the first."""
    return max(0.0, first.at + sample_seconds - time.monotonic())


def growth(first: Sample, second: Sample) -> Dict[str, Any]:
    """By how much the counters grew, as node_info documents it.

    A table without a CPU in common (not loaded, or not readable) has no counters: {}. Each CPU counts on its own, so
    that one whose counters began anew (module reload) or that went away hides nothing of the others.
    """
    result: Dict[str, Any] = {"seconds": round(second.at - first.at, 3)}
    for name, counters in COUNTERS.items():
        result[name] = _grown(first.tables.get(name, ()), second.tables.get(name, ()), counters)
    return result


def _grown(first: Rows, second: Rows, counters: Sequence[str]) -> Dict[str, int]:
    before = {row["cpu"]: row for row in first if "cpu" in row}
    pairs = [(before[row["cpu"]], row) for row in second if row.get("cpu") in before]
    grown: Dict[str, int] = {}
    for counter in counters:
        steps: List[int] = [new[counter] - old[counter] for old, new in pairs if counter in old and counter in new]
        if steps:
            grown[counter] = sum(step for step in steps if step > 0)
    return grown
