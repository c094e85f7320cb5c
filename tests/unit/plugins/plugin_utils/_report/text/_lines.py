# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a room of the text writes, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import Line, Page, plain


def lines(write: Callable[..., None], *arguments: Any, width: int = 79) -> list[str]:
    """The lines without their styles."""
    return [plain(line) for line in styled(write, *arguments, width=width)]


def styled(write: Callable[..., None], *arguments: Any, width: int = 79) -> list[Line]:
    """The lines as they are."""
    page = Page(width)
    write(page, *arguments)
    return page.lines
