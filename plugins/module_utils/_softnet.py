# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the CPUs keep up with received packets: /proc/net/softnet_stat. Reading only. Private to this collection."""

import re
from typing import Dict, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._procfs import read_text

_PATH = "/proc/net/softnet_stat"
_HEX = re.compile(r"[0-9a-fA-F]{1,8}")

# The columns of softnet_seq_show in net/core/net-procfs.c. received_rps came with 2.6.35 and the number of the CPU with
# 5.10; before, the rows are those of the CPUs that are online, in their order. What follows is lengths of queues.
_COLUMNS = {"processed": 0, "dropped": 1, "time_squeeze": 2, "received_rps": 9}
_CPU_COLUMN = 12


class Softnet(NamedTuple):
    """The counters of each CPU since boot, by cpu and the names above; error says what could not be read."""

    rows: List[Dict[str, int]]
    error: Optional[str]


def read() -> Softnet:
    """The counters as they are now. They are those of the whole machine, in every network namespace the same."""
    reading = read_text(_PATH)
    rows, strange = parse(reading.value or "")
    return Softnet(rows, reading.error or (f"{_PATH}: {strange} lines make no sense" if strange else None))


def parse(text: str) -> Tuple[List[Dict[str, int]], int]:
    """One mapping a CPU, and the number of lines that make no sense. The numbers are hexadecimal. Never raises."""
    rows, strange = [], 0
    for number, line in enumerate(text.splitlines()):
        columns = line.split()
        if len(columns) <= _COLUMNS["time_squeeze"] or not all(_HEX.fullmatch(column) for column in columns):
            strange += 1
            continue
        values = [int(column, 16) for column in columns]
        row = {name: values[index] for name, index in _COLUMNS.items() if index < len(values)}
        row["cpu"] = values[_CPU_COLUMN] if len(values) > _CPU_COLUMN else number
        rows.append(row)
    return rows, strange
