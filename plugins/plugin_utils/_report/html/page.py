# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as one HTML file that needs nothing else. Private to this collection.

It opens from a disk, asks no network for anything, and is whole without its script, which sorts, filters and copies.
A Content-Security-Policy lets in exactly this style sheet and this script, by their hashes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..rerun_command import INVENTORY
from . import changes, findings, nodes, picture, pods, summary
from .markup import Markup, join, tag, verbatim

_NAVIGATION = {
    "next": "Next",
    "time": "Time lines",
    "findings": "Findings",
    "pods": "Pods",
    "nodes": "Nodes",
    "changes": "Before and after",
    "drift": "Since the last report",
}


def render_html(document: Mapping[str, Any], options: Sequence[str] = INVENTORY) -> str:
    """The page of a report's document (see document.make_document), as text to be written in UTF-8.

    ``options`` are those of ansible-playbook in the commands, as for report.text_lines.
    """
    parts = {
        "next": summary.next_steps(document, options),
        "time": picture.part(document),
        "findings": findings.part(document, options),
        "pods": pods.part(document),
        "nodes": nodes.part(document),
        "changes": changes.part(document),
        "drift": changes.drift(document),
    }
    there = {name: part for name, part in parts.items() if part is not None}
    links = [tag("li", tag("a", _NAVIGATION[name], href=f"#{name}")) for name in there]
    body = tag(
        "body",
        tag("a", "To the findings", href="#findings", class_="skip"),
        summary.header(document),
        tag("nav", tag("ul", *links), aria_label="Parts of this report"),
        tag("main", summary.figures(document), *there.values()),
        _footer(document),
        verbatim("script", _asset("page.js")),
    )
    return f"<!DOCTYPE html>\n{tag('html', _head(document), body, lang='en')}\n"


def _head(document: Mapping[str, Any]) -> Markup:
    return tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name_="color-scheme", content="light dark"),
        tag("meta", name_="referrer", content="no-referrer"),
        tag("meta", name_="generator", content=f"kubenode.connections {document['collection']['version']}"),
        tag("title", summary.title(document)),
        verbatim("style", _asset("page.css")),
    )


def _policy() -> str:
    style, script = (_hash(_asset(name)) for name in ("page.css", "page.js"))
    return f"default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"


@functools.cache
def _asset(name: str) -> str:
    """A file that lies beside this module in the collection."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _footer(document: Mapping[str, Any]) -> Markup:
    words = "Safe means: first probe, lost probes and timer slack together end before the limit."
    policy = document["policy"]
    counted = f"Counted in here: {policy['lost_probes']} lost probes in a row, a margin of {policy['margin']} s."
    return tag("footer", tag("p", join([words, counted], " ")))
