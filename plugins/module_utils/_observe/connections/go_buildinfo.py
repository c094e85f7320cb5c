# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The build information that Go leaves in its programs. Reading only. Private to this collection."""

import re
import struct
from typing import BinaryIO, Iterator, Optional, Tuple

# debug/buildinfo/buildinfo.go: 14 bytes of magic, the pointer size, flags; with flag 2 (Go 1.18 and later) the version
# and the modules follow at byte 32, each with its length as a varint.
_MAGIC = b"\xff Go buildinf:"
_INLINE = 2
_STRINGS_AT = 32

# The ELF header, its programs and sections (include/uapi/linux/elf.h), 64 bits only.
_IDENT = b"\x7fELF\x02"
_SECTION, _SECTION_BYTES = "IIQQQQIIQQ", 64
_PROGRAM, _PROGRAM_BYTES = "IIQQQQQQ", 56
_SHT_PROGBITS, _SHF_WRITE = 1, 1
_PT_LOAD, _PF_W = 1, 2

_RELEASE = r"v\d{1,9}\.\d{1,9}\.\d{1,9}(?:[-+][0-9A-Za-z.-]{1,64})?"
_BETWEEN = re.compile(r"\d{14}-[0-9a-f]{12}\Z")  # a pseudo-version (golang.org/ref/mod)

_MAX_OFFSET = 1 << 62
_MAX_HEADERS = 100
_MAX_BYTES = 1 << 20


def modules(program: BinaryIO) -> Optional[str]:
    """What a Go program says of its modules, a line each; empty where it is too old for it. None: it is not Go's.

    At most a few MiB are read, wherever they lie. Raises OSError.
    """
    for offset, length in _places(program):
        data = _read_at(program, offset, min(length, _MAX_BYTES))
        start = data.find(_MAGIC)
        if start >= 0:
            return _modules(data[start:])
    return None


def version_of(module: str, lines: str) -> Optional[str]:
    """The version of a module without its v, the replacement's where it was replaced; None where it is not there."""
    found = re.search(rf"^dep\t{re.escape(module)}\t(\S+).*(?:\n=>\t\S+\t(\S+))?", lines, re.MULTILINE)
    version = re.match(r"v(\d{1,9}\.\d{1,9}\.\d{1,9})", (found.group(2) or found.group(1)) if found else "")
    return version.group(1) if version else None


def version_of_kubernetes(lines: str) -> Optional[str]:
    """The version of a program of Kubernetes such as v1.33.1, None where it does not hold one.

    The linker's flags name it where they were kept (go build without -trimpath). Go 1.24 and later write that of the
    main module, which is the tag of a release; of a build between releases it would be the next one's.
    """
    flag = re.search(rf"\nbuild\t-ldflags=.*k8s\.io/component-base/version\.gitVersion=({_RELEASE})", lines)
    module = re.search(rf"\nmod\tk8s\.io/kubernetes\t({_RELEASE})\t", lines)
    found = flag or (None if module is None or _BETWEEN.search(module.group(1)) else module)
    return re.sub(r"\+dirty\Z", "", found.group(1)) if found else None


def _modules(info: bytes) -> str:
    if len(info) < _STRINGS_AT or not info[15] & _INLINE:
        return ""
    _version, rest = _string(info[_STRINGS_AT:])
    return _string(rest)[0].decode("utf-8", "replace")


def _string(data: bytes) -> Tuple[bytes, bytes]:
    """A string that begins with its length as a varint, and what comes after it."""
    length = 0
    for position, byte in enumerate(data[:4]):
        length |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            return data[position + 1 : position + 1 + length], data[position + 1 + length :]
    return b"", b""


def _places(program: BinaryIO) -> Iterator[Tuple[int, int]]:
    """Offset and length of what may hold it: a writable section that begins with it, else where the data begins."""
    header = program.read(64)
    if len(header) < 64 or not header.startswith(_IDENT):
        return
    order = ">" if header[5] == 2 else "<"
    programs_at, sections_at = struct.unpack(order + "QQ", header[32:48])
    programs, _size, sections = struct.unpack(order + "HHH", header[56:62])
    for kind, flags, offset, length in _sections(_table(program, sections_at, sections, _SECTION_BYTES), order):
        begins = kind == _SHT_PROGBITS and flags & _SHF_WRITE and _read_at(program, offset, len(_MAGIC)) == _MAGIC
        if begins:
            yield offset, length
    for kind, flags, offset, length in _programs(_table(program, programs_at, programs, _PROGRAM_BYTES), order):
        if kind == _PT_LOAD and flags & _PF_W:
            yield offset, length


def _table(program: BinaryIO, offset: int, entries: int, size: int) -> bytes:
    return _read_at(program, offset, min(entries, _MAX_HEADERS) * size)


def _read_at(program: BinaryIO, offset: int, length: int) -> bytes:
    if offset > _MAX_OFFSET:
        return b""
    program.seek(offset)
    return program.read(length)


def _sections(table: bytes, order: str) -> Iterator[Tuple[int, int, int, int]]:
    """Type, flags, offset and length of each."""
    for start in range(0, len(table) - _SECTION_BYTES + 1, _SECTION_BYTES):
        fields = struct.unpack_from(order + _SECTION, table, start)
        yield fields[1], fields[2], fields[4], fields[5]


def _programs(table: bytes, order: str) -> Iterator[Tuple[int, int, int, int]]:
    """Type, flags, offset and length of each."""
    for start in range(0, len(table) - _PROGRAM_BYTES + 1, _PROGRAM_BYTES):
        fields = struct.unpack_from(order + _PROGRAM, table, start)
        yield fields[0], fields[1], fields[2], fields[5]
