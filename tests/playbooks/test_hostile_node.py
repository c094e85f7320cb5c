# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node that answers with text which wants to be more than text: nothing of it is run, obeyed or taken for markup."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from xml.etree import ElementTree

from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import cluster

NAMES = [
    "{{ lookup('pipe', 'echo r''un') }}",
    "{{ 6 * 7000001 }}",
    "{% for each in range(3) %}lo{% endfor %}",
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\x1b]0;owned\x07\x1b[2J",
    "two\nlines\r\nPLAY RECAP",
    "\u202egnp.exe",
    "$(id)`id`",
    "x" * 65536,
]
TEXTS = ("hostname", "kernel", "label", "name", "error", "why", "version", "namespace", "container")
RUN = ("run\n", "42000006", "lololo", "uid=")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def hostile(value, names, key=""):
    """The same answer with a name of NAMES in each place that holds free text."""
    if isinstance(value, dict):
        return {each: hostile(below, names, each) for each, below in value.items()}
    if isinstance(value, list):
        return [hostile(each, names, key) for each in value]
    return next(names) if isinstance(value, str) and key in TEXTS else value


def answers(four, name, node):
    """Have a host answer so, whatever it is asked."""
    answer = four.folder / f"answer-{name}.json"
    answer.write_text(json.dumps({"changed": False, "node": node}))
    python = four.folder / f"python-{name}"
    python.write_text(f"#!/bin/sh\ncat {shlex.quote(str(answer))}\n")


def test_what_it_says_is_text_in_a_terminal_and_in_every_file(four, tmp_path):
    names = itertools.cycle(NAMES)
    for name in ("node1", "node2"):
        answers(four, name, hostile(cluster()["worker1"], names))
    report = tmp_path / "report"
    ran = four.run(
        "audit",
        keepalive_report_dir=str(report),
        keepalive_report_formats=["html", "json", "junit", "prometheus"],
        keepalive_report_detail="full",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    files = [path for path in report.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".html", ".json", ".xml", ".prom"}
    texts = {str(path): path.read_text(encoding="utf-8") for path in files}
    for place, text in {**texts, "the terminal": ran.stdout + ran.stderr}.items():
        assert not CONTROLS.search(text), place
        assert not [each for each in RUN if each in text], place
    for place, text in texts.items():
        if place.endswith(".html"):
            assert "<img" not in text
            assert "<script>alert" not in text
        if place.endswith(".xml"):
            ElementTree.fromstring(text)  # noqa: S314
    assert "6 * 7000001" in ran.stdout
