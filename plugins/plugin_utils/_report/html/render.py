# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's templates, and the one way of a value into them. Private to this collection."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, printable

from . import changes, sentences


def visible(value: object) -> object:
    """What Jinja then escapes: control characters and bidirectional marks written out, nothing for None.

    Of a float one decimal at most: a tenth of a pixel is below what a screen shows. What a template has made is markup
    already.
    """
    if hasattr(value, "__html__"):
        return value
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return "" if value is None else printable(value)


TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=visible,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    auto_reload=False,
)
TEMPLATES.filters.update(
    at_risk_words=sentences.at_risk_words,
    counted=count,
    diff_lines=changes.diff_lines,
    keepalive_words=sentences.keepalive_words,
    pod_keepalive_words=sentences.pod_keepalive_words,
    rearmed=changes.rearmed,
    sentence=sentences.sentence,
    spare_words=sentences.spare_words,
    split_at_code=sentences.split_at_code,
    utc=sentences.utc,
)


def render(template: str, **values: object) -> str:
    """A file of the folder templates with these values in it."""
    return TEMPLATES.get_template(template).render(values)
