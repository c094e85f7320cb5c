# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a look at a node may take, for the modules and for the variables of a run. Private to this collection."""

from .errors import NodeError

LONGEST_SECONDS = 60
"""Nothing else happens on the node meanwhile."""


def is_timeout(seconds: float) -> bool:
    """Whether anybody may be given that long to answer."""
    return 0 < seconds <= LONGEST_SECONDS


def is_sample(seconds: float) -> bool:
    """Whether that long may lie between two readings; 0 means one reading."""
    return 0 <= seconds <= LONGEST_SECONDS


def check_timeout(option: str, seconds: float) -> None:
    """Raises NodeError where it is none."""
    _check(option, seconds, is_timeout(seconds))


def check_sample(option: str, seconds: float) -> None:
    """Raises NodeError where it is none."""
    _check(option, seconds, is_sample(seconds))


def _check(option: str, seconds: float, is_right: bool) -> None:
    if not is_right:
        raise NodeError(
            f"{option}: {seconds:g} is not between 0 and {LONGEST_SECONDS} seconds. Give a time in that range."
        )
