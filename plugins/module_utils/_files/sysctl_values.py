# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the kernel takes of a value that a file gives to a sysctl. Pure. Private to this collection."""

import os
import re
from typing import Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common import keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import KEYS, RETRIES2
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import fold

_NUMBER = re.compile(r"(-?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))(?=[ \t]|\Z)")
_MOST_CHARACTERS = 20  # one less than TMPBUFLEN - 1 in kernel/sysctl.c

_INT_MAX = (1 << 31) - 1
_MOST_SECONDS = _INT_MAX // 100  # those that are kept in ticks, of which no kernel has fewer than 100 a second
_MOST_OF_BYTE = 255
_BYTES = (keepalive.KEYS[2], RETRIES2)
_BYTES_SINCE = (5, 13)  # 4ecc1baf362c, "tcp: convert elligible sysctls to u8"


def taken(key: str, text: str, release: str = os.uname().release) -> Optional[str]:
    """What the key is once this text was written to it, None where the kernel refuses it (EINVAL).

    It reads one whole number, in base 8 after a 0 and 16 after a 0x, up to a blank, a tab or the end, and ignores what
    follows (proc_get_long in kernel/sysctl.c). So ``600;`` and ``"600"`` are refused, ``600 # seconds`` is 600 and
    ``0600`` is 384. A key that the collection does not know may be of another kind: its text is taken as it is.
    """
    if key not in KEYS:
        return fold(text)
    found = _NUMBER.match(text.strip(" \t\r\n"))
    if found is None or len(found.group()) > _MOST_CHARACTERS:
        return None
    sign, by_16, by_8, by_10 = found.groups()
    number = int(by_16 or by_8 or by_10, 16 if by_16 else 8 if by_8 else 10)
    lowest, highest = _range(key, release)
    if (sign and lowest == 0) or not lowest <= (-number if sign else number) <= highest:
        return None
    return str(-number if sign else number)


def as_written(key: str, text: str) -> bool:
    """Whether the kernel takes the whole text for what it says."""
    value = taken(key, text)
    return value == fold(text) or (value is not None and fold(text).lower() == hex(int(value)))


def _range(key: str, release: str) -> Tuple[int, int]:
    if key in _BYTES and _version(release) >= _BYTES_SINCE:
        return 0, _MOST_OF_BYTE
    in_ticks = key in keepalive.KEYS[:2] or "_timeout" in key
    return -_INT_MAX - 1, _MOST_SECONDS if in_ticks else _INT_MAX


def _version(release: str) -> Tuple[int, ...]:
    found = re.match(r"(\d{1,4})\.(\d{1,4})", release)
    return tuple(map(int, found.groups())) if found else ()
