# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.keepalive_math import KERNEL_DEFAULT, Keepalive
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.lane import Mark
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.render import TEMPLATES
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.scale import scale_of
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.html.timeline import NARROW, WIDE, Drawing
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._report.html._lanes import lane_of

MACROS = TEMPLATES.get_template("line.html.j2").module


def drawn(lane):
    """The wide and the narrow picture, read back."""
    deciding = [mark.seconds for mark in lane.limits if mark.decides]
    times = [lane.keepalive["time"]] if lane.keepalive else []
    scale = scale_of(deciding, lane.seconds(), times)
    markup = "".join(MACROS.line(Drawing(lane, scale, size), "said") for size in (WIDE, NARROW))
    return ElementTree.fromstring(f"<both>{markup}</both>")


def of_class(svg, *names):
    return [each for each in svg.iter() if set(names) <= set(each.get("class", "").split())]


def texts(svg):
    return ["".join(each.itertext()) for each in svg.iter("text")]


def box(svg):
    return [float(number) for number in svg.get("viewBox").split()]


def test_a_keepalive_that_is_too_late_is_hatched_from_the_limit_on_and_crossed_out():
    wide = drawn(lane_of(KERNEL_DEFAULT))[0]
    limit = float(of_class(wide, "limit", "decides")[0].get("x1"))
    (late,) = of_class(wide, "late-hatch")
    assert float(late.get("x")) == limit
    assert float(late.get("width")) > 0
    dots = of_class(wide, "dot")
    assert [dot.get("class") for dot in dots] == ["dot late"] * 3
    assert all(float(dot.get("cx")) > limit for dot in dots)
    assert len(of_class(wide, "cross")) == 6
    assert not of_class(wide, "spare")


def test_a_keepalive_in_time_leaves_an_arrow_up_to_the_limit():
    wide = drawn(lane_of(Keepalive(600, 30, 9)))[0]
    limit = float(of_class(wide, "limit", "decides")[0].get("x1"))
    arrow = next(each for each in of_class(wide, "spare") if each.tag == "line")
    slack = of_class(wide, "slack-hatch")[0]
    end = float(slack.get("x")) + float(slack.get("width"))
    assert end < float(arrow.get("x1")) < float(arrow.get("x2")) < limit
    assert not of_class(wide, "late-hatch")
    assert not of_class(wide, "cross")


def test_everything_is_named_with_its_seconds():
    wide, narrow = drawn(lane_of(Keepalive(600, 30, 9)))
    expected = [
        "900 s IPVS tcp",
        "3600 s corporate firewall",
        "86400 s conntrack established",
        "600 s first probe",
        "660 s 2 probes lost",
        "744 s with timer slack",
        "870 s peer given up",
    ]
    assert [text for text in texts(wide) if " s " in text] == expected
    assert [text for text in texts(narrow) if " s " in text] == [
        *expected[:2],
        "86400 s conntrack\N{HORIZONTAL ELLIPSIS}",
        *expected[3:],
    ]


def test_the_places_are_in_the_order_of_the_seconds():
    for svg in drawn(lane_of(Keepalive(600, 30, 9))):
        poles = sorted(float(each.get("x1")) for each in of_class(svg, "pole"))
        limits = [float(each.get("x1")) for each in svg.iter("line") if "limit" in each.get("class")]
        assert poles == sorted(poles)
        assert limits == sorted(limits)
        assert poles[-1] < limits[0]


def test_a_keepalive_that_was_not_read_is_said_to_be_so():
    svg = drawn(lane_of(None))[0]
    assert "not read" in texts(svg)
    assert not of_class(svg, "dot")


def test_without_a_limit_nothing_is_forgotten():
    assert "forgotten" not in texts(drawn(lane_of(KERNEL_DEFAULT, limits=()))[0])


def test_a_margin_is_a_line_before_the_limit():
    svg = drawn(lane_of(Keepalive(600, 30, 9), margin=100))[0]
    (margin,) = of_class(svg, "margin")
    assert float(margin.get("x1")) < float(of_class(svg, "limit", "decides")[0].get("x1"))


def test_a_screen_reader_says_both():
    assert [(svg.get("role"), svg.get("aria-label")) for svg in drawn(lane_of(None))] == [("img", "said")] * 2


def test_lengths_have_one_decimal_at_most():
    numbers = [
        value for svg in drawn(lane_of(Keepalive(601, 31, 7))) for each in svg.iter() for value in each.attrib.values()
    ]
    decimals = [number.partition(".")[2] for number in numbers if number.replace(".", "").isdigit()]
    assert {len(each) for each in decimals} == {0, 1}


def test_names_of_limits_are_escaped():
    hostile = Mark(900, '"><script>alert(1)</script>', True)
    svg = drawn(lane_of(KERNEL_DEFAULT, limits=(hostile,)))[0]
    assert not list(svg.iter("script"))
    assert any(text.startswith('900 s "><script>') for text in texts(svg))


KEEPALIVES = st.none() | st.builds(Keepalive, *[st.integers(-5, 2**31)] * 3)


@st.composite
def lanes(draw):
    seconds = sorted(draw(st.sets(st.integers(1, 2**31), max_size=5)))
    names = draw(st.lists(st.text(max_size=60), min_size=5, max_size=5))
    marks = [Mark(each, names[number], number == 0) for number, each in enumerate(seconds)]
    return lane_of(draw(KEEPALIVES), marks, draw(st.integers(0, 126)), draw(st.integers(0, 10**6)))


@given(lanes())
def test_whatever_is_drawn_lies_inside_the_picture(lane):
    for svg in drawn(lane):
        _left, _top, width, height = box(svg)
        for each in svg.iter():
            for name, end in (("x", width), ("x1", width), ("x2", width), ("cx", width), ("y", height), ("y2", height)):
                assert -0.1 <= float(each.get(name, 0)) <= end + 0.1
            assert float(each.get("x", 0)) + float(each.get("width", 0)) <= width + 0.1 or each is svg


def test_the_hatches_are_there_once_and_all_that_are_used():
    defined = {each.get("id") for each in ElementTree.fromstring(MACROS.patterns()).iter("pattern")}
    used = {each.get("fill")[5:-1] for each in drawn(lane_of(KERNEL_DEFAULT)).iter() if each.get("fill")}
    assert used == defined == {"slack", "late", "beyond"}
