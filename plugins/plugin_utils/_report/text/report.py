# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as lines for a terminal: the verdict first, then why, then what to do. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..document import APPLY, BRIEF
from ..language import ENGLISH, Language
from ..rerun_command import UNKNOWN_RUN, Rerun
from . import changes, findings, nodes, plan, pods, summary
from .page import Line, Page

WIDEST = 110
"""Longer lines are hard to read."""


def text_lines(
    document: Mapping[str, Any],
    width: int = WIDEST,
    rerun: Rerun | None = UNKNOWN_RUN,
    language: Language = ENGLISH,
    detail: str = BRIEF,
    page_written: bool = False,
) -> list[Line]:
    """Lines of at most ``width`` columns, without control characters; ``document`` is make_document's.

    ``rerun`` has the options of the commands to run next. None names no command, for a play that goes on to the next
    step itself. ``detail`` is one of DETAILS. ``page_written``: report.html is written, too.
    """
    page, brief = Page(min(width, WIDEST), language), detail == BRIEF
    summary.write_head(page, document, rerun)
    nodes.write(page, document, brief)
    changes.write_drift(page, document)
    if document["kind"] == APPLY:
        changes.write_applied(page, document)
    elif not brief:
        plan.write_limits(page, document)
        plan.write_keepalive(page, document)
        plan.write_seen(page, document)
    pods.write(page, document, brief)
    findings.write(page, document, brief)
    if document["kind"] != APPLY or not document["check_mode"]:
        changes.write_changes(page, document, brief)
    summary.write_next(page, document, rerun)
    if brief:
        summary.write_more(page, rerun, page_written)
    return page.lines


def opening_lines(
    document: Mapping[str, Any],
    to_change: Sequence[str],
    width: int = WIDEST,
    language: Language = ENGLISH,
    first: bool = False,
) -> list[Line]:
    """What a play says before it changes the nodes ``to_change``; ``first``: one of them before all others."""
    page = Page(min(width, WIDEST), language)
    summary.write_opening(page, document, to_change, first)
    return page.lines
