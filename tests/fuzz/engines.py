# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two ways to inputs: atheris mutates what reached new code, hypothesis repeats and joins what is odd.

Both begin anew in each run with the same numbers, so that a run of as many inputs has the same inputs.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import atheris
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .target import CORPUS, HOSTILE, Target, seeds

_LONGEST_BYTES = 1 << 18
_TIMES = (1, 1, 1, 1, 2, 3, 40, 3000, 70000)
_ODD = sorted({each.encode("utf-8", "surrogatepass") for each in HOSTILE if isinstance(each, str) and len(each) < 99})
_FRAMES = b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f", b"\x80\xff", b"\xed\xa0\x80", b"[", b"{", b"(", b"\\", b"'", b"\t"


def by_properties(name: str, target: Target, inputs: int, count: Callable[[], None]) -> None:
    """So many inputs of pieces of the examples and of what is odd, each once or very often. Raises what it finds."""
    words = sorted({word for seed in seeds(name) for word in re.findall(rb"\w+|\s+|[^\w\s]", seed)})
    piece = st.sampled_from([*words, *_ODD, *_FRAMES]) | st.binary(max_size=8)
    several = st.lists(st.tuples(piece, st.sampled_from(_TIMES)), max_size=30)
    text = several.map(lambda parts: b"".join(part * times for part, times in parts)[:_LONGEST_BYTES])

    @settings(
        max_examples=inputs,
        database=None,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(text | st.binary(max_size=400))
    def holds(data: bytes) -> None:
        count()
        target.check(data)

    holds()


def by_coverage(name: str, target: Target, inputs: int, count: Callable[[], None], folder: Path) -> NoReturn:
    """So many inputs, each made of one that reached something new; ends the process, with 0 where nothing was found.

    An input that fails is left in the folder.
    """
    found = folder / name
    found.mkdir()

    def once(data: bytes) -> None:
        count()
        target.check(data)

    options = (f"-runs={inputs}", "-seed=1", "-max_len=4096", "-timeout=60", "-rss_limit_mb=0", "-print_final_stats=1")
    atheris.Setup(["fuzz", *options, f"-artifact_prefix={folder}/{name}-", str(found), str(CORPUS / name)], once)
    atheris.Fuzz()
    raise AssertionError("atheris ends the process")
