# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page's templates, and the one way of a value into them. Private to this collection."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.messages import Message, tell
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import count, printable

from ..language import ENGLISH, Language
from . import changes, sentences


@pass_context
def visible(context: Context, value: object) -> object:
    """What Jinja then escapes: our messages in the page's language, control characters and bidirectional marks written
    out, nothing for None.

    Any other text is shown as it stands, so that no class, key or name is ever taken for one of our words: where it is
    one, a template says so with the filter ``said``.
    Of a float one decimal at most: a tenth of a pixel is below what a screen shows. What a template has made is markup
    already.
    """
    if hasattr(value, "__html__"):
        return value
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    if isinstance(value, Message):
        return printable(_said(context, value))
    return "" if value is None else printable(value)


@pass_context
def said(context: Context, text: str) -> str:
    """One of our words, in the page's language."""
    return text if hasattr(text, "__html__") else _said(context, text)


@pass_context
def sentence(context: Context, clause: str) -> str:
    """With a capital letter and a full stop."""
    said = _said(context, tell("{clause}.", clause=clause))
    return said[:1].upper() + said[1:]


@pass_context
def split_at_code(context: Context, text: str) -> list[str]:
    """Words and code in turn, words first and last; code is the settings, variables and files in a sentence."""
    return sentences.split_at_code(_said(context, text))


def _said(context: Context, text: str) -> str:
    language: Language = context.get("language", ENGLISH)
    return language.say(text)


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
    connections_words=sentences.connections_words,
    counted=count,
    diff_lines=changes.diff_lines,
    keepalive_words=sentences.keepalive_words,
    of_kind=sentences.of_kind,
    rearmed=changes.rearmed,
    said=said,
    sentence=sentence,
    spare_words=sentences.spare_words,
    split_at_code=split_at_code,
    utc=sentences.utc,
    value_rows=changes.value_rows,
    where=sentences.where,
)
TEMPLATES.globals["_"] = tell


def render(template: str, language: Language = ENGLISH, **values: object) -> str:
    """A file of the folder templates with these values in it, in that language."""
    return TEMPLATES.get_template(template).render(values, language=language)
