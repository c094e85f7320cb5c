# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as lines for a terminal: the verdict first, then why, then what to do. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils import (
    _text_changes,
    _text_findings,
    _text_nodes,
    _text_plan,
    _text_pods,
    _text_summary,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._page import INVENTORY, Line, Page

WIDEST = 110
"""Longer lines are hard to read."""


def text_lines(
    document: Mapping[str, Any], width: int = WIDEST, options: Sequence[str] | None = INVENTORY
) -> list[Line]:
    """Lines of at most ``width`` columns, without control characters; ``document`` is make_document's.

    ``options`` are those of ansible-playbook in the commands that are named; None names no command, because what
    follows is on its way.
    """
    page = Page(min(width, WIDEST))
    _text_summary.write_head(page, document, options)
    _text_nodes.write(page, document)
    _text_changes.write_drift(page, document)
    if document["kind"] == "apply":
        _text_changes.write_applied(page, document)
    else:
        _text_plan.write_limits(page, document)
        _text_plan.write_keepalive(page, document)
        _text_plan.write_seen(page, document)
    _text_pods.write(page, document)
    _text_findings.write(page, document)
    if document["kind"] != "apply" or not document["check_mode"]:
        _text_changes.write_changes(page, document)
    _text_summary.write_next(page, document, options)
    return page.lines
