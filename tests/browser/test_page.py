# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest
from axe_playwright_python.sync_playwright import Axe

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.words import printable
from ansible_collections.kubenode.connections.tests.browser.reports import (
    HOSTILE,
    all_verdicts,
    everything,
    hostile,
    large,
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
    return [each.inner_text() for each in visible(page, f"{table} tbody th .name")]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("report", REPORTS)
def test_the_page_fits_its_screen(show, report, size):
    page = show(report(), viewport=size)
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert page.locator("h1").is_visible()
    assert len(visible(page, "svg.line")) == page.locator("figure").count()


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
def test_no_text_of_a_picture_covers_another_or_leaves_it(show, report, size):
    page = show(report(), viewport=size)
    pictures = page.evaluate(
        """() => [...document.querySelectorAll("svg.line")].filter((svg) => svg.clientWidth).map((svg) => ({
            width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height,
            texts: [...svg.querySelectorAll("text")].map((text) => {
                const box = text.getBBox();
                return { text: text.textContent, left: box.x, right: box.x + box.width, top: box.y + 2,
                         bottom: box.y + box.height - 2 };
            }),
        }))"""
    )
    assert pictures
    for picture in pictures:
        for text in picture["texts"]:
            assert text["left"] >= -1, text
            assert text["right"] <= picture["width"] + 1, text
            assert text["bottom"] <= picture["height"] + 1, text
        for one, other in itertools.combinations(picture["texts"], 2):
            beside = one["right"] <= other["left"] or other["right"] <= one["left"]
            above = one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
            assert beside or above, (one, other)


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
    ids = [each.inner_text() for each in visible(page, "[data-findings] .id")]
    assert ids == ["keepalive-too-late", "pods-keepalive-too-late"]


def test_a_command_can_be_copied(show):
    page = show(everything(), permissions=["clipboard-read", "clipboard-write"])
    page.locator("#next .command button").first.click()
    page.get_by_text("Copied").wait_for()
    command = "ansible-playbook kubenode.connections.apply -i INVENTORY --check --diff"
    assert page.evaluate("navigator.clipboard.readText()") == command


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
    assert len(visible(page, "#pods tbody tr")) == 3
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
    assert page.evaluate("getComputedStyle(document.querySelector('svg.wide')).display") == "block"
    assert page.get_by_text("planned for spring").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == PAPER["width"]
    assert page.evaluate("getComputedStyle(document.querySelector('#nodes tbody tr')).display") == "table-row"
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_of_500_nodes_the_first_hundred_are_shown_until_somebody_asks(show):
    page = show(large())
    assert len(names_of(page, "#nodes")) == 100
    page.get_by_label("Filter nodes").fill("node498")
    assert names_of(page, "#nodes") == ["node498.example.org"]
    page.get_by_label("Filter nodes").fill("")
    page.get_by_role("button", name="Show all 500").click()
    assert page.evaluate("document.querySelectorAll('#nodes tbody tr:not([hidden])').length") == 500
