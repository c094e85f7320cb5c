# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/findings.md and docs/zh/findings.md say what the rules say."""

import importlib.util
import re
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._findings.table import RULES

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module", name="script")
def _script():
    spec = importlib.util.spec_from_file_location("findings_page", ROOT / "tests" / "findings_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_page_is_up_to_date(script, code):
    written = script.PAGES[code].read_text(encoding="utf-8")
    assert script.page(code) == written, "Run: PYTHONPATH=.build/dev python tests/findings_page.py"


@pytest.mark.parametrize("code", ["en", "zh"])
def test_the_page_has_every_rule_once(script, code):
    lines = script.page(code).splitlines()
    assert sorted(line[3:] for line in lines if line.startswith("## ")) == sorted(rule.id for rule in RULES)


def test_the_pages_say_the_same_themselves(script):
    english, chinese = (script.WORDS[code] for code in script.PAGES)
    assert [chinese.keys(), *map(list, (chinese["labels"], chinese["scopes"]))] == [
        english.keys(),
        *map(list, (english["labels"], english["scopes"])),
    ]


def test_the_chinese_page_says_each_rule_in_chinese(script):
    """What a node of an example says itself stays as it is."""
    parts = re.findall(r"(?m)^(?:- (?:原因|处理办法)\uff1a|\*\*\w+\*\*\uff1a)(.*)$", script.page("zh"))
    assert len(parts) > 2 * len(RULES)
    assert [part for part in parts if part.isascii() and part != "Report them."] == []


@pytest.mark.parametrize(
    ("message", "markdown"),
    [
        pytest.param(
            "net.ipv4.tcp_retries2 15, is late.", "`net.ipv4.tcp_retries2` 15, is late.", id="a sysctl is code"
        ),
        pytest.param(
            "Set keepalive_time: 600.", "Set `keepalive_time`: 600.", id="a variable is code, the colon behind it not"
        ),
        pytest.param("net.bridge.bridge-nf-call-iptables", "`net.bridge.bridge-nf-call-iptables`", id="with hyphens"),
        pytest.param("it said '<html>' | *", r"it said '\<html\>' \| \*", id="markup is shown, not obeyed"),
    ],
)
def test_messages_become_markdown(script, message, markdown):
    assert script._text(message) == markdown
