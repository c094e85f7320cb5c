# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings in the audit's words. Private to this collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._page import Page, some


def write(page: Page, findings: Sequence[Mapping[str, Any]]) -> None:
    """Each finding once, with all nodes that it is true of, in the order given (most severe first)."""
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    for finding in findings:
        key = (finding["severity"], finding["id"], finding["why"], finding["remedy"])
        groups.setdefault(key, []).append(finding)
    if groups:
        page.blank()
        page.line("Findings")
    for (severity, identity, why, remedy), same in groups.items():
        page.blank()
        scopes = [finding["scope"] for finding in same]
        page.line(f"{severity.upper()} {identity}: {some(scopes)}", indent=2, hanging=2)
        for observed in _observed(same):
            page.field("seen", observed, indent=4)
        page.field("why", why, indent=4)
        page.field("do", remedy, indent=4)


def _observed(same: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was seen, once where it is the same everywhere; the first few nodes where it is not."""
    texts = dict.fromkeys(finding["observed"] for finding in same)
    if len(texts) == 1:
        return list(texts)
    shown = [f"{finding['scope']}: {finding['observed']}" for finding in same[:_MANY]]
    return [*shown, f"and {len(same) - _MANY} more"] if len(same) > _MANY else shown


_MANY = 5
