# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a built folder was made from: a hash beside it says whether it is still what the recipe asks for."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

NAME = "recipe"


def digest(parts: Iterable[str | Path]) -> str:
    """Hash of texts and of files (a folder counts with all its files' names and contents), in the given order."""
    total = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            total.update(hashlib.sha256(piece).digest())
    return total.hexdigest()[:16]


def _pieces(part: str | Path) -> Iterator[bytes]:
    if isinstance(part, str):
        yield part.encode()
    elif part.is_file():
        yield part.read_bytes()
    else:
        for path in sorted(path for path in part.rglob("*") if path.is_file()):
            yield str(path.relative_to(part)).encode()
            yield path.read_bytes()


def recorded(folder: Path) -> list[str]:
    """The lines that were recorded when a folder was built; empty when it was not."""
    try:
        return (folder / NAME).read_text().splitlines()
    except FileNotFoundError:
        return []


@contextlib.contextmanager
def building(folder: Path, lines: Iterable[str]) -> Iterator[Path]:
    """A fresh folder to build in; at the end it gets its record and takes the place of the old one.

    A machine that runs from the old one keeps its files open and does not notice.
    """
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    yield fresh
    (fresh / NAME).write_text("".join(line + "\n" for line in lines))
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
