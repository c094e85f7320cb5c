# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which Python on a node an ansible-core can talk to. Private to this collection."""

from __future__ import annotations

import re

OLDEST = {"2.16": "3.6", "2.17": "3.7", "2.18": "3.8", "2.19": "3.8", "2.20": "3.9", "2.21": "3.9"}
"""ansible-core -> the oldest Python that it supports on a node and that the modules run on, too. The first is the
oldest that the collection takes."""


def too_old(core: str, python: str, program: str) -> str | None:
    """Why this ansible-core cannot run modules by that program of a node, and what to do; None where it can.

    core is a whole version, python one of two numbers. A core that is not known yet is taken for the newest known.
    """
    needed = OLDEST.get(".".join(core.split(".")[:2]), list(OLDEST.values())[-1])
    if _numbers(python) >= _numbers(needed):
        return None
    fitting = [each for each, oldest in OLDEST.items() if _numbers(python) >= _numbers(oldest)]
    other = f", or run ansible-core {fitting[-1]} on the controller" if fitting else ""
    return (
        f"{program} on the node is Python {python}, ansible-core {core} needs {needed} or newer there. "
        f"Set ansible_python_interpreter to a newer Python of the node{other}."
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))
