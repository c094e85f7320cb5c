# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Chinese pages say what the English ones say: same text followed, same parts, code, figures and links."""

import importlib.util
import os
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = "https://github.com/kubenode/connections/blob/main/"

BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^()\s]+)\)")
INLINE = re.compile(r"`([^`\n]+)`")
NUMBER = re.compile(r"\d+(?:\.\d+)*")
CJK = r"[\u3400-\u9fff]"


def _script():
    spec = importlib.util.spec_from_file_location("translations", ROOT / "tests" / "translations.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


translations = _script()
PAGES = translations.pages()


def _blocks(text):
    """Each block of code with its language, without its comments; in a console a # is a prompt."""
    blocks = [(language, code.rstrip("\n")) for language, code in BLOCK.findall(text)]
    return [
        (language, code if language in ("console", "text") else re.sub(r"(?m)(^|\s+)# .*$", "", code))
        for language, code in blocks
    ]


def _prose(text):
    return BLOCK.sub("", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))


def _anchors(text):
    """The anchors of a page's headings, in their order."""
    titles = [title for _level, title in HEADING.findall(_prose(text))]
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def _sections(text):
    """The texts between the headings, with the heading that each has."""
    parts = HEADING.split(_prose(text))
    return [("", parts[0])] + [(parts[at + 1], parts[at + 1] + parts[at + 2]) for at in range(1, len(parts), 3)]


def _pairs(page):
    """Each section of a Chinese page beside that of the English one."""
    return zip(
        _sections(translations.read(page)), _sections(translations.read(translations.english(page))), strict=True
    )


def _target(page, link):
    """A link's path from the root and its anchor; a link that leads elsewhere as it is."""
    if link.startswith(OURS):
        path, _, anchor = link.removeprefix(OURS).partition("#")
        return path, anchor
    if "://" in link:
        return link, ""
    path, _, anchor = link.partition("#")
    return os.path.normpath(Path(page).parent / path) if path else page, anchor


def _in_chinese(path, anchor):
    """Where a link of an English page leads to on the Chinese one."""
    chinese = translations.chinese(path)
    if chinese is None:
        return path, anchor
    if not anchor:
        return chinese, ""
    place = _anchors(translations.read(path)).index(anchor)
    return chinese, _anchors(translations.read(chinese))[place]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_follows_the_english_text_of_now(page):
    step = translations.step(page, translations.read(page), translations.read(translations.english(page)))
    assert step is None, step


@pytest.mark.parametrize("page", PAGES)
def test_the_page_has_the_headings_of_the_english_one(page):
    chinese, english = (
        [level for level, _title in HEADING.findall(_prose(translations.read(name)))]
        for name in (page, translations.english(page))
    )
    assert chinese == english


@pytest.mark.parametrize("page", PAGES)
def test_the_page_has_the_code_of_the_english_one(page):
    assert _blocks(translations.read(page)) == _blocks(translations.read(translations.english(page)))


@pytest.mark.parametrize("page", PAGES)
def test_each_section_has_as_many_rows_and_items(page):
    marks = r"(?m)^ *(?:\||- |\d+\. )"
    counts = [
        (chinese[0], len(re.findall(marks, chinese[1])), len(re.findall(marks, english[1])))
        for chinese, english in _pairs(page)
    ]
    assert [(title, found, wanted) for title, found, wanted in counts if found != wanted] == []


@pytest.mark.parametrize("page", PAGES)
def test_each_section_has_the_names_in_code_of_the_english_one(page):
    """A word such as apply may be code in Chinese alone."""
    differing = []
    for (title, text), (_, english) in _pairs(page):
        names, wanted = set(INLINE.findall(text)), set(INLINE.findall(english))
        strange = {name for name in names - wanted if not re.search(rf"\b{re.escape(name)}\b", english)}
        differing.append((title, sorted(strange | (wanted - names))))
    assert [each for each in differing if each[1]] == []


@pytest.mark.parametrize("page", PAGES)
def test_each_section_has_the_figures_of_the_english_one(page):
    """More of them are fine: what English says in words may be a figure in Chinese."""

    def figures(text):
        return set(NUMBER.findall(re.sub(r"(?<=\d),(?=\d{3})", "", LINK.sub("]", text))))

    missing = [(title, figures(english) - figures(text)) for (title, text), (_, english) in _pairs(page)]
    assert [(title, sorted(figures)) for title, figures in missing if figures] == []


@pytest.mark.parametrize("page", PAGES)
def test_each_section_leads_to_the_same_places_in_chinese_where_they_are(page):
    """The line that leads to the other language is apart."""
    source = translations.english(page)
    differing = []
    for (title, text), (_, english) in _pairs(page):
        found = {_target(page, link) for link in LINK.findall(text)} - {(source, "")}
        wanted = {_target(source, link) for link in LINK.findall(english)} - {(page, "")}
        differing.append((title, sorted(found ^ {_in_chinese(*link) for link in wanted})))
    assert [each for each in differing if each[1]] == []


@pytest.mark.parametrize("page", [*PAGES, "docs/zh/findings.md"])
def test_the_page_and_the_english_one_lead_to_each_other(page):
    source = translations.english(page)
    there = [_target(source, link)[0] for link in re.findall(r"(?m)^\[中文\]\((\S+)\)$", translations.read(source))]
    back = [_target(page, link)[0] for link in re.findall(r"(?m)^\[English\]\((\S+)\)$", translations.read(page))]
    assert (there, back) == ([page], [source])


@pytest.mark.parametrize("picture", sorted(path.name for path in ROOT.glob("docs/zh/*.svg")))
def test_a_picture_differs_in_its_words_only(picture):
    chinese, english = (
        re.sub(r"(<(?:title|text)\b[^>]*>)[^<]*", r"\1", translations.read(f"{folder}/{picture}"))
        for folder in ("docs/zh", "docs")
    )
    assert chinese == english


@pytest.mark.parametrize("page", [*PAGES, "docs/zh/README.md"])
def test_the_page_is_spelt_as_chinese_documentation_is(page):
    """A blank between Chinese and Latin or code, full-width marks, no line end inside of a word, no smart quotes."""
    text = re.sub(r"\]\(\S+?\)", "]", _prose(translations.read(page)))
    wrong = [
        rf"{CJK}[*\[]*[\w`](?<!{CJK})",
        rf"(?!{CJK})[\w`][*\]]*{CJK}",
        rf"{CJK}[,;:?!]",
        rf"{CJK}\n *{CJK}",
        "[\u2018-\u201d]",
    ]
    assert [
        text[max(0, found.start() - 15) : found.end() + 15] for mark in wrong for found in re.finditer(mark, text)
    ] == []


def _avoided():
    """The words of the glossary's last column, which are not used."""
    rows = re.findall(r"(?m)^\|[^|]*\|[^|]*\|[^|]*\|([^|-]*)\|$", translations.read("docs/zh/README.md"))
    return [word for row in rows[1:] for word in row.strip().split("、") if word]


@pytest.mark.parametrize(
    "page",
    [*PAGES, *(str(path.relative_to(ROOT)) for path in ROOT.glob("plugins/plugin_utils/_report/languages/zh/*"))],
)
def test_the_words_are_those_of_the_glossary(page):
    assert len(_avoided()) > 20
    assert [word for word in _avoided() if word in translations.read(page)] == []


ENGLISH = "# Pods\n"


def _chinese(digest, name="docs/pods.md"):
    return f"<!-- follows {name} {digest} -->\n# Pod\n\nCommit {digest}.\n"


def test_a_page_in_step_has_nothing_to_do():
    assert translations.step("docs/zh/pods.md", _chinese("1bd52dd29fd4"), ENGLISH) is None


def test_a_page_behind_is_told_with_what_to_do():
    assert translations.step("docs/zh/pods.md", _chinese("0123456789ab"), ENGLISH) == (
        "docs/pods.md has changed. See what: git diff $(git log -1 --format=%h -S0123456789ab -- docs/zh/pods.md) -- "
        "docs/pods.md; bring it over to docs/zh/pods.md; then run: python tests/translations.py docs/zh/pods.md"
    )


@pytest.mark.parametrize("text", ["# Pod\n", _chinese("1bd52dd29fd4", "docs/enforce.md")], ids=["none", "another's"])
def test_a_page_that_does_not_say_what_it_follows_is_told(text):
    assert translations.step("docs/zh/pods.md", text, ENGLISH) == (
        "docs/zh/pods.md does not say what it follows. "
        "Write '<!-- follows docs/pods.md 1bd52dd29fd4 -->' below its header."
    )


def test_the_script_writes_the_hash_and_nothing_else():
    before = _chinese("0123456789ab")
    after = "<!-- follows docs/pods.md 1bd52dd29fd4 -->\n# Pod\n\nCommit 0123456789ab.\n"
    assert translations.stamped("docs/zh/pods.md", before, ENGLISH) == after


def test_the_script_adds_no_comment():
    with pytest.raises(ValueError, match="does not say what it follows"):
        translations.stamped("docs/zh/pods.md", "# Pod\n", ENGLISH)


def test_the_script_refuses_a_page_that_is_not_there(capsys):
    assert translations.main(["docs/zh/pod.md"]) == 1
    assert capsys.readouterr().err == f"No such Chinese page: docs/zh/pod.md. There are: {', '.join(PAGES)}.\n"
