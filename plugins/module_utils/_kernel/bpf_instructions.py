# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instructions of the kernel's BPF machine, and their bytes. Pure. Private to this collection.

Eleven registers of 64 bits; register 10 is the end of a stack of 512 bytes. Codes are those of
include/uapi/linux/bpf_common.h and bpf.h.
"""

import struct
import sys
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple


class Line(NamedTuple):
    """An instruction (struct bpf_insn) with its meaning and the place that it jumps to, or (code None) such a place."""

    code: Optional[int]
    to: int = 0
    source: int = 0
    offset: int = 0
    value: int = 0
    goal: str = ""
    meaning: str = ""


def assemble(lines: Sequence[Line], byteorder: str = sys.byteorder) -> List[Tuple[bytes, str]]:
    """Each instruction as the kernel of a machine of that byte order takes it, with its meaning.

    A jump skips that many instructions, counted from the next one on.
    """
    places: Dict[str, int] = {}
    instructions: List[Line] = []
    for line in lines:
        if line.code is None:
            places[line.goal] = len(instructions)
        else:
            instructions.append(line)
    return [_assembled(line, places.get(line.goal), at, byteorder) for at, line in enumerate(instructions)]


def _assembled(line: Line, goal: Optional[int], at: int, byteorder: str) -> Tuple[bytes, str]:
    if goal is None:
        return _packed(line, line.offset, byteorder), line.meaning
    skipped = goal - at - 1
    return _packed(line, skipped, byteorder), f"skip {skipped}: {line.meaning}"


def _packed(line: Line, offset: int, byteorder: str) -> bytes:
    """The two registers are bit fields in one byte: the first is the lower half, on big-endian machines the upper."""
    little = byteorder == "little"
    registers = line.to | line.source << 4 if little else line.to << 4 | line.source
    return struct.pack("<BBhi" if little else ">BBhi", line.code, registers, offset, line.value)


def place(name: str) -> Line:
    return Line(None, goal=name)


def move(to: int, source: int, meaning: str) -> Line:
    return Line(0xBF, to, source, meaning=meaning)


def number(to: int, value: int, meaning: str) -> Line:
    return Line(0xB7, to, value=value, meaning=meaning)


def add(to: int, value: int, meaning: str) -> Line:
    return Line(0x07, to, value=value, meaning=meaning)


def load(to: int, source: int, offset: int, meaning: str) -> Line:
    """32 bits from memory; the upper half of the register becomes 0."""
    return Line(0x61, to, source, offset, meaning=meaning)


def jump_if(register: int, relation: str, value: int, goal: str, meaning: str) -> Line:
    """Jump where the register as an unsigned number is so."""
    return Line({"==": 0x15, "!=": 0x55, ">=": 0x35}[relation], register, value=value, goal=goal, meaning=meaning)


def jump(goal: str, meaning: str) -> Line:
    return Line(0x05, goal=goal, meaning=meaning)


def as_big_endian(register: int) -> Line:
    """Network order to a number: swapped on little-endian machines, nothing on others."""
    return Line(0xDC, register, value=32, meaning="out of network order")


def store(base: int, offset: int, source: int, meaning: str) -> Line:
    """The lower 32 bits of a register to memory."""
    return Line(0x63, base, source, offset, meaning=meaning)


def store_number(base: int, offset: int, value: int, meaning: str) -> Line:
    """A number of 32 bits to memory."""
    return Line(0x62, base, 0, offset, value, meaning=meaning)


def shift_right(register: int, bits: int, meaning: str) -> Line:
    return Line(0x77, register, value=bits, meaning=meaning)


def call(helper: int, meaning: str) -> Line:
    """A function of the kernel: its arguments are registers 1 to 5, which it takes away; its answer is register 0."""
    return Line(0x85, value=helper, meaning=meaning)


def leave(meaning: str) -> Line:
    """The end of the program; register 0 is its answer."""
    return Line(0x95, meaning=meaning)
