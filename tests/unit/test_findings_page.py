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
    told = [part for part in parts if part.isascii() and part != "Report them."]
    assert told == [], "Write their Chinese into plugins/plugin_utils/_report/languages/zh/findings-*.yml."


@pytest.mark.parametrize(
    ("message", "markdown"),
    [
        pytest.param(
            "net.ipv4.tcp_retries2 15, is late.", "`net.ipv4.tcp_retries2` 15, is late.", id="a sysctl is code"
        ),
        pytest.param("Set keepalive_rps: auto.", "Set `keepalive_rps: auto`.", id="a variable and its value"),
        pytest.param(
            "Set keepalive_sysctls: {net.x.y_z: 1}. Then",
            "Set `keepalive_sysctls: {net.x.y_z: 1}`. Then",
            id="a mapping",
        ),
        pytest.param("name keepalive_rps, then", "name `keepalive_rps`, then", id="a variable alone"),
        pytest.param("net.ipv4.x_time, _intvl", "`net.ipv4.x_time`, `_intvl`", id="the end of a sysctl"),
        pytest.param("early_drop: entries", "`early_drop`: entries", id="a colon of the sentence is not code"),
        pytest.param("role kubenode.connections.kube_proxy.", "role `kubenode.connections.kube_proxy`.", id="a role"),
        pytest.param("grpc.http2.max_pings=0.", "`grpc.http2.max_pings=0`.", id="with dots and a value"),
        pytest.param("o_p=[(A_B, C_D, 1)], else", "`o_p=[(A_B, C_D, 1)]`, else", id="with a list"),
        pytest.param("sock.setsockopt(A_B, 1).", "`sock.setsockopt(A_B, 1)`.", id="a call"),
        pytest.param("(/etc/x_y.d/z.conf:7)", "(`/etc/x_y.d/z.conf:7`)", id="a path with its line"),
        pytest.param("600/30/9 in shop/web-0", "600/30/9 in shop/web-0", id="no path"),
        pytest.param("See docs/enforce.md.", "See [docs/enforce.md](enforce.md).", id="a page"),
        pytest.param("net.bridge.bridge-nf-call-iptables", "`net.bridge.bridge-nf-call-iptables`", id="with hyphens"),
        pytest.param("it said '<html>' | *", r"it said '\<html\>' \| \*", id="markup is shown, not obeyed"),
    ],
)
def test_messages_become_markdown(script, message, markdown):
    assert script._text(message) == markdown


@pytest.mark.parametrize(
    ("page", "link"), [("docs/enforce.md", "enforce.md"), ("docs/rps.md", "../rps.md")], ids=["in Chinese", "English"]
)
def test_the_chinese_page_leads_to_chinese_pages_where_there_are_any(script, page, link):
    assert script._text(page, "zh") == f"[{page}]({link})"


def test_the_examples_are_of_nodes_that_can_re_arm(script):
    assert "re-arms those" in script._example("connections-armed-late")["remedy"]
