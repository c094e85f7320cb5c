# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a report: which there are, and how they get onto the disk. Private to this collection."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError

from .formats import prometheus
from .formats.junit import render_junit
from .html.page import render_html
from .language import ENGLISH, Language
from .private_files import opened_below, opened_folder, parse_mode, write_file
from .rerun_command import UNKNOWN_RUN, Rerun

_OPTION = "keepalive_report_dir"
_MODE = "keepalive_report_mode"

_NODES = "nodes/"
_LONGEST_NAME = 100

File = tuple[str, str]

Format = Callable[[Mapping[str, Any], Rerun, Language], Iterator[File]]
"""From a document, what the commands in it take over of the run, and the language of what people read."""


def render_json(document: Mapping[str, Any]) -> str:
    """The document as JSON, in ASCII."""
    return json.dumps(document, indent=1) + "\n"


def _page(document: Mapping[str, Any], rerun: Rerun, language: Language) -> Iterator[File]:
    yield "report.html", render_html(document, rerun, language)


def _metrics(document: Mapping[str, Any], _rerun: Rerun, _language: Language) -> Iterator[File]:
    yield "report.prom", prometheus.render_all(document)
    for name, text in prometheus.render_nodes(document):
        yield f"{_NODES}{file_name(name)}.prom", text


def _one(name: str, render: Callable[[Mapping[str, Any]], str]) -> Format:
    return lambda document, _rerun, _language: iter([(name, render(document))])


FORMATS: Mapping[str, Format] = {
    "html": _page,
    "json": _one("report.json", render_json),
    "junit": _one("report.junit.xml", render_junit),
    "prometheus": _metrics,
}
"""Each format and its files: names relative to the folder, and their text."""


def write_report(
    folder: str,
    formats: Sequence[str],
    document: Mapping[str, Any],
    rerun: Rerun = UNKNOWN_RUN,
    mode: object = None,
    language: Language = ENGLISH,
) -> list[str]:
    """Write the files of these formats, and return their paths. Raises PlanError where one cannot be written.

    ``rerun`` has the options of the commands that a file names, ``mode`` is that of the files where it is given,
    ``language`` that of the page; programs read English. Everything is rendered before anything is written, and each
    file is replaced as a whole.
    """
    permissions = parse_mode(_MODE, mode)
    files = [file for name in formats for file in FORMATS[name](document, rerun, language)]
    for name, text in files:
        try:
            _write(Path(folder), name, text.encode(), permissions)
        except OSError as error:
            raise PlanError(
                f"{_OPTION}: {Path(folder, name)} cannot be written ({error.strerror or error}). "
                "Give a folder on the controller that the user who runs the playbook may write to."
            ) from None
    return [str(Path(folder, name)) for name, _text in files]


def _write(path: Path, name: str, data: bytes, mode: int | None) -> None:
    with opened_folder(path, mode) as folder:
        if not name.startswith(_NODES):
            write_file(folder, name, data, mode)
            return
        with opened_below(folder, _NODES.rstrip("/"), mode) as below:
            write_file(below, name.removeprefix(_NODES), data, mode)


def file_name(name: str) -> str:
    """A node's name as the name of a file, told apart by a checksum where something had to be replaced."""
    if re.fullmatch(rf"(?!\.)[A-Za-z0-9._-]{{1,{_LONGEST_NAME}}}", name):
        return name
    safe = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:_LONGEST_NAME].lstrip(".") or "node"
    return f"{safe}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
