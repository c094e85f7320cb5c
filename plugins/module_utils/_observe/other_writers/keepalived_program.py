# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keepalived it is, and what it was started with. Reading only. Private to this collection."""

import re
from typing import Iterator, List, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.node_files import Problem, read_conf

_VERSION = re.compile(rb"Keepalived v(\d{1,4})\.(\d{1,4})\.(\d{1,4}) \(")  # VERSION_STRING in lib/utils.h
_MAX_PROGRAM_BYTES = 16 << 20

# The options of getopt_long in keepalived/core/main.c: with a value, and with one that is part of the same word.
_WITH_VALUE = "fpiusSrcbA"
_WITH_OWN_VALUE = "Mgt"


def option(arguments: Sequence[str], short: str, long: str) -> Optional[str]:
    """The value of an option, given as -f X, -fX, -nf X, --use-file X or --use-file=X; of several the last."""
    return next((value for name, value in reversed(list(_options(arguments))) if name in (short, long)), None)


def version(program: str, root: str, problems: List[Problem]) -> Optional[Tuple[int, ...]]:
    """The version that stands in the program, which is not run; None where none does."""
    found = _VERSION.search(read_conf(program, root, problems, _MAX_PROGRAM_BYTES) or b"")
    return tuple(map(int, found.groups())) if found else None


def _options(arguments: Sequence[str]) -> Iterator[Tuple[str, str]]:
    words = list(arguments[1:])[::-1]
    while words:
        word = words.pop()
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            yield name, value if equals else (words[-1] if words else "")
        elif word.startswith("-"):
            at = next((at for at, letter in enumerate(word) if letter in _WITH_VALUE + _WITH_OWN_VALUE), None)
            if at is not None and word[at] in _WITH_VALUE:
                yield word[at], word[at + 1 :] or (words.pop() if words else "")
