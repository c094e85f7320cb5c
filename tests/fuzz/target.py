# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a row of the table of targets is, and how bytes become what it takes."""

from __future__ import annotations

import json
import pickle
import signal
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from resource import RLIM_INFINITY, RLIMIT_DATA, getpagesize, setrlimit
from typing import Any, NamedTuple

CORPUS = Path(__file__).parent / "corpus"
"""A folder a target: an example to begin with, and every input that once failed."""

SECONDS = 1.0
"""Of the processor for one input, however the checks are slowed down by counting what they reach."""

MORE_BYTES = 100 << 20
"""How much more memory than before an input may take."""


class TooSlowError(BaseException):
    """No handler of errors within a parser may catch it."""


class Target(NamedTuple):
    """A parser and what it may raise. share: of the inputs, in comparison to others; few where each takes long."""

    parse: Callable[[bytes], object]
    allowed: tuple[type[Exception], ...] = ()
    share: int = 50

    def check(self, data: bytes) -> None:
        """Raise what a parser of hostile input may not: another error, no end, or too much memory."""
        with _bounded(), suppress(*self.allowed):
            self.parse(data)


@contextmanager
def _bounded() -> Iterator[None]:
    def too_slow(_number: int, _frame: object) -> None:
        raise TooSlowError(f"no end after {SECONDS} s")

    held = int(Path("/proc/self/statm").read_bytes().split()[5]) * getpagesize()
    before = signal.signal(signal.SIGVTALRM, too_slow)
    setrlimit(RLIMIT_DATA, (held + MORE_BYTES, RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        setrlimit(RLIMIT_DATA, (RLIM_INFINITY, RLIM_INFINITY))
        signal.signal(signal.SIGVTALRM, before)


def seeds(name: str) -> list[bytes]:
    """The inputs that are kept for a target."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def text_of(data: bytes) -> str:
    """As files and the kernel's answers are decoded on a node."""
    return data.decode("utf-8", "surrogateescape")


@contextmanager
def below(files: Mapping[str, bytes]) -> Iterator[str]:
    """The root of a node that has these files and nothing else."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as root:
        for name, data in files.items():
            path = Path(root, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        yield root


HOSTILE: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 2**31, 2**63, 10**30, 1.5, 1e308, float("nan"), float("inf")),
    *("", " ", "²", "\x1c1", "9" * 5000, "x" * 65536, "\0", "\ud800", "\u202e", "\n", "\x1b]0;owned\x07\x1b[2J\r"),
    *("{{ lookup('pipe', 'id') }}", "{% for a in b %}", "<script>alert(1)</script>", "]]>", "</script>", "&amp;"),
    *('"', "\\", '\\"\n', "=1+1", "-rf", "$(id)", "`id`", "'; id; '", "../../etc/passwd", "%s%n", "{0}{name}", "a:b"),
    *([], {}, [[]], [{}], {"": None}, [None], {"\n": "\n"}, [0] * 300, ["x"] * 300),
)
"""Values of JSON, as Python reads it, that a careless reader trips over."""

_PAIR = struct.Struct(">BB")
_MOST_CHANGES = 12


def altered(whole: bytes, data: bytes) -> Any:
    """A pickled value of mappings and lists with some of its places changed, as the bytes choose."""
    value = [pickle.loads(whole)]  # noqa: S301
    choices = iter(data)
    for _change in range(_MOST_CHANGES):
        kind = next(choices, None)
        if kind is None:
            break
        _alter(value, kind, choices)
    return value[0]


def _alter(value: Any, kind: int, choices: Iterator[int]) -> None:
    """Walk down by a byte a step; then exchange, take away, or double what is there."""
    places, holder, key = [], value, 0
    while isinstance(holder[key], (dict, list)) and holder[key]:
        holder = holder[key]
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        key = keys[next(choices, 0) % len(keys)]
        places.append((holder, key))
    holder, key = places[-1 - (kind >> 4) % len(places)] if places else (value, 0)
    if kind & 15 < 11:
        # A copy: what is in it is altered, too, and it may come to lie in itself.
        holder[key] = deepcopy(HOSTILE[next(choices, 0) % len(HOSTILE)])
    elif kind & 15 < 13:
        holder[key] = bytes(_next for _next in (next(choices, 0) for _ in range(8))).decode("utf-8", "surrogateescape")
    elif not places:
        holder[key] = []
    elif kind & 15 == 13 and isinstance(holder, dict):
        holder[str(HOSTILE[next(choices, 0) % len(HOSTILE)])] = holder.pop(key)
    elif kind & 15 == 14 and isinstance(holder, list):
        holder.append(holder[key])
    else:
        del holder[key]


def pickled(value: Any) -> bytes:
    """For altered(): a value as JSON would give it back, in the form that is the quickest to copy."""
    return pickle.dumps(json.loads(json.dumps(value)))
