# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sets of CPUs in the kernel's two spellings, lists and masks. Pure. Private to this collection."""

import re
from typing import Collection, FrozenSet, List, Set

Cpus = FrozenSet[int]

HIGHEST_CPU = 65535
"""No kernel numbers CPUs higher (NR_CPUS is 8192 at most on x86)."""

_RANGE = r"([0-9]{1,6})(?:-([0-9]{1,6}))?"
_MASK = r"(?:[0-9a-fA-F]{1,8})(?:,[0-9a-fA-F]{1,8})*"
_GROUP_BITS = 32


def parse_list(text: str) -> Cpus:
    """The CPUs of a list such as 0-3,8, none for an empty one. Raises ValueError."""
    cpus: Set[int] = set()
    for part in text.strip().split(",") if text.strip() else []:
        found = re.fullmatch(_RANGE, part.strip())
        first, last = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (1, 0)
        if not first <= last <= HIGHEST_CPU:
            raise ValueError(f"{text!r} is not a list of CPUs")
        cpus.update(range(first, last + 1))
    return frozenset(cpus)


def format_list(cpus: Collection[int]) -> str:
    """The list of these CPUs as the kernel writes it (``%*pbl``), such as 0-3,8."""
    ranges: List[List[int]] = []
    for cpu in sorted(cpus):
        if ranges and cpu == ranges[-1][1] + 1:
            ranges[-1][1] = cpu
        else:
            ranges.append([cpu, cpu])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def parse_mask(text: str) -> Cpus:
    """The CPUs of a mask: hexadecimal, in groups of 32 bits from the highest to the lowest. Raises ValueError."""
    if not re.fullmatch(_MASK, text.strip()) or len(text) > HIGHEST_CPU // 2:
        raise ValueError(f"{text[:80]!r} is not a mask of CPUs")
    number = 0
    for group in text.strip().split(","):
        number = (number << _GROUP_BITS) | int(group, 16)
    return frozenset(bit for bit in range(number.bit_length()) if number >> bit & 1)


def format_mask(cpus: Collection[int]) -> str:
    """The mask of these CPUs without leading zeros, such as f or 3,00000000; 0 for none.

    The kernel takes it so and prints it with as many leading zeros as it has CPUs (bitmap_parse and ``%*pb``).
    """
    number = sum(1 << cpu for cpu in set(cpus))
    groups: List[int] = []
    while number or not groups:
        groups.append(number & 0xFFFFFFFF)
        number >>= _GROUP_BITS
    return ",".join([f"{groups[-1]:x}"] + [f"{group:08x}" for group in reversed(groups[:-1])])
