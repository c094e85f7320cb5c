# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ELF programs with Go's build information as its linker writes it (debug/buildinfo/buildinfo.go)."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._observe.connections import go_buildinfo

GRPC = "google.golang.org/grpc"
MODULES = (
    "path\texample.org/web\nmod\texample.org/web\t(devel)\t\n"
    "dep\tgithub.com/golang/protobuf\tv1.5.3\th1:KhyjKVUg7Usr/dYsdSqoFveMYd5ko72D+zANwlG1mmg=\n"
    "dep\tgoogle.golang.org/grpc\tv1.59.0\th1:Z5Iec2pjwb+LEOqzpB2MR12/eKFhDPhuqW91O+4bwUk=\n"
    "dep\tgoogle.golang.org/genproto/googleapis/rpc\tv0.0.0-20230822172742-b8732ec3820d\th1:x=\n"
    "build\t-compiler=gc\n"
)
HEADER_BYTES = 64


def build_info(modules, flags=2):
    """Magic, pointer size, flags, 16 bytes of nothing, then Go's version and the modules, each with its length."""
    text = (b"0" * 16 + modules.encode() + b"1" * 16) if modules is not None else b""
    return b"\xff Go buildinf:" + bytes([8, flags]) + b"\0" * 16 + varint(8) + b"go1.21.3" + varint(len(text)) + text


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def elf(info, order="<", sections=True, before=b"x" * 5000):
    """A program whose data segment holds ``before`` and then the build information, perhaps without section headers."""
    start = HEADER_BYTES + 56 * 2 + 64 * 3
    at = start + len(before)
    end = at + len(info)
    header = b"\x7fELF\x02" + bytes([1 if order == "<" else 2, 1]) + b"\0" * 9
    header += struct.pack(order + "HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 64 + 112, 0, 64, 56, 2, 64, 3 if sections else 0, 0)
    programs = struct.pack(order + "IIQQQQQQ", 1, 5, 0, 0, 0, start, start, 4096)
    programs += struct.pack(order + "IIQQQQQQ", 1, 6, start, 0, 0, end - start, end - start, 4096)
    table = struct.pack(order + "IIQQQQIIQQ", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    table += struct.pack(order + "IIQQQQIIQQ", 1, 1, 3, 0, start, len(before), 0, 0, 32, 0)
    table += struct.pack(order + "IIQQQQIIQQ", 2, 1, 3, 0, at, len(info), 0, 0, 16, 0)
    return header + programs + table + before + info


PROGRAMS = [
    pytest.param(elf(build_info(MODULES)), "1.59.0", id="as Go makes it"),
    pytest.param(elf(build_info(MODULES), order=">"), "1.59.0", id="big endian"),
    pytest.param(elf(build_info(MODULES), sections=False), "1.59.0", id="without section headers"),
    pytest.param(elf(build_info(MODULES), before=b"x" * 3000000), "1.59.0", id="behind much other data"),
    pytest.param(elf(build_info(MODULES.replace("v1.59.0", "v1.60.0-dev"))), "1.60.0", id="before a release"),
    pytest.param(
        elf(
            build_info(
                MODULES.replace(
                    "v1.59.0\th1:Z5Iec2pjwb+LEOqzpB2MR12/eKFhDPhuqW91O+4bwUk=",
                    "v1.59.0\n=>\texample.org/grpc\tv1.62.1\th1:y=",
                )
            )
        ),
        "1.62.1",
        id="replaced by another version",
    ),
    pytest.param(
        elf(
            build_info(
                MODULES.replace(
                    "v1.59.0\th1:Z5Iec2pjwb+LEOqzpB2MR12/eKFhDPhuqW91O+4bwUk=", "v1.59.0\n=>\t../grpc\t(devel)\t"
                )
            )
        ),
        None,
        id="replaced by something of no version",
    ),
    pytest.param(elf(build_info("path\texample.org/web\n")), None, id="without gRPC"),
    pytest.param(elf(build_info(None)), None, id="without modules"),
    pytest.param(elf(build_info(MODULES, flags=0)), None, id="before Go 1.18"),
]


@pytest.mark.parametrize(("program", "version"), PROGRAMS)
def test_the_version_of_a_module(program, version):
    modules = go_buildinfo.modules(io.BytesIO(program))
    assert modules is not None
    assert go_buildinfo.version_of(GRPC, modules) == version


NOT_GO = [
    pytest.param(b"", id="empty"),
    pytest.param(b"#!/bin/sh\n", id="a script"),
    pytest.param(elf(b"nothing of Go"), id="another program"),
    pytest.param(elf(build_info(MODULES))[:64], id="half a program"),
    pytest.param(b"\x7fELF\x01" + elf(build_info(MODULES))[5:], id="32 bits"),
    pytest.param(
        elf(build_info(MODULES))[:32] + b"\xff" * 16 + elf(build_info(MODULES))[48:], id="tables beyond any file"
    ),
]


@pytest.mark.parametrize("program", NOT_GO)
def test_what_is_not_gos(program):
    assert go_buildinfo.modules(io.BytesIO(program)) is None


class Counting(io.BytesIO):
    total = 0

    def read(self, size=-1):
        data = super().read(size)
        self.total += len(data)
        return data


def test_little_is_read_of_a_large_program():
    program = Counting(elf(build_info(MODULES), before=b"x" * 20000000))
    assert go_buildinfo.modules(program)
    assert program.total < 4000


def test_a_long_table_of_sections_is_read_in_part():
    program = elf(b"x" * 1000000)
    long = Counting(program[:60] + struct.pack("<H", 65535) + program[62:])
    assert go_buildinfo.modules(long) is None
    assert long.total < 3000000


@given(st.integers(0, 500), st.binary(max_size=40))
def test_a_damaged_program_is_harmless(position, damage):
    program = elf(build_info(MODULES), before=b"x" * 50)
    assert isinstance(
        go_buildinfo.modules(io.BytesIO(program[:position] + damage + program[position + len(damage) :])),
        (str, type(None)),
    )
