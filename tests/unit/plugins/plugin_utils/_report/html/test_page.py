# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import hashlib
import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.page import render_html
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import Rerun
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.page import plain
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.text.report import text_lines
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import (
    applied,
    cluster,
    document,
    pods,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    altered,
    container_node,
    nftables_node,
    nodes,
    plain_node,
    quiet_node,
    stock_node,
    unprivileged_node,
    with_keepalive,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._pod_nodes import (
    outside,
    row,
    service,
    with_rows,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.html._page_words import (
    section,
    words,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.text._text_examples import (
    EXAMPLES,
    OF_PAGES,
    PAGES,
    page,
)

PROCESS = {"name": "java", "pid": 8, "runtime": "java", "pod": None}

_VOID = {"meta", "br", "input", "link"}


class Page(HTMLParser):
    """A page taken apart: elements with attributes, text outside of style and script, and what was not closed."""

    def __init__(self, markup):
        super().__init__(convert_charrefs=True)
        self.elements, self.text, self.open, self.wrong, self.raw = [], "", [], [], {}
        self.title, self.headline = [], []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        inside = self.open[-1] if self.open else ""
        if inside in ("style", "script"):
            self.raw[inside] = self.raw.get(inside, "") + data
        else:
            self.text += data
        if "title" in self.open:
            self.title.append(data)
        if "h1" in self.open:
            self.headline.append(data)

    def all(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]

    def ids(self):
        return [attributes["id"] for _tag, attributes in self.elements if "id" in attributes]


def after_apply():
    return document(applied=applied(), verdicts_before={"worker1": "unsafe"}, kind="apply")


def drifted():
    change = {"scope": "worker1", "what": "net.ipv4.tcp_keepalive_time", "from": "7200", "to": None}
    finding = {"id": "keepalive-too-late", "severity": "critical", "scope": "worker1", "observed": "7200/75/9"}
    counter = {"node": "worker1", "counter": "conntrack invalid", "from": 3, "to": 12, "grown": 9}
    return document() | {
        "drift": {
            "since": "2026-11-20T03:40:00Z",
            "changes": [change],
            "nodes_new": ["worker9"],
            "nodes_gone": ["worker8"],
            "findings_new": [finding],
            "findings_gone": [],
            "counters": [counter],
        }
    }


def silenced():
    report = document()
    for finding in report["findings"]:
        finding["silenced"] = "we know" if finding["severity"] == "info" else None
    return report


REPORTS = [
    pytest.param(document, id="an audit of a safe, an unsafe and an unreachable node"),
    pytest.param(after_apply, id="after an apply"),
    pytest.param(drifted, id="compared with an earlier report"),
    pytest.param(silenced, id="with silenced findings"),
    pytest.param(lambda: document(nodes(quiet_node()), {}), id="one safe node"),
    pytest.param(lambda: document(nodes(plain_node()), {}), id="a machine without any limit"),
    pytest.param(lambda: document(nodes(None), {}), id="nothing observed"),
    pytest.param(lambda: document(nodes(unprivileged_node(), container_node()), {}), id="not read as root"),
    pytest.param(lambda: document(nodes(stock_node()), {"strategy": "raise_ipvs"}), id="raise_ipvs"),
    pytest.param(lambda: document(nodes(stock_node()), {"profile": "article"}), id="not decided in time"),
    pytest.param(lambda: document(nodes(nftables_node()), {}), id="conntrack only"),
    pytest.param(lambda: document(nodes(with_keepalive(stock_node(), (0, 0, 0))), {}), id="a keepalive of zeros"),
]


@pytest.mark.parametrize("report", REPORTS)
def test_the_page_is_whole_and_alone(report):
    page = Page(render_html(report()))
    assert (page.open, page.wrong) == ([], [])
    assert len(page.ids()) == len(set(page.ids()))
    links = [attributes["href"] for attributes in page.all("a")]
    assert {link[1:] for link in links if link.startswith("#")} <= set(page.ids())
    assert all(link.startswith(("#", "https://github.com/kubenode/connections/")) for link in links)
    assert not any("src" in attributes for _tag, attributes in page.elements)
    labels = {each for _tag, attributes in page.elements for each in attributes.get("aria-labelledby", "").split()}
    assert labels <= set(page.ids())


@pytest.mark.parametrize("report", REPORTS)
def test_the_policy_lets_in_this_style_and_this_script_and_nothing_else(report):
    page = Page(render_html(report()))
    hashes = {
        name: base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for name, content in page.raw.items()
    }
    policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv") == "Content-Security-Policy")
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{hashes['style']}'; script-src 'sha256-{hashes['script']}'; "
        "base-uri 'none'; form-action 'none'"
    )
    names = {name for _tag, attributes in page.elements for name in attributes}
    assert not {name for name in names if name.startswith("on")} | (names & {"style"})


UNREAD = {"unreadable": 3, "error": "/proc/7/ns/net: Permission denied"}

HEADLINES = [
    pytest.param(
        lambda: document(nodes(quiet_node(), quiet_node()), {}),
        (
            "SAFE",
            "safe",
            "✓",
            "idle connections are safe on all 2 nodes, as far as the nodes show; no middlebox was declared.",
        ),
        id="safe",
    ),
    pytest.param(
        document,
        ("UNSAFE", "unsafe", "✗", "idle connections at risk on 1 of 3 nodes (1 unknown), in 2 of 2 pods."),
        id="unsafe",
    ),
    pytest.param(
        lambda: document(nodes(quiet_node(), None), {}),
        ("UNKNOWN", "unknown", "?", "whether idle connections are safe is not known on 1 of 2 nodes."),
        id="unknown",
    ),
    pytest.param(
        lambda: document(nodes(quiet_node(), altered(quiet_node(), namespaces=UNREAD)), {}),
        (
            "UNKNOWN",
            "unknown",
            "?",
            "whether idle connections are safe is not known on 1 of 2 nodes.",
        ),
        id="unread pods of safe nodes",
    ),
    pytest.param(
        lambda: document(nodes(quiet_node(), with_keepalive(quiet_node(), (550, 30, 9))), {}),
        ("UNSAFE AFTER A REBOOT", "unsafe", "✗", "idle connections are safe, until a reboot of 1 of 2 nodes."),
        id="safe until a reboot",
    ),
    pytest.param(
        lambda: document(nodes(with_rows(quiet_node(), row("a/b", (600, 30, 9), service(gaps=[(7200, 2)])))), {}),
        ("UNSAFE", "unsafe", "✗", "idle connections at risk in 1 of 1 pod; the nodes themselves are safe."),
        id="late open connections on a safe node",
    ),
]


@pytest.mark.parametrize(("report", "expected"), HEADLINES)
def test_the_terminal_the_heading_and_the_title_say_the_same(report, expected):
    word, kind, sign, sentence = expected
    markup = render_html(report())
    page = Page(markup)
    assert plain(text_lines(report(), 200)[0]) == f"{word}: {sentence}"
    assert "".join(page.title) == f"{word}: {sentence}"
    assert page.headline == [sign, word.lower(), sentence[:1].upper() + sentence[1:]]
    assert f'<header class="top {kind}">' in markup


@pytest.mark.parametrize(
    ("other", "told"),
    [
        pytest.param(None, True, id="below a headline on what is not known"),
        pytest.param(quiet_node(), False, id="not again where the headline says so"),
        pytest.param(stock_node(), False, id="nor beside nodes at risk now"),
    ],
)
def test_nodes_that_a_reboot_makes_unsafe_are_told(other, told):
    text = Page(render_html(document(nodes(with_keepalive(quiet_node(), (550, 30, 9)), other), {}))).text
    assert ("1 node safe now will be at risk after a reboot." in text) is told
    assert ("until a reboot of 1 of 2 nodes." in text or "1 node more after a reboot." in text) is not told


@pytest.mark.parametrize(
    ("report", "steps"),
    [
        pytest.param(
            document,
            [
                "ansible-playbook kubenode.connections.apply -i INVENTORY --check --diff",
                "ansible-playbook kubenode.connections.apply -i INVENTORY",
                "ansible-playbook kubenode.connections.verify -i INVENTORY",
            ],
            id="changes to make",
        ),
        pytest.param(lambda: document(nodes(quiet_node()), {}), [], id="nothing to do"),
    ],
)
def test_what_to_do_next_can_be_copied(report, steps):
    markup = render_html(report())
    assert commands_of(markup, "next", "time") == steps
    assert ("Nothing has to be done." in markup) == (not steps)


def commands_of(markup, begin, end):
    """What can be copied in the parts from one up to another."""
    part = markup[markup.index(f'id="{begin}"') : markup.index(f'id="{end}"')]
    return [html.unescape(each) for each in re.findall(r"data-copy><code>([^<]*)</code>", part)]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        pytest.param(
            ["-i 'a&b/<hosts>'", "--limit 'rack1:&rack2'", "-K", "-e 'keepalive_margin=9 keepalive_pods=\"x\"'"],
            " -i 'a&b/<hosts>' --limit 'rack1:&rack2' -K -e 'keepalive_margin=9 keepalive_pods=\"x\"'",
            id="those of the run",
        ),
        pytest.param([], "", id="a run that needed none"),
    ],
)
def test_each_command_has_the_options_of_the_run(options, shown):
    markup = render_html(document(), Rerun(tuple(options)))
    playbook = "ansible-playbook kubenode.connections"
    assert commands_of(markup, "next", "time") == [
        f"{playbook}.apply{shown} --check --diff",
        f"{playbook}.apply{shown}",
        f"{playbook}.verify{shown}",
    ]
    assert f"{playbook}.apply{shown}" in commands_of(markup, "findings", "pods")
    assert "INVENTORY" not in markup


def test_what_the_commands_lack_is_named_where_they_stand():
    without = (
        "The commands are without: token, @/gone.yml (given to this run). They may be secrets, or cannot be shown here."
    )
    lacking, whole = Rerun((), ("token", "@/gone.yml")), Rerun(())
    assert without in Page(render_html(document(), lacking)).text
    assert "given to this run" not in Page(render_html(document(), whole)).text
    assert "given to this run" not in Page(render_html(document(nodes(quiet_node()), {}), lacking)).text


def test_the_first_command_is_the_one_of_the_terminal():
    rerun = Rerun(("-i hosts", "--limit rack1"))
    lines = [plain(line) for line in text_lines(document(), 200, rerun)]
    assert lines[1] == f"Run: {commands_of(render_html(document(), rerun), 'next', 'time')[0]}"


def test_a_failed_apply_comes_first():
    outcome = {"failed": True, "msg": "node_settings: /etc is read-only. Nothing was changed."}
    text = Page(render_html(document(applied={"worker1": outcome}, kind="apply"))).text
    assert text.index("The apply failed on worker1.") < text.index("--check --diff")
    assert "failed node_settings: /etc is read-only. Nothing was changed." in text


def test_findings_of_the_same_words_are_one_with_all_nodes():
    markup = render_html(document(nodes(*[stock_node() for _each in range(12)]), {}))
    finding = markup[markup.index('id="findings"') :]
    assert finding.count(">keepalive-too-late</a>") == 1
    assert "on 12 nodes" in finding
    assert "and 4 more</summary>" in finding


def test_what_differs_in_capitals_only_is_not_the_same():
    report = document(nodes(*[stock_node()] * 2), {})
    same = [each for each in report["findings"] if each["id"] == "keepalive-too-late"]
    for finding, letter in zip(same, "aA", strict=True):
        finding["observed"] = finding["limit"] = f"{letter}-word"
    text = Page(render_html(report)).text
    assert ("worker1: a-word" in text, "worker2: A-word" in text) == (True, True)
    assert text.count("a-word") == 1


def test_of_many_failures_and_of_many_observations_the_first_five_are_seen_at_once():
    outcome = {"failed": True, "msg": "sysctls: net.ipv4.x is not there. Leave it out."}
    several = [with_keepalive(stock_node(), (7200 + number, 75, 9)) for number in range(7)]
    report = document(nodes(*several), {}, applied=dict.fromkeys(nodes(*several), outcome), kind="apply")
    markup = render_html(report)
    assert re.findall(r"The apply failed on (\w+)\.", markup) == [each["name"] for each in report["nodes"][:5]]
    seen = markup[markup.index("<dt>Seen</dt>") : markup.index("<dt>Against</dt>")]
    first, rest = seen.split("<summary>2 more</summary>")
    assert (first.count("<li>"), rest.count("<li>")) == (5, 2)


def keys_of(report, part):
    """What each row of a part's table is sorted by, column by column; None where that is the text of the cell."""
    rows = re.findall(r"<tr data-kind.*?</tr>", section(report, part), re.DOTALL)
    return [
        [attributes.get("data-key") for tag, attributes in Page(row).elements if tag in ("th", "td")] for row in rows
    ]


def test_what_the_table_of_nodes_is_sorted_by():
    lost = with_keepalive(quiet_node(), (600, 30, 9), boot=(7200, 75, 9))
    report = document({**cluster(), "worker4": lost, "worker5": plain_node()}, {})
    report["nodes"][0]["keepalive"]["planned"] = None
    assert keys_of(report, "nodes") == [
        ["worker1", "0", "-7384", "0", None, "900", "7200", "-1", "2"],
        ["worker5", "0", "-7384", "0", None, "-1", "7200", "600", "-1"],
        ["worker3", "1", "-1000000000000000000", "1", None, "-1", "-1", "-1", "-1"],
        ["worker4", "2", "156", "0", None, "900", "600", "600", "-1"],
        ["worker2", "2", "156", "2", None, "900", "600", "600", "-1"],
    ]
    after_boot = re.findall(
        r'"Node&#39;s own, after a reboot" data-key="\d"><span class="badge (\w+)"', section(report, "nodes")
    )
    assert after_boot == ["unsafe", "unsafe", "unknown", "unsafe", "safe"]


def rows_of(*rows):
    """The lines of pods, each with its kind and the text of its parts."""
    markup = section(document(nodes(with_rows(quiet_node(), *rows)), {"middleboxes": ["aws_nat_gateway"]}), "pods")
    lines = re.findall(r'<li data-kind="(\w+)">(.*?)</li>\n(?=<li data-kind|</ul>)', markup, re.DOTALL)
    texts = [(kind, " ".join(re.sub(r"<[^>]*>", " ", line).split())) for kind, line in lines]
    return [each for each in texts if not each[1].startswith("the node itself")]


def test_a_pod_is_a_line_with_its_process_connections_and_place():
    java = ("java", 8, "java", 0)
    alone = {**row("a/b", (7200, 75, 9), service(gaps=[(7200, 2)], processes=[java])), "process": PROCESS}
    assert rows_of(alone) == [
        (
            "unsafe",
            "a/b java 8 2 connections, 2 with a late timer 10.96.0.10:80 , timer up to 7200 s",
        )
    ]


def test_who_holds_a_connection_is_said_where_it_is_another_process():
    (line,) = rows_of({**row("a/b", (7200, 75, 9), service(gaps=[(7200, 2)], processes=[("x", 9, None, 0)]))})
    assert line[1].endswith("10.96.0.10:80 , timer up to 7200 s; by x 9")


def test_several_places_are_folded_with_all_of_what_is_known():
    several = row("a/b", (7200, 75, 9), service(without=1), service("10.96.0.11:80", gaps=[(7200, 2)]))
    outward = {**several, **outside(service("192.0.2.2:5432", 3))}
    assert rows_of(outward)[0][1].endswith(
        "10.96.0.10:80 and 2 more "
        "10.96.0.10:80 : 1 connection, 1 without keepalive "
        "10.96.0.11:80 : 2 connections, timer up to 7200 s "
        "192.0.2.2:5432 (no service): 3 of 3 connections at risk, 3 without keepalive; 350 s AWS NAT gateway"
    )


@pytest.mark.parametrize(
    ("number", "names"), [(3, "worker1, worker2, worker3"), (4, "worker1, worker2, worker3 and 1 more")]
)
def test_a_note_names_three_nodes(number, names):
    report = document(nodes(*[None] * number), {})
    for each in report["nodes"]:
        each["notes"] = ["A note."]
    assert f"{names}: A note." in Page(section(report, "nodes")).text


@pytest.mark.parametrize(
    ("boot", "told"), [((7200, 75, 9), True), (None, False)], ids=["lost at a reboot", "safe after a reboot, too"]
)
def test_lines_of_nodes_that_a_reboot_makes_unsafe_say_so(boot, told):
    node = with_keepalive(quiet_node(), (600, 30, 9), boot=boot) if boot else quiet_node()
    assert ("unsafe after a reboot" in section(document(nodes(node), {}), "time")) is told


def test_the_navigation_leads_to_every_part():
    report = after_apply() | {"drift": drifted()["drift"]}
    links = re.search("<nav.*?</nav>", render_html(report), re.DOTALL)[0]
    assert re.findall(r'href="#(\w+)">([^<]+)<', links) == [
        ("next", "Next"),
        ("time", "Time lines"),
        ("findings", "Findings"),
        ("pods", "Pods"),
        ("nodes", "Nodes"),
        ("changes", "Before and after"),
        ("drift", "Since the last report"),
    ]


def test_the_last_line_says_what_safe_means():
    report = document(nodes(quiet_node()), {"lost_probes": 1, "margin": 7})
    (line,) = words(report, "footer")
    assert "end before the limit. Counted in here: 1 lost probes in a row, a margin of 7 s. After a reboot" in line


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        pytest.param({}, ["Nothing."], id="nothing"),
        pytest.param({"nodes_new": ["worker9"]}, ["New nodes", "worker9"], id="a list and no value"),
    ],
)
def test_where_nothing_changed_that_is_said(lists, said):
    report = drifted()
    report["drift"].update({name: [] for name in report["drift"] if name != "since"} | lists)
    assert words(report, "drift") == ["What changed since 2026-11-20 03:40:00 UTC", *said]


def test_silenced_findings_are_apart_with_the_reason_and_not_counted():
    report = silenced()
    report["counts"]["findings"]["info"] = 0
    markup = render_html(report)
    number = sum(finding["silenced"] is not None for finding in report["findings"])
    assert f"<summary>{number} findings silenced, not counted</summary>" in markup
    assert "we know" in markup


def test_before_and_after_of_a_file_is_a_diff():
    markup = render_html(after_apply())
    assert '<span class="added">+net.ipv4.tcp_keepalive_time = 600</span>' in markup
    assert "/etc/sysctl.d/k8s.conf</code> (new)" in markup


def test_pods_and_sockets_at_risk_are_named():
    text = Page(render_html(document())).text
    for expected in (
        "shop/checkout-7d9f8c6b5-x2x7p",
        "python3 (grpcio) 4711",
        "10.96.12.7:50051",
        "10 with a late timer",
    ):
        assert expected in text


def test_what_changed_since_the_last_report_is_a_part_of_its_own():
    text = Page(render_html(drifted())).text
    for expected in ("What changed since 2026-11-20 03:40:00 UTC", "worker9", "worker8", "3 → 12 (+9)"):
        assert expected in text
    assert "What changed since" not in Page(render_html(document())).text


CHOSEN = ("verdict", "verdict_after_boot", "verdict_before", "kind", "place")
"""Keys whose texts are one of a few words, by which the page looks something up."""

KEPT = (*CHOSEN, "severity", "made_at", "help", "since", "version")
"""Keys whose texts are this collection's own."""


def replaced(value, text, kept=KEPT):
    """The document with another text put before all of its texts, but those of the keys that are kept."""
    if isinstance(value, dict):
        return {
            name: item if name in kept and isinstance(item, str) else replaced(item, text, kept)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [replaced(item, text, kept) for item in value]
    return text + value if isinstance(value, str) else value


HOSTILE = st.text(max_size=30) | st.sampled_from(
    [
        '"><script>alert(1)</script>',
        "'><img src=x onerror=alert(1)>",
        "</style></script></svg>",
        "javascript:alert(1)//",
        "\u202e\u2066\x1b[31m\x00",
        "{{ lookup('pipe', 'id') }}",
        "&lt;b&gt;",
        "<!--",
    ]
)


@settings(max_examples=40)
@given(HOSTILE, st.sampled_from([document, after_apply, drifted]))
def test_text_of_nodes_and_options_never_becomes_markup(text, report):
    page, harmless = Page(render_html(replaced(report(), text), Rerun((text,), (text,)))), Page(render_html(report()))
    assert (page.open, page.wrong) == ([], [])
    assert {tag for tag, _attributes in page.elements} <= {tag for tag, _attributes in harmless.elements}
    assert (len(page.all("script")), len(page.all("style"))) == (1, 1)
    assert not any(name.startswith("on") for _tag, attributes in page.elements for name in attributes)
    assert all(each["href"].startswith(("#", "https://github.com/kubenode/")) for each in page.all("a"))
    assert printable(text) in page.text
    assert all(each.isprintable() or each == "\n" for each in page.text)


MARKUP = """<b>"'&"""


def attribute_names(page):
    return {(tag, name) for tag, attributes in page.elements for name in attributes}


@pytest.mark.parametrize("report", [*REPORTS, *(pytest.param(EXAMPLES[name], id=name) for name in OF_PAGES)])
def test_each_text_of_a_report_is_escaped_once_wherever_it_stands(report):
    """In text, in attributes, in the title, in the pictures."""
    markup = render_html(replaced(report(), MARKUP, CHOSEN), Rerun((MARKUP,), (MARKUP,)))
    page, harmless = Page(markup), Page(render_html(report()))
    assert "<b" not in re.sub("<(bdi|body|button)\\b", "", markup)
    assert (page.open, page.wrong) == ([], [])
    assert attribute_names(page) <= attribute_names(harmless)
    assert "&amp;lt;" not in markup
    assert MARKUP in page.text


def test_a_page_of_500_nodes_stays_small():
    several = {}
    for number in range(500):
        node = stock_node() if number % 2 else quiet_node()
        node["hostname"] = name = f"ip-10-0-{number // 250}-{number % 250}.eu-central-1.compute.internal"
        if number % 2:
            node["pods"] = pods()
            node["pods"]["rows"] *= 14
        if number % 10 == 1:
            with_keepalive(node, (900 + number, 60, 9))
        several[name] = node
    page = render_html(document(several, {}))
    assert len(page.encode()) < 3_000_000
    assert page.count('<article class="group') == 30
    assert "250 nodes</h3>" in page
    assert "22 nodes more, of 22 other kinds: see the table of nodes." in page


@pytest.mark.parametrize("name", OF_PAGES)
def test_every_word_and_number_of_the_page(name):
    """See _text_examples.py for how to write them anew."""
    assert page(EXAMPLES[name]()) == (PAGES / f"{name}.txt").read_text(encoding="utf-8")


def test_there_are_no_words_of_a_page_that_is_gone():
    assert {path.stem for path in PAGES.iterdir()} == set(OF_PAGES)


def test_an_apply_that_failed_is_the_first_fact_and_the_first_step_has_its_cause_before_any_change():
    report = EXAMPLES["apply-failed"]()
    assert words(report, "facts")[0].startswith("Apply changed 1 of 2 nodes. It failed on worker2.")
    first = next(line for line in words(report, "next") if line.startswith("The apply failed"))
    error = next(node["applied"]["error"] for node in report["nodes"] if node["applied"]["error"])
    assert " ".join(error.split()) in first
    assert "Remove the cause first." in first
    shown = section(report, "changes")
    assert shown.index("<h3>Failed</h3>") < shown.index("<h3>Changed</h3>")


def test_the_verdict_after_a_reboot_is_said_of_the_node_alone():
    report = EXAMPLES["3-nodes"]()
    assert "Node's own, after a reboot" in words(report, "nodes")
    assert "node's own keepalive alone" in " ".join(words(report, "footer"))
