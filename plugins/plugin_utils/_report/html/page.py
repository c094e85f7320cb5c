# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report as one HTML file that needs nothing else. Private to this collection.

Its words stand in the folder templates, a file a part, and in sentences.py. It opens from a disk, asks no network for
anything, and is whole without its script, which sorts, filters and copies. A Content-Security-Policy lets in exactly
this style sheet and this script, by their hashes.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from typing import Any

from .. import verdict
from ..language import ENGLISH, Language
from ..rerun_command import UNKNOWN_RUN, Rerun
from . import alike, changes, groups, risks, sentences
from .render import render


def render_html(document: Mapping[str, Any], rerun: Rerun = UNKNOWN_RUN, language: Language = ENGLISH) -> str:
    """The page of a report's document (see document.make_document), as text to be written in UTF-8.

    ``rerun`` has the options of the commands, as for report.text_lines.
    """
    return render(
        "page.html.j2",
        language,
        document=document,
        policy=_policy(),
        playbook=lambda *words: " ".join(rerun.command(*words)),
        without=rerun.without,
        word=verdict.word(document),
        kind=verdict.kind(document),
        clause=verdict.sentence(document),
        facts=sentences.facts(document),
        time=groups.picture_of(document),
        findings=alike.findings_of(document, silenced=False),
        silenced=alike.findings_of(document, silenced=True),
        risks=risks.risks_of(document),
        pods_lead=sentences.pods_lead(document),
        urgent=sentences.urgent(document),
        notes=alike.notes_of(document),
        changes=changes.part(document),
        drift=alike.drift_of(document),
    )


@functools.cache
def _policy() -> str:
    style, script = (_hash(render(name)) for name in ("page.css", "page.js"))
    return f"default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
