# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML and SVG as values: whatever is not markup already is escaped. Private to this collection."""

from __future__ import annotations

import html
from collections.abc import Iterable

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import printable


class Markup(str):
    """Text that is HTML already. Only the functions of this module make it."""

    __slots__ = ()


Child = object
Attribute = str | int | float | bool | None

_VOID = frozenset({"br", "hr", "input", "link", "meta"})


def text(value: object) -> Markup:
    """The one door into the page: control characters and bidirectional marks become visible, markup is escaped."""
    return value if isinstance(value, Markup) else Markup(html.escape(printable(value), quote=True))


def join(parts: Iterable[Child], separator: str = "") -> Markup:
    return Markup(text(separator).join(text(part) for part in parts))


def tag(name: str, *children: Child, **attributes: Attribute) -> Markup:
    """``<name attributes>children</name>``, children that are no Markup and all attributes escaped.

    An attribute is written with - for _ and without a trailing _ (``class_``, ``aria_label``); None and False leave it
    out, True writes its name only.
    """
    opening = "".join([f"<{name}", *(_attribute(key, value) for key, value in attributes.items()), ">"])
    if name in _VOID:
        return Markup(opening)
    return Markup("".join([opening, *(text(child) for child in children if child is not None), f"</{name}>"]))


def verbatim(name: str, content: str, **attributes: Attribute) -> Markup:
    """A ``style`` or ``script`` element of this collection's own, whose content HTML does not unescape."""
    if "</" in content:
        raise ValueError(f"the content of <{name}> holds '</', which would end it")
    return Markup(f"{tag(name, **attributes)[: -len(name) - 3]}{content}</{name}>")


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if value is True:
        return f" {name}"
    return f' {name}="{text(_number(value) if isinstance(value, float) else value)}"'


def _number(value: float) -> str:
    """At most one decimal: a tenth of a pixel is below what a screen shows."""
    return f"{value:.1f}".removesuffix(".0")
