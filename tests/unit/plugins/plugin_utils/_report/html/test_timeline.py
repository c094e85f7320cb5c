# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.lane import Mark
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.render import TEMPLATES
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.scale import scale_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.timeline import (
    Head,
    axis_shapes,
    lane_shapes,
    legend_of,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.html._lanes import LIMITS, lane_of

MACROS = TEMPLATES.get_template("line.html.j2").module

IN_TIME = Keepalive(600, 30, 9)


def scale_for(lane):
    deciding = [mark.seconds for mark in lane.limits if mark.decides]
    times = [lane.keepalive["time"]] if lane.keepalive else []
    return scale_of(deciding, lane.seconds(), times)


def read_back(shapes, said=None):
    return ElementTree.fromstring(MACROS.drawn("line", 46, shapes, said))


def drawn(lane):
    return read_back(lane_shapes(lane, scale_for(lane)))


def of_class(svg, *names):
    return [each for each in svg.iter() if set(names) <= set(each.get("class", "").split())]


def at(element, name="x"):
    return float(element.get(name).removesuffix("%"))


def texts(svg, *classes):
    return [each.text for each in svg.iter("text") if set(classes) <= set(each.get("class").split())]


def test_a_keepalive_that_is_too_late_is_hatched_from_the_limit_on_and_crossed_out():
    svg = drawn(lane_of(KERNEL_DEFAULT))
    limit = at(of_class(svg, "limit", "decides")[0], "x1")
    (late,) = of_class(svg, "late-hatch")
    assert at(late) == limit
    assert at(late, "width") > 0
    dots = of_class(svg, "dot")
    assert [dot.get("href") for dot in dots] == ["#dot-late-small", "#dot-late-small", "#dot-late"]
    assert all(at(dot) > limit for dot in dots)
    assert not of_class(svg, "spare")


def test_a_keepalive_in_time_leaves_an_arrow_up_to_the_limit():
    svg = drawn(lane_of(IN_TIME))
    limit = at(of_class(svg, "limit", "decides")[0], "x1")
    (arrow,) = of_class(svg, "spare")
    slack = of_class(svg, "slack-hatch")[0]
    assert at(slack) + at(slack, "width") < at(arrow, "x1") < at(arrow, "x2") < limit
    assert not of_class(svg, "late-hatch")
    assert [dot.get("href") for dot in of_class(svg, "dot")] == ["#dot-small", "#dot-small", "#dot"]


def test_what_fits_is_named_with_its_seconds_and_the_first_probe_in_any_case():
    svg = drawn(lane_of(IN_TIME))
    always = [each.text for each in svg.iter("text") if not {"tight", "roomy"} & set(each.get("class").split())]
    assert always + texts(svg, "roomy") == ["600 s", "744 s"]
    assert always + texts(svg, "tight") == ["600 s"]


def test_the_places_are_in_the_order_of_the_seconds():
    svg = drawn(lane_of(IN_TIME))
    limits = [at(each, "x1") for each in svg.iter("line") if "limit" in each.get("class").split()]
    assert limits == sorted(limits)
    assert at(of_class(svg, "verdict")[0]) < limits[0]


def test_every_line_of_a_limit_goes_through_the_whole_row():
    svg = drawn(lane_of(IN_TIME))
    lines = [each for each in svg.iter("line") if "limit" in each.get("class").split()]
    assert len(lines) == len(LIMITS)
    assert {(each.get("y1"), each.get("y2"), each.get("x1") == each.get("x2")) for each in lines} == {
        ("0", "100%", True)
    }


def test_a_keepalive_that_was_not_read_has_an_empty_bar():
    svg = drawn(lane_of(None))
    assert of_class(svg, "unread")
    assert not of_class(svg, "dot")


def test_without_a_limit_nothing_is_forgotten():
    assert not of_class(drawn(lane_of(KERNEL_DEFAULT, limits=())), "beyond")


def test_a_margin_is_a_line_before_the_limit():
    svg = drawn(lane_of(IN_TIME, margin=100))
    (margin,) = of_class(svg, "margin")
    assert at(margin, "x1") < at(of_class(svg, "limit", "decides")[0], "x1")


def test_a_screen_reader_says_the_row_and_leaves_out_the_rest():
    row, axis = read_back((), "said"), read_back(())
    assert (row.get("role"), row.get("aria-label"), row.get("aria-hidden")) == ("img", "said", None)
    assert (axis.get("role"), axis.get("aria-label"), axis.get("aria-hidden")) == (None, None, "true")


def test_the_head_has_the_seconds_of_all_limits_and_a_line_from_each():
    limits = (Mark(900, "IPVS tcp", True), Mark(1800, "NAT", False), Mark(86400, "conntrack", False))
    head = Head(limits, scale_of([900], [900, 1800, 86400], [600]))
    svg = read_back(head.shapes())
    roomy = [each for each in svg.iter("text") if "tight" not in each.get("class").split()]
    assert [each.text for each in roomy] == ["900 s", "1800 s", "86400 s"]
    assert set(texts(svg, "decides")) == {"900 s"}
    assert len({each.get("y") for each in roomy}) == 1
    assert {each.get("y2") for each in svg.iter("line")} == {"100%"}
    assert head.height == head.rows * 15 + 6


def test_limits_that_are_close_stand_above_each_other_in_the_head():
    limits = [Mark(seconds, "NAT", seconds == 900) for seconds in (900, 905, 910)]
    head = Head(limits, scale_of([900], [900, 905, 910, 86400], [600]))
    svg = read_back(head.shapes())
    assert head.rows == 2
    assert len({each.get("y") for each in svg.iter("text")}) == 2


def test_the_axis_has_round_times():
    svg = read_back(axis_shapes(scale_of([900], [900, 86400], [600])))
    assert "15 min" in texts(svg)
    assert set(texts(svg, "tight")) < set(texts(svg))


@pytest.mark.parametrize(
    ("lane", "missing"),
    [
        pytest.param(lane_of(IN_TIME), {"dot late", "margin", "late"}, id="in time"),
        pytest.param(lane_of(KERNEL_DEFAULT), {"dot", "margin", "spare"}, id="too late"),
        pytest.param(lane_of(IN_TIME, margin=9), {"dot late", "late"}, id="with a margin"),
        pytest.param(lane_of(IN_TIME, lost_probes=0), {"dot late", "margin", "losing", "late"}, id="no lost probes"),
        pytest.param(lane_of(IN_TIME, ()), {"dot late", "margin", "beyond", "late", "spare"}, id="no limit"),
    ],
)
def test_the_legend_names_the_marks_that_are_there(lane, missing):
    every = {"dot", "dot late", "losing", "slack", "verdict", "margin", "beyond", "late", "spare"}
    assert set(legend_of([lane])) == every - missing


def test_lengths_have_one_decimal_at_most():
    values = [
        value.removesuffix("%")
        for each in drawn(lane_of(Keepalive(601, 31, 7))).iter()
        for value in each.attrib.values()
    ]
    decimals = [value.partition(".")[2] for value in values if value.replace(".", "").isdigit()]
    assert {len(each) for each in decimals} == {0, 1}


KEEPALIVES = st.none() | st.builds(Keepalive, *[st.integers(-5, 2**31)] * 3)


@st.composite
def lanes(draw):
    seconds = sorted(draw(st.sets(st.integers(1, 2**31), max_size=5)))
    marks = [Mark(each, "name", number == 0) for number, each in enumerate(seconds)]
    return lane_of(draw(KEEPALIVES), marks, draw(st.integers(0, 126)), draw(st.integers(0, 10**6)))


@given(lanes())
def test_whatever_is_drawn_lies_inside_the_picture(lane):
    scale = scale_for(lane)
    for svg in (drawn(lane), read_back(Head(lane.limits, scale).shapes()), read_back(axis_shapes(scale))):
        for each in svg.iter():
            across = [at(each, name) for name in ("x", "x1", "x2") if each.get(name)]
            assert all(0 <= value <= 100 for value in across)
            if each.tag == "rect":
                assert -0.1 <= at(each, "width") <= 100.1 - at(each)


def test_what_pictures_use_is_there_once():
    symbols = ElementTree.fromstring(MACROS.symbols())
    defined = [each.get("id") for each in symbols.iter() if each.get("id")]
    assert len(defined) == len(set(defined))
    used = set()
    for lane in (lane_of(KERNEL_DEFAULT), lane_of(IN_TIME)):
        for each in drawn(lane).iter():
            used |= {each.get(name)[5:-1] for name in ("fill", "marker-start") if each.get(name)}
            used |= {each.get("href")[1:]} if each.get("href") else set()
    assert used == set(defined)
