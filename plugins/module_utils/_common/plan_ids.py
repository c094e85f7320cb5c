# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of two plans is the later one, whatever the clocks of those who made them say.

A plan's ID is a number and a word of its own, such as 12-5f0c93ab. The number is higher than those of all plans that
had changed the nodes that it was made for. Of two that were made at the same time the word decides, on all nodes alike.
Pure. Private to this collection.
"""

import re
from typing import Iterable, Tuple

_ID = r"([0-9]{1,15})-([0-9a-f]{8,32})\Z"
_HIGHEST = 10**15 - 1


def is_plan_id(text: str) -> bool:
    return bool(re.match(_ID, text))


def next_id(seen: Iterable[str], word: str) -> str:
    """The ID of a plan that is made by what these have left."""
    number = max((_order(each)[0] for each in seen), default=0)
    return f"{min(number + 1, _HIGHEST)}-{word}"


def is_overtaken(there: str, ours: str, seen: str) -> bool:
    """Whether a later plan than ours, or a restore, has changed a node since it was seen.

    By the ID that it has now and had then, empty for none. What had been seen is never later, whatever number a node
    claims.
    """
    return there not in (seen, ours) and (not there or _order(there) > _order(ours))


def _order(plan_id: str) -> Tuple[int, str]:
    found = re.match(_ID, plan_id)
    return (int(found.group(1)), found.group(2)) if found else (0, "")
