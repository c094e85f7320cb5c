# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation names what is there: links, pages, variables, findings, commands, and what the audit prints."""

import os
import re
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parent.parent.parent
READMES = ["README.md", "README.zh-CN.md"]
DOCS = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/*.md"))
GENERATED = {"docs/findings.md", "docs/proof.md", "docs/trust.md", "docs/benchmarks.md"}
CHINESE = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("docs/zh/*.md"))
PAGES = [
    *READMES,
    "CONTRIBUTING.md",
    *DOCS,
    *CHINESE,
    *sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("roles/*/*.md")),
]
TEXTS = {page: (ROOT / page).read_text(encoding="utf-8") for page in PAGES}
WITH_LINKS = [
    *PAGES,
    *(
        str(path.relative_to(ROOT))
        for folder in ("plugins", "roles")
        for path in sorted(ROOT.glob(f"{folder}/**/*.py"))
    ),
    *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("roles/*/meta/*.yml"))),
]

LINK = re.compile(r"\]\(([^()\s]+)\)")
OWN_LINK = re.compile(
    r"https://(?:github\.com/kubenode/connections/(?:blob|tree)|raw\.githubusercontent\.com/kubenode/connections)"
    r"/main/([\w./-]*\w(?:#[\w-]+)?)"
)
CODE_BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
TEXT_BLOCK = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# Names of others that begin as our variables do: kubespray, gRPC, metrics.
FOREIGN = {
    "keepalive_intvl_seconds",
    "keepalive_permit_without_calls",
    "keepalive_probes",
    "keepalive_time_ms",
    "keepalive_time_seconds",
    "kube_proxy_tcp_fin_timeout",
    "kube_proxy_tcp_timeout",
    "kube_proxy_udp_timeout",
}


def _specs():
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        yield from yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values()


def _names(pattern):
    return {path.name.split(".")[0] for path in ROOT.glob(pattern) if not path.name.startswith("_")}


def _playbook_variables():
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob("playbooks/*.yml")]
    return {name for text in texts for name in re.findall(r"\b(keepalive_\w+) \| default", text)}


VARIABLES = {name for spec in _specs() for name in spec.get("options", {})} | _playbook_variables()
PLUGINS = set().union(*(_names(f"plugins/{kind}/*.py") for kind in ("modules", "filter", "test", "action")))
ROOMS = {path.stem for path in ROOT.glob("plugins/*_utils/**/*.py")}
PARSERS = {path.name for path in ROOT.glob("tests/fuzz/corpus/*")}
CALLABLE = PLUGINS | _names("playbooks/*.yml") | {path.name for path in ROOT.glob("roles/*") if path.is_dir()}
FINDINGS = set(re.findall(r"^## (\S+)$", TEXTS["docs/findings.md"], re.MULTILINE))


def _anchors(text):
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", CODE_BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _dead(target):
    """Whether a path of this repository, with or without an anchor, leads nowhere."""
    path, _, anchor = target.partition("#")
    if not (ROOT / path).exists():
        return True
    return bool(anchor) and anchor not in _anchors((ROOT / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_leads_to_a_file_and_a_heading(page):
    links = [link for link in LINK.findall(CODE_BLOCK.sub("", TEXTS[page])) if "://" not in link]
    targets = {
        link: page + link if link.startswith("#") else os.path.normpath(Path(page).parent / link) for link in links
    }
    assert [link for link, target in targets.items() if _dead(target)] == []


def test_every_link_to_our_own_repository_leads_to_a_file_and_a_heading():
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in WITH_LINKS}
    links = [(name, link) for name, text in texts.items() for link in OWN_LINK.findall(text)]
    assert len(links) > 50
    assert [(name, link) for name, link in links if _dead(link)] == []


@pytest.mark.parametrize("readme", READMES)
def test_the_readme_has_absolute_links_only(readme):
    """Galaxy shows it elsewhere."""
    assert [link for link in LINK.findall(TEXTS[readme]) if "://" not in link] == []


def test_the_readme_leads_to_every_page():
    """The Chinese one leads to the same places: test_translations.py."""
    assert [page for page in DOCS if page not in OWN_LINK.findall(TEXTS["README.md"])] == []


def test_the_documentation_site_leads_to_every_page():
    links = yaml.safe_load(_read("docs/docsite/links.yml"))["extra_links"]
    targets = [target for link in links for target in OWN_LINK.findall(link["url"])]
    assert sorted(targets) == sorted([*DOCS, "README.md"])


def test_every_page_is_linked_from_another_page():
    links = {(page, link.partition("#")[0]) for page in DOCS for link in LINK.findall(TEXTS[page])}
    linked = {f"docs/{link}" for page, link in links if page != f"docs/{link}"}
    assert [page for page in DOCS if page not in linked] == []


@pytest.mark.parametrize("page", sorted({"README.md", *DOCS} - GENERATED))
def test_no_paragraph_is_longer_than_four_lines_of_160_columns(page):
    """A line of a table counts as none, and a line with a link may be longer."""
    text = CODE_BLOCK.sub("", re.sub(r"<!--.*?-->|^\|[^\n]*$", "", TEXTS[page], flags=re.DOTALL | re.MULTILINE))
    paragraphs = [part.split("\n") for part in re.split(r"\n\s*\n|\n(?= *(?:-|\d+\.) )", text.strip())]
    assert [lines[0] for lines in paragraphs if len(lines) > 4] == []
    assert [line for lines in paragraphs for line in lines if len(line) > 160 and "](" not in line] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_variable_is_there(page):
    names = re.findall(r"(?<![\w.{])(?:keepalive|pod_defaults|guard|kube_proxy|kubelet_http2)_\w*[a-z0-9]", TEXTS[page])
    assert sorted(set(names) - VARIABLES - PLUGINS - ROOMS - PARSERS - FOREIGN) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_playbook_role_and_plugin_is_there(page):
    names = re.findall(r"\bkubenode\.connections\.([a-z]\w*)", TEXTS[page])
    assert sorted(set(names) - CALLABLE) == []


@pytest.mark.parametrize("page", [*DOCS, *CHINESE])
def test_every_finding_in_a_table_is_there(page):
    rows = re.findall(r"^\| (?:finding|检查结果) \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", TEXTS[page], re.MULTILINE)
    cells = [row.split("|")[1] for table in rows for row in table.splitlines()]
    ids = [name for cell in cells for name in re.findall(r"`([a-z-]+)`|\[([a-z-]+)\]", cell)]
    assert sorted({"".join(name) for name in ids} - FINDINGS) == []


def test_the_two_readmes_name_the_same_things():
    names = re.compile(r"\bkeepalive_\w*\w\b|`\w+`|\bkubenode\.connections\.\w+|/docs/[\w./-]+|/roles/\w+")
    english, chinese = (set(names.findall(TEXTS[readme].replace("/docs/zh/", "/docs/"))) for readme in READMES)
    assert english ^ chinese == set()


EXAMPLES = "tests/unit/plugins/plugin_utils/_report/text/fixtures/brief"
SHOWN = {
    **{readme: ["100-alike"] for readme in READMES},
    "docs/report.md": ["100-alike", "middlebox", "drift", "check-mode", "cured", "batch-failed"],
}
"""Which examples of the report a page shows, in their order."""


@pytest.mark.parametrize(("page", "names"), SHOWN.items())
def test_the_page_shows_what_is_printed(page, names):
    """Three dots stand for lines that are left out."""
    blocks = [block for block in TEXT_BLOCK.findall(TEXTS[page]) if block.startswith(("UNSAFE", "SAFE"))]
    assert len(blocks) == len(names)
    for block, name in zip(blocks, names, strict=True):
        text = _read(f"{EXAMPLES}/{name}.txt").replace("INVENTORY", "inventory")
        lines = iter(text.splitlines())
        shown = [line for line in block.splitlines() if line.strip() not in ("", "...")]
        assert len(shown) > 8
        stale = [line for line in shown if line not in lines]  # takes the lines one after the other
        assert stale == [], f"Quote it anew:\n{text}"


def test_the_contributing_page_names_every_session_of_nox():
    sessions = re.findall(
        r'^@nox\.session(?:\((?:.*\bname="(\w+)")?.*\))?\n(?:@nox.*\n)*def (\w+)', _read("noxfile.py"), re.MULTILINE
    )
    names = {given or name for given, name in sessions}
    assert {"units", "install", "molecule_ipvs"} <= names
    assert sorted(name for name in names if f"`{name}`" not in TEXTS["CONTRIBUTING.md"]) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_target_of_make_is_there(page):
    targets = re.findall(r"^([a-z-]+):", _read("Makefile"), re.MULTILINE)
    code = re.findall(r"`make ([a-z-]+)`", TEXTS[page]) + re.findall(r"^make ([a-z-]+)", TEXTS[page], re.MULTILINE)
    assert sorted(set(code) - set(targets)) == []


def test_the_contributing_page_names_files_that_are_there():
    folders = r"`((?:plugins|tests|roles|docs|meta|molecule|changelogs|playbooks)/[\w./*-]*)`"
    paths = re.findall(folders, TEXTS["CONTRIBUTING.md"])
    assert len(paths) > 20
    assert sorted({path for path in paths if not list(ROOT.glob(path.rstrip("/")))}) == []


def test_what_the_contributing_page_says_is_in_a_file_is_defined_there():
    places = re.findall(r"`([A-Z]\w+)`\s+(?:of|in)\s+`([\w./]+\.py)`", TEXTS["CONTRIBUTING.md"])
    assert len(places) >= 2
    assert [place for place in places if not re.search(rf"^{place[0]}\b.* =", _read(place[1]), re.MULTILINE)] == []


def test_the_variables_of_the_example_are_valid():
    example = yaml.safe_load(_read("docs/examples/inventory/group_vars/all.yml"))
    spec = yaml.safe_load(_read("roles/keepalive/meta/argument_specs.yml"))["argument_specs"]["audit"]["options"]
    assert ArgumentSpecValidator(spec).validate(example).error_messages == []


def test_every_query_by_jq_names_what_the_document_has():
    queries = re.findall(r"^\$ jq -[rc] '(.*)' reports/report\.json$", TEXTS["docs/report.md"], re.MULTILINE)
    assert len(queries) == 4
    names = {name for query in queries for name in re.findall(r"\.(\w+)", query)}
    assert sorted(name for name in names if f'"{name}": {{' not in _read("docs/schema/report-1.json")) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_table_of_the_proof_that_is_named_is_there(page):
    named = re.findall(r"\((?:tables?|表) (\d+)(?:\D+(\d+))?\)", TEXTS[page])
    there = re.findall(r"^## (\d+)\.", TEXTS["docs/proof.md"], re.MULTILINE)
    assert {number for numbers in named for number in numbers if number} - set(there) == set()


def test_what_the_faq_says_of_costs_stands_in_the_benchmarks():
    table = TEXTS["docs/faq.md"].partition("## What does it cost on a node?")[2]
    figures = [figure for row in re.findall(r"^\|[^|]+\|([^|]+)\|$", table, re.MULTILINE) for figure in _figures(row)]
    assert len(figures) > 6
    assert sorted(set(figures) - set(_figures(TEXTS["docs/benchmarks.md"]))) == []


def _figures(text):
    return re.findall(r"\d[\d,]*(?:\.\d+)?", text)


def _read(name):
    return (ROOT / name).read_text(encoding="utf-8")
