# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one error that planning raises. Private to this collection."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ansible_collections.kubenode.connections.plugins.module_utils._common.printable import printable


class PlanError(Exception):
    """What was asked cannot be planned. The message says what, the value against its limit, and what to do.

    It may quote a node or a file, and Ansible prints it as it is: so its text is safe to print.
    """

    def __str__(self) -> str:
        return printable(super().__str__())


def misspelt(name: str, known: Iterable[str]) -> str | None:
    """The name that this one may be meant for, None where it is like none."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1) or [each for each in names if each.startswith(name)]
    return close[0] if close else None


def nearest(name: str, known: Iterable[str], prefix: str = "") -> str:
    """``Did you mean X?`` for a misspelt name, else the names there are. ``prefix`` goes before each name."""
    names = sorted(known)
    meant = misspelt(name, names)
    if meant:
        return f"Did you mean {prefix}{meant}?"
    return "Known are " + ", ".join(prefix + each for each in names) + "."
