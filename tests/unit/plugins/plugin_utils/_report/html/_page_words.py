# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person reads on the page, a line for each heading, paragraph, cell and entry; however the page is made.

A picture is what a screen reader says of it, in brackets.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html

_LINES = ("h1", "h2", "h3", "h4", "p", "li", "dt", "dd", "th", "td", "caption", "div", "summary", "pre")
_HIDDEN = ("style", "script", "title", "svg")


class _Reader(HTMLParser):
    def __init__(self, part: str) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._part, self._depth, self._hidden = part, 0, 0
        self._open = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if self._depth and values.get("role") == "img":
            self.lines += [f"[{values['aria-label']}]", ""]
        begins = tag == self._part or values.get("id") == self._part or values.get("class") == self._part
        if self._depth or begins:
            self._depth += tag not in ("meta", "br", "link")
        self._hidden += tag in _HIDDEN or values.get("aria-hidden") == "true"
        if self._hidden:
            self._open = self._open or tag
        if tag in _LINES:
            self._next_line()
        elif tag == "span":
            self.handle_data(" ")

    def handle_endtag(self, tag: str) -> None:
        if self._depth:
            self._depth -= 1
        if self._hidden and tag == self._open:
            self._hidden, self._open = 0, ""
        if tag in _LINES:
            self._next_line()

    def handle_data(self, data: str) -> None:
        if self._depth and not self._hidden:
            self.lines[-1:] = [(self.lines[-1] if self.lines else "") + data]

    def _next_line(self) -> None:
        if self._depth and self.lines and self.lines[-1]:
            self.lines.append("")


def words(document: dict[str, Any], part: str) -> list[str]:
    """The lines of the part with that id, class or tag."""
    reader = _Reader(part)
    reader.feed(render_html(document))
    return [" ".join(line.split()) for line in reader.lines if line.strip()]


def section(document: dict[str, Any], part: str) -> str:
    """The markup of the part with that id, empty where the page has none."""
    found = re.search(rf'<section class="part" id="{part}".*?</section>', render_html(document), re.DOTALL)
    return found[0] if found else ""
