# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._kube_proxy.yaml_in_place import (
    MAX_CHARACTERS,
    Document,
    parse_scalar,
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("ipvs:\n  tcp: 0s\n", "ipvs:\n  tcp: 9s\n", id="a plain value"),
        pytest.param("ipvs:\n  tcp: 0s  # why\n", "ipvs:\n  tcp: 9s  # why\n", id="the comment behind it stays"),
        pytest.param("ipvs:\n  tcp:\n", "ipvs:\n  tcp: 9s\n", id="nothing behind the colon"),
        pytest.param("ipvs:\n  tcp: # why\n", "ipvs:\n  tcp: 9s # why\n", id="nothing but a comment"),
        pytest.param("ipvs:\n  'tcp'   :    null\n", "ipvs:\n  'tcp'   :    9s\n", id="odd blanks stay"),
        pytest.param("ipvs: {udp: 1s, tcp: 0s}\n", "ipvs: {udp: 1s, tcp: 9s}\n", id="a value in braces"),
        pytest.param("ipvs:\n    udp: 1s\n", "ipvs:\n    udp: 1s\n    tcp: 9s\n", id="a new line, indented alike"),
        pytest.param(
            "ipvs:\n  udp: 1s # u\n  # x\n  x: [1,\n    2]\n",
            "ipvs:\n  udp: 1s # u\n  tcp: 9s\n  # x\n  x: [1,\n    2]\n",
            id="after the last line that is whole",
        ),
        pytest.param("ipvs:\n  x:\n    - 1\n", "ipvs:\n  tcp: 9s\n  x:\n    - 1\n", id="first where no line is whole"),
        pytest.param("ipvs:\n# a\n  udp: 1s", "ipvs:\n# a\n  udp: 1s\n  tcp: 9s", id="no newline at the end"),
        pytest.param("ipvs:\r\n  udp: 1s\r\n", "ipvs:\r\n  udp: 1s\r\n  tcp: 9s\r\n", id="lines as of Windows"),
        pytest.param("a: 1\n# end\n", "a: 1\n# end\nipvs:\n  tcp: 9s\n", id="a new section"),
        pytest.param("a: 1", "a: 1\nipvs:\n  tcp: 9s", id="a new section without a newline at the end"),
        pytest.param("---\na: 1\n...\n", "---\na: 1\nipvs:\n  tcp: 9s\n...\n", id="a new section before the end mark"),
        pytest.param("\ufeffa: 1\r\n", "\ufeffa: 1\r\nipvs:\r\n  tcp: 9s\r\n", id="a byte order mark"),
    ],
)
def test_a_field_is_set_where_it_stands(before, after):
    assert Document(before).with_value("ipvs", "tcp", "9s").text == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("ipvs:\n  tcp: 9s\n  udp: 1s\n", "ipvs:\n  udp: 1s\n", id="its line goes"),
        pytest.param("a: 1\nipvs:\n  tcp: 9s\nb: 2\n", "a: 1\nb: 2\n", id="a section that held nothing else goes too"),
        pytest.param("a: 1\nipvs:\n  tcp: 9s", "a: 1", id="at the end without a newline"),
        pytest.param("a: 1\r\nipvs:\r\n  tcp: 9s\r\nb: 2\r\n", "a: 1\r\nb: 2\r\n", id="lines as of Windows"),
        pytest.param("ipvs:\n  udp: 1s\n", "ipvs:\n  udp: 1s\n", id="what is not there"),
        pytest.param("a: 1\n", "a: 1\n", id="no such section"),
    ],
)
def test_a_field_is_taken_out(before, after):
    assert Document(before).without("ipvs", "tcp").text == after


def test_an_empty_value_comes_back_without_the_blank():
    text = "ipvs:\n  tcp:\n"
    assert Document(text).with_value("ipvs", "tcp", "9s").with_value("ipvs", "tcp", "").text == text


def test_a_field_is_found_with_its_line_and_as_it_is_written():
    entry = Document("a: 1\nipvs:\n  tcp: '0s'\n").find("ipvs", "tcp")
    assert (entry.line, entry.raw, entry.quote) == (3, "'0s'", "'")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "it is no mapping of names and values", id="nothing"),
        pytest.param("[1]", "it is no mapping of names and values", id="a list"),
        pytest.param("{}", "it is no mapping of names and values", id="an empty mapping"),
        pytest.param(
            "a: [", "line 1: it is no YAML (expected the node content, but found '<stream end>')", id="cut off"
        ),
        pytest.param(
            "ipvs:\n\ttcp: 0s\n",
            "line 2: it is no YAML (found character '\\t' that cannot start any token)",
            id="a tab",
        ),
        pytest.param("{? [1] : 2}", "line 1: it is no YAML (found unhashable key)", id="a list for a name"),
        pytest.param(
            "a: 2024-13-01", "it has a date or a number that is none, or too long for one", id="a month that is none"
        ),
        pytest.param(
            "a: " + "9" * 5000,
            "it has a date or a number that is none, or too long for one",
            id="a number that Python refuses",
        ),
        pytest.param(
            "a: 1" + ":1" * 3000 + ".5",
            "it has a date or a number that is none, or too long for one",
            id="a number too large",
        ),
        pytest.param(
            "a: \udcff",
            "it is no YAML (unacceptable character #xdcff: special characters are not allowed)",
            id="bytes that are no UTF-8",
        ),
        pytest.param("a: &x 1\nb: *x\n", "line 1: it uses an anchor or an alias (x)", id="an anchor"),
        pytest.param("a: !vault x\n", "line 1: it uses a tag (!vault)", id="a tag"),
        pytest.param("ipvs:\n  <<: {tcp: 1s}\n", "line 2: it merges another mapping in (<<)", id="a merged mapping"),
        pytest.param("a: 1\n---\nipvs:\n  tcp: 0s\n", "line 2: a second document begins", id="two documents"),
        pytest.param("ipvs:\n  tcp: 0s\n  tcp: 1s\n", "line 3: tcp is there twice", id="a field twice"),
        pytest.param("ipvs:\n  tcp: 0s\n\nipvs:\n  udp: 0s\n", "line 4: ipvs is there twice", id="a section twice"),
        pytest.param("ipvs: {}\n", "line 1: ipvs holds no fields", id="an empty section"),
        pytest.param("ipvs: # tcp: 0s\n", "line 1: ipvs holds no fields", id="a section of comments"),
        pytest.param("ipvs: [tcp]\n", "line 1: ipvs holds no fields", id="a section that is a list"),
        pytest.param("ipvs:\n  tcp: |\n    0s\n", "line 2: the value of tcp is not on one line", id="a block of text"),
        pytest.param("ipvs:\n  tcp: [0s]\n", "line 2: the value of tcp is not on one line", id="a list for a value"),
        pytest.param(
            "a: 1\nipvs: {udp: 1s}\n", "line 2: ipvs stands in braces, so no line can be added to it", id="braces"
        ),
        pytest.param(
            "{a: 1}",
            "it is no block of lines from the first column on, so ipvs cannot be added to it",
            id="a file of JSON without the section",
        ),
        pytest.param("ipvs:\n  ? udp\n  : 1s\n", "line 2: ipvs begins with '?', not with a field", id="question marks"),
        pytest.param(
            "a: 1\nb: 2\r\nipvs:\r\n  udp: 1s\r\nx:\r\n  udp: 2s\r\n",
            "the change would reach more than the field",
            id="lines of both kinds, which count differently",
        ),
        pytest.param("a: 1".ljust(MAX_CHARACTERS + 1), "it has 65537 characters, more than 65536", id="far too long"),
    ],
)
def test_what_cannot_be_changed_is_refused(text, why):
    with pytest.raises(PlanError) as refused:
        Document(text).with_value("ipvs", "tcp", "9s")
    assert str(refused.value) == why


def test_a_field_in_braces_cannot_be_taken_out():
    with pytest.raises(PlanError, match=r"line 1: ipvs\.tcp stands in braces and cannot be taken out on its own"):
        Document("ipvs: {tcp: 0s, udp: 1s}").without("ipvs", "tcp")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("a: " + "[" * 60000, "it has more than 200 opening braces and brackets", id="brackets"),
        pytest.param("- " * 5000, "it is nested too deep", id="lists in lists"),
    ],
)
def test_deep_nesting_is_refused_not_followed(text, why):
    with pytest.raises(PlanError) as refused:
        Document(text)
    assert str(refused.value).startswith(why)


@pytest.mark.parametrize("raw", ["0s\nmode: iptables", "{a: 1}", "[", "a: 1"])
def test_what_is_set_is_one_value(raw):
    with pytest.raises(PlanError, match="is no value of one line"):
        Document("ipvs:\n  tcp: 0s\n").with_value("ipvs", "tcp", raw)


@pytest.mark.parametrize("raw", ["0s # mode: x", "0s:"])
def test_a_value_that_would_change_the_rest_is_refused_by_the_comparison(raw):
    with pytest.raises(PlanError):
        Document("ipvs: {tcp: 0s, udp: 1s}").with_value("ipvs", "tcp", raw + "}")


def test_a_scalar_is_what_yaml_takes_it_for():
    values = [parse_scalar(raw) for raw in ("8284s", '"8284s"', "true", "0", "", "~")]
    assert values == ["8284s", "8284s", True, 0, None, None]


NAMES = st.sampled_from(["tcp", "udp", "other", "quoted name"])
VALUES = st.sampled_from(["0s", "'0s'", '"0s"', "null", "", "0s # comment", "true", "12"])
SECTION = st.dictionaries(NAMES, VALUES, min_size=1)
TEXT = st.builds(
    lambda sections, indent, newline, comment, ended: (
        newline.join(
            line
            for name, fields in sections.items()
            for line in [
                f"{name}:{comment}",
                *(f"{indent}{field}: {value}".rstrip() for field, value in fields.items()),
            ]
        )
        + (newline if ended else "")
    ),
    st.dictionaries(st.sampled_from(["ipvs", "conntrack", "x"]), SECTION, min_size=1),
    st.sampled_from([" ", "  ", "    "]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", " # a: b", "  "]),
    st.booleans(),
)


@given(TEXT)
def test_exactly_the_field_changes_and_comes_back(text):
    document, data = Document(text), yaml.safe_load(text)
    entry = document.find("ipvs", "tcp")
    changed = document.with_value("ipvs", "tcp", "9s")
    data.setdefault("ipvs", {})["tcp"] = "9s"
    assert yaml.safe_load(changed.text) == data
    back = changed.with_value("ipvs", "tcp", entry.raw) if entry else changed.without("ipvs", "tcp")
    assert back.text == text
