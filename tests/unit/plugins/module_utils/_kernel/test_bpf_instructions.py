# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf_instructions as asm

# As clang and llvm-mc write them (struct bpf_insn: code, registers, offset, value), bytes in memory.
ROWS = [
    pytest.param(asm.move(6, 1, ""), "bf16000000000000", "bf61000000000000", id="r6 = r1"),
    pytest.param(asm.number(0, 1, ""), "b700000001000000", "b700000000000001", id="r0 = 1"),
    pytest.param(asm.add(4, -4, ""), "07040000fcffffff", "07400000fffffffc", id="r4 += -4"),
    pytest.param(asm.load(1, 6, 68, ""), "6161440000000000", "6116004400000000", id="r1 = *(u32 *)(r6 + 68)"),
    pytest.param(asm.store(10, -4, 7, ""), "637afcff00000000", "63a7fffc00000000", id="*(u32 *)(r10 - 4) = r7"),
    pytest.param(asm.store_number(10, -4, 9, ""), "620afcff09000000", "62a0fffc00000009", id="*(u32 *)(r10 - 4) = 9"),
    pytest.param(asm.as_big_endian(8), "dc08000020000000", "dc80000000000020", id="r8 = be32 r8"),
    pytest.param(asm.shift_right(1, 24, ""), "7701000018000000", "7710000000000018", id="r1 >>= 24"),
    pytest.param(asm.call(49, ""), "8500000031000000", "8500000000000031", id="call 49"),
    pytest.param(asm.leave(""), "9500000000000000", "9500000000000000", id="exit"),
]


@pytest.mark.parametrize(("line", "little", "big"), ROWS)
def test_an_instruction_on_machines_of_both_byte_orders(line, little, big):
    assert asm.assemble([line], "little")[0][0].hex() == little
    assert asm.assemble([line], "big")[0][0].hex() == big


@pytest.mark.parametrize(("relation", "code"), [("==", "15"), ("!=", "55"), (">=", "35")])
def test_a_jump_on_a_condition(relation, code):
    lines = [asm.jump_if(1, relation, 0x6B616578, "there", ""), asm.leave(""), asm.place("there"), asm.leave("")]
    assert asm.assemble(lines, "little")[0][0].hex() == code + "0101007865616b"
    assert asm.assemble(lines, "big")[0][0].hex() == code + "1000016b616578"


def test_a_jump_counts_instructions_from_the_next_one_on_and_places_are_none():
    lines = [asm.place("start"), asm.jump("end", "away"), asm.place("between"), asm.jump("start", "back")]
    lines += [asm.jump("end", "on"), asm.place("end"), asm.leave("over")]
    assert [(code.hex(), meaning) for code, meaning in asm.assemble(lines, "little")] == [
        ("0500020000000000", "skip 2: away"),
        ("0500feff00000000", "skip -2: back"),
        ("0500000000000000", "skip 0: on"),
        ("9500000000000000", "over"),
    ]
