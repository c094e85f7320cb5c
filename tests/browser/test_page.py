# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest
from axe_playwright_python.sync_playwright import Axe

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import printable
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.language import language
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import Rerun
from ansible_collections.kubenode.connections.tests.browser.reports import (
    HOSTILE,
    all_verdicts,
    everything,
    hostile,
    large,
    several_nodes,
)

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PAPER = {"width": 690, "height": 980}

REPORTS = [
    pytest.param(everything, id="a bit of everything"),
    pytest.param(all_verdicts, id="lines of all sorts"),
    pytest.param(hostile, id="hostile names"),
]
SIZES = [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")]


def visible(page, selector):
    return [each for each in page.locator(selector).all() if each.is_visible()]


def names_of(page, table):
    return [each.inner_text() for each in visible(page, f"{table} :is(tbody th, .rows > li > .who) .name")]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("report", REPORTS)
def test_the_page_fits_its_screen(show, report, size):
    page = show(report(), viewport=size)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert page.locator("h1").is_visible()
    assert len(visible(page, "svg.lane")) == page.locator(".words").count() > 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("report", REPORTS)
def test_axe_finds_nothing_to_complain_of(show, report, size, scheme):
    result = Axe().run(show(report(), viewport=size, color_scheme=scheme))
    found = [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in result.response["violations"]]
    assert found == []
    assert {"color-contrast", "label", "svg-img-alt"} <= {rule["id"] for rule in result.response["passes"]} | {
        rule["id"] for rule in result.response["inapplicable"]
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("report", REPORTS)
def test_no_text_of_a_picture_covers_another_or_a_limit_or_leaves_it(show, report, size):
    page = show(report(), viewport=size)
    pictures = page.evaluate(
        """() => [...document.querySelectorAll("svg.line")].map((svg) => {
            const own = svg.getBoundingClientRect();
            const seen = (kind) => [...svg.querySelectorAll(kind)].filter((each) => each.getClientRects().length);
            const box = (each) => each.getBoundingClientRect();
            return {
                left: own.left, right: own.right, top: own.top, bottom: own.bottom,
                limits: seen("line.limit").map((each) => [box(each).left, box(each).top, box(each).bottom]),
                texts: seen("text").map((each) => ({ text: each.textContent, left: box(each).left,
                    right: box(each).right, top: box(each).top + 2, bottom: box(each).bottom - 2 })),
            };
        })"""
    )
    assert any(picture["texts"] for picture in pictures)
    for picture in pictures:
        for text in picture["texts"]:
            assert picture["left"] - 1 <= text["left"] < text["right"] <= picture["right"] + 1, text
            assert picture["top"] - 3 <= text["top"] < text["bottom"] <= picture["bottom"] + 1, text
            for x, top, bottom in picture["limits"]:
                crossed = text["left"] < x < text["right"] and top < text["bottom"] and text["top"] < bottom
                assert not crossed, (text, x)
        for one, other in itertools.combinations(picture["texts"], 2):
            beside = one["right"] <= other["left"] or other["right"] <= one["left"]
            above = one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
            assert beside or above, (one, other)


@pytest.mark.parametrize("size", SIZES)
def test_all_rows_of_a_picture_have_their_limits_at_the_same_place(show, size):
    page = show(everything(), viewport=size)
    places = page.evaluate(
        """() => [...document.querySelectorAll("figure.lines")].map((figure) => [...figure.querySelectorAll(
            "svg line.decides")].filter((each) => each.getClientRects().length).map(
            (each) => Math.round(each.getBoundingClientRect().left)))"""
    )
    assert any(len(each) > 2 for each in places)
    assert all(len(set(each)) <= 1 for each in places)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("part", ["#pods", "#nodes", "#findings", "#time"])
def test_no_name_is_broken_where_it_would_fit(show, part, size):
    page = show(everything(), viewport=size)
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    lines = page.locator(f"{part} .name:not(.long)").evaluate_all(
        "(all) => all.map((each) => each.getClientRects().length)"
    )
    assert set(lines) <= {0, 1}


def test_the_nodes_can_be_filtered_by_words_and_by_verdict(show):
    page = show(everything())
    page.get_by_label("Filter nodes").fill("IPVS 5.10")
    assert names_of(page, "#nodes") == ["worker1"]
    assert page.locator("#nodes output").inner_text() == "1 of 3"
    page.get_by_label("Filter nodes").fill("nonsense")
    assert names_of(page, "#nodes") == []
    page.get_by_label("Filter nodes").fill("")
    unknown = page.locator("#nodes").get_by_role("button", name="unknown", exact=True)
    unknown.click()
    assert unknown.get_attribute("aria-pressed") == "true"
    assert names_of(page, "#nodes") == ["worker3"]
    unknown.click()
    assert names_of(page, "#nodes") == ["worker1", "worker3", "worker2"]


def test_the_nodes_can_be_sorted_by_names_and_by_seconds(show):
    page = show(everything())
    head = page.locator("#nodes").get_by_role("columnheader", name="Node", exact=True)
    head.get_by_role("button").click()
    assert names_of(page, "#nodes") == ["worker1", "worker2", "worker3"]
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()
    assert names_of(page, "#nodes") == ["worker3", "worker2", "worker1"]
    assert head.get_attribute("aria-sort") == "descending"
    spare = page.locator("#nodes").get_by_role("columnheader", name="To the limit")
    spare.get_by_role("button").click()
    assert names_of(page, "#nodes") == ["worker3", "worker1", "worker2"]
    assert head.get_attribute("aria-sort") is None


def test_the_findings_can_be_filtered_by_severity(show):
    page = show(everything())
    page.locator("#findings").get_by_role("button", name="critical", exact=True).click()
    ids = [each.inner_text() for each in visible(page, ".finding .id")]
    assert ids == ["keepalive-too-late", "pods-keepalive-too-late"]


def test_every_command_can_be_copied_as_it_is_shown(show):
    page = show(everything(), permissions=["clipboard-read", "clipboard-write"])
    commands = page.locator(".command").all()
    assert len(commands) > 5
    for command in commands:
        command.get_by_role("button").click()
        command.get_by_text("Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == command.locator("code").inner_text()
    command = "ansible-playbook kubenode.connections.apply -i INVENTORY --check --diff"
    assert commands[0].locator("code").inner_text() == command


def test_a_command_of_two_lines_with_spaces_is_copied_as_it_is_shown(show):
    rerun = Rerun(("-e 'a=\"two  spaces\"'", f"--limit {'rack1:' * 60}"))
    page = show(everything(), rerun=rerun, viewport=PHONE, permissions=["clipboard-read", "clipboard-write"])
    command = page.locator("#next .command").first
    command.get_by_role("button").click()
    command.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "two  spaces" in copied
    assert copied == command.locator("code").inner_text()


def test_the_pods_can_be_filtered_by_words_and_a_group_without_any_goes(show):
    page = show(several_nodes())
    groups = "#pods details.risks"
    assert [each.get_attribute("open") for each in page.locator(groups).all()] == ["", "", "", None, None]
    page.get_by_label("Filter pods").fill("worker5 pod-7")
    assert names_of(page, "#pods") == ["shop/pod-7"]
    assert [each.locator("h3").inner_text() for each in visible(page, groups)] == ["worker5"]
    page.get_by_label("Filter pods").fill("pod-1")
    assert names_of(page, "#pods") == ["shop/pod-1", "shop/pod-10", "shop/pod-11"] * 5
    page.get_by_label("Filter pods").fill("")
    assert [each.get_attribute("open") for each in page.locator(groups).all()] == ["", "", "", None, None]


def test_groups_open_and_close_without_a_script(show):
    page = show(several_nodes(), java_script_enabled=False)
    assert len(names_of(page, "#pods")) == 3 * 8
    page.locator("#pods details.risks > summary").last.click()
    assert len(names_of(page, "#pods")) == 4 * 8
    page.locator("#pods details.more summary").first.click()
    assert len(names_of(page, "#pods")) == 4 * 8 + 4


def test_on_a_phone_a_row_is_a_card(show):
    for size, expected in ((DESKTOP, "grid"), (PHONE, "block")):
        page = show(several_nodes(), viewport=size)
        assert page.evaluate("getComputedStyle(document.querySelector('.rows > li')).display") == expected


def test_a_row_is_one_line_on_a_desktop(show):
    page = show(several_nodes(), viewport=DESKTOP)
    heights = page.locator("#pods .rows > li").evaluate_all("(all) => all.map((each) => each.offsetHeight)")
    assert max(heights) < 40


def test_the_page_speaks_chinese(show):
    page = show(everything(), language=language("zh"), permissions=["clipboard-read", "clipboard-write"])
    page.locator("#next .command button").first.click()
    page.get_by_text("已复制").wait_for()
    page.get_by_label("筛选节点").fill("worker1")
    assert page.locator("#nodes output").inner_text() == "1 / 3"
    assert page.locator("#nodes").get_by_role("button", name="不安全", exact=True).is_visible()
    colours = "getComputedStyle(document.querySelector('#nodes .badge.unsafe')).backgroundColor"
    assert page.evaluate(colours) == "rgb(253, 236, 235)"


def test_everything_is_reached_by_keyboard(show):
    page = show(everything())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the findings"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#findings"
    reached = []
    for _press in range(120):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent || document.activeElement.type"))
        if reached[-1] == "Node" and page.evaluate("document.activeElement.closest('#nodes') !== null"):
            break
    page.keyboard.press("Space")
    assert names_of(page, "#nodes") == ["worker1", "worker2", "worker3"]
    assert "search" in reached
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_without_its_script_the_page_is_whole(show):
    page = show(everything(), java_script_enabled=False)
    headline = "Idle connections at risk on 1 of 3 nodes (1 unknown), in 2 of 2 pods."
    assert page.locator("h1").inner_text().endswith(headline)
    assert names_of(page, "#nodes") == ["worker1", "worker3", "worker2"]
    assert len(visible(page, "#pods .rows > li")) == 3
    assert page.locator(".tools").count() == 0
    assert page.locator("#next .command").first.is_visible()
    page.locator("details.silenced summary").click()
    assert page.get_by_text("planned for spring").first.is_visible()


def test_hostile_names_are_text_and_nothing_more(show):
    page = show(hostile())
    assert page.evaluate("window.hostile") is None
    assert page.evaluate("document.querySelectorAll('script, img, style').length") == 2
    assert names_of(page, "#nodes")[0] == f"worker1{printable(HOSTILE)}"
    assert names_of(page, "#pods")[0] == f"shop/checkout-7d9f8c6b5-x2x7p{printable(HOSTILE)}"
    page.get_by_label("Filter pods").fill("<script>window.hostile = 1</script> orders")
    assert names_of(page, "#pods") == [f"shop/orders-0{printable(HOSTILE)}"]


def test_on_paper_there_are_no_controls_and_nothing_is_folded_or_cut_off(show):
    page = show(everything(), viewport=PAPER, color_scheme="dark")
    page.emulate_media(media="print")
    assert visible(page, "nav, .tools, .command button, .skip") == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.get_by_text("planned for spring").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PAPER["width"]
    assert page.evaluate("getComputedStyle(document.querySelector('#nodes tbody tr')).display") == "table-row"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_of_500_nodes_the_first_are_shown_until_somebody_asks(show):
    page = show(large())
    assert len(names_of(page, "#nodes")) == 40
    page.get_by_label("Filter nodes").fill("node498")
    assert names_of(page, "#nodes") == ["node498.example.org"]
    page.get_by_label("Filter nodes").fill("")
    page.get_by_role("button", name="Show all 500").click()
    assert page.evaluate("document.querySelectorAll('#nodes tbody tr:not([hidden])').length") == 500


def test_a_page_of_500_nodes_and_20000_pods_opens_at_once_and_folded(show):
    page = show(large())
    took = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
    # About one second on a desktop; a machine that runs the tests may be slower.
    assert took < 5000
    assert page.evaluate("document.documentElement.scrollHeight") < 40_000
    assert len(visible(page, "#pods details.risks[open]")) < 10
