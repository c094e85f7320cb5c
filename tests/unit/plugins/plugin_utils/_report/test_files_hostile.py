# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that want to be more than names stand in each file as the names that they are."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.files import FORMATS, UNKNOWN_RUN
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import LANGUAGES, language
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import cluster, document

NAMES = [
    "{{ lookup('pipe', 'id') }}",
    "{% raw %}",
    "<script>alert(1)</script>",
    "</script></style></svg>",
    "]]>",
    "\x1b]0;owned\x07\x1b[2J",
    "two\nlines\r\n",
    "\u202egnp.exe",
    "nul\0nul",
    "half\ud800",
    'quote"backslash\\newline\n',
    "=1+1",
    "-rf",
    "$(id)",
    "`id`",
    "'; id; '",
    "../../etc/passwd",
    "x" * 65536,
]


@pytest.fixture(params=NAMES, ids=lambda name: ascii(name)[:30])
def name(request):
    return request.param


@pytest.fixture
def report(name):
    node = cluster()["worker1"]
    node["hostname"] = node["kernel"] = name
    for row in node["pods"]["rows"]:
        row["label"] = name
        for process in [row["process"], *(each for place in row["services"] for each in place["processes"])]:
            if process:
                process["name"] = name
    return document({name: node}, {})


def written(report, form, told_in="en"):
    (_name, text), *_others = FORMATS[form](report, UNKNOWN_RUN, language(told_in))
    text.encode()
    return text


def test_json_has_the_very_name_in_ascii(report, name):
    text = written(report, "json")
    assert text.isascii()
    assert [node["name"] for node in json.loads(text)["nodes"]] == [name]


def test_junit_has_a_suite_of_that_name(report, name):
    suites = ElementTree.fromstring(written(report, "junit"))  # noqa: S314
    assert printable(name) in {suite.get("name") for suite in suites}
    assert {each.tag for each in suites.iter()} <= {
        *("testsuites", "testsuite", "properties", "property", "testcase", "failure", "skipped", "system-out"),
    }


def test_a_metric_has_it_in_its_label(report, name):
    text = written(report, "prometheus")
    assert text.replace("\n", "").isprintable()
    lines = text.split("\n")
    labels = {found[1] for line in lines if (found := re.match(r'kubenode\w+\{node="((?:[^"\\]|\\["\\])*)"', line))}
    assert {re.sub(r"\\(.)", r"\1", label) for label in labels} == {printable(name)}
    assert all(not line or line.startswith(("# ", "kubenode_connections_")) for line in lines)


def test_a_file_of_a_nodes_metrics_stays_in_its_folder(report):
    names = [file for file, _text in FORMATS["prometheus"](report, UNKNOWN_RUN, language("en"))][1:]
    assert names
    assert all(re.fullmatch(r"nodes/[A-Za-z0-9_-][A-Za-z0-9._-]{0,150}\.prom", each) for each in names)


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(key for key, _value in attrs)))

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("told_in", LANGUAGES)
def test_a_page_has_no_script_but_its_own_and_no_text_that_moves_others(report, told_in):
    page = Elements(written(report, "html", told_in))
    scripts = [attributes for tag, attributes in page.found if tag == "script"]
    plain_page = Elements(written(document({"worker1": cluster()["worker1"]}, {}), "html", told_in))
    assert scripts == [attributes for tag, attributes in plain_page.found if tag == "script"]
    assert [key for _tag, keys in page.found for key in keys if key.startswith("on")] == []
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "".join(page.texts))


@pytest.mark.parametrize("told_in", LANGUAGES)
def test_a_terminal_obeys_nothing(report, told_in):
    lines = [plain(line) for line in text_lines(report, 100, language=language(told_in), detail="full")]
    assert lines
    assert [line for line in lines if not line.isprintable()] == []
    "\n".join(lines).encode()
