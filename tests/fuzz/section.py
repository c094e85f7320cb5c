# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The section of docs/trust.md that says what was fuzzed; other tools write the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .target import MORE_BYTES, SECONDS

MARK = "<!-- Written by `nox -s fuzz`. Do not edit. -->\n"
OTHER = "<!-- Written by "
HEAD = """<!--
Copyright: (c) 2026, the kubenode.connections authors
SPDX-License-Identifier: GPL-3.0-or-later
-->
# What was tried

"""
TEXT = """## Hostile input

Whatever a node, kube-proxy, a file, an earlier report or a user gives is read by one of these parsers. Each got inputs
that [atheris](https://pypi.org/project/atheris/) made of those that reached new code, and inputs that
[hypothesis](https://hypothesis.readthedocs.io/) made of odd text. None raised anything but the parser's own error, took
more than {seconds:g} s or {megabytes} MB of memory, or gave output that a terminal, a browser or a shell obeys.

`nox -s fuzz` gives {few} inputs, the same in each run. `make trust` gives those below.

"""
FEW = 10_000


def section(inputs: Mapping[str, int]) -> str:
    """The inputs of each target, as Markdown."""
    rows = [("parser", "inputs"), ("---", "---:"), *((f"`{name}`", f"{each:,}") for name, each in inputs.items())]
    rows.append(("all", f"{sum(inputs.values()):,}"))
    table = "".join(f"| {what} | {number} |\n" for what, number in rows)
    return MARK + TEXT.format(seconds=SECONDS, megabytes=MORE_BYTES >> 20, few=f"{FEW:,}") + table


def with_section(page: str, new: str) -> str:
    """The page with this section in place of the one of before; what others wrote stays."""
    before, mark, rest = (page or HEAD).partition(MARK)
    _old, other, after = rest.partition(OTHER)
    parts = (before, new, other + after) if mark else (page or HEAD, new)
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def write(inputs: Mapping[str, int], file: Path) -> None:
    """Write the section into the page, which is made where it is not there."""
    page = file.read_text(encoding="utf-8") if file.exists() else ""
    file.write_text(with_section(page, section(inputs)), encoding="utf-8")
