# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.other_writers import (
    Line,
    Others,
    parse_owners,
)
from ansible_collections.kubenode.connections.plugins.plugin_utils._observed.parse import parse_node
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._findings._rows_owners import (
    with_conf,
    with_tuned,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._nodes import (
    OTHER_FILE,
    TIME,
    plan_one,
    stock_node,
    with_keepalive,
)

PROFILE = "/etc/tuned/ours/tuned.conf:3"
VENDOR_FILE = "/usr/lib/sysctl.d/50-default.conf"


def tuned(value, reapplies=False, **conf):
    node = with_conf(with_tuned(stock_node(), {TIME: value}, reapplies), conf.get("conf", {}))
    return parse_node(node).others


@pytest.mark.parametrize(
    ("others", "file", "value", "line"),
    [
        pytest.param(Others(), OTHER_FILE, "600", None, id="no TuneD"),
        pytest.param(tuned("300"), OTHER_FILE, "600", Line("300", PROFILE), id="its profile wins"),
        pytest.param(tuned("300", True), OTHER_FILE, "600", None, id="unless it applies /etc/sysctl.d again"),
        pytest.param(tuned("300", True), "/run/sysctl.d/x.conf", "600", None, id="or /run/sysctl.d"),
        pytest.param(tuned("300", True), VENDOR_FILE, "600", Line("300", PROFILE), id="but it applies nothing of /usr"),
        pytest.param(tuned("300", True), None, "7200", Line("300", PROFILE), id="no file sets it"),
        pytest.param(
            tuned("300", True, conf={TIME: "900"}),
            OTHER_FILE,
            "600",
            Line("900", "/etc/sysctl.conf:2"),
            id="sysctl.conf",
        ),
        pytest.param(
            tuned("300", False, conf={TIME: "900"}), OTHER_FILE, "600", Line("300", PROFILE), id="which it leaves alone"
        ),
        pytest.param(tuned(">300"), OTHER_FILE, "600", None, id="higher already"),
        pytest.param(tuned(">900"), OTHER_FILE, "600", Line("900", PROFILE), id="raised"),
        pytest.param(tuned("<900"), OTHER_FILE, "600", None, id="lower already"),
        pytest.param(tuned("<300"), OTHER_FILE, "600", Line("300", PROFILE), id="lowered"),
        pytest.param(tuned(">300"), OTHER_FILE, None, Line(None, PROFILE), id="nobody knows what it is compared with"),
        pytest.param(tuned("${x}"), OTHER_FILE, "600", Line(None, PROFILE), id="a variable"),
        pytest.param(tuned(">"), OTHER_FILE, "600", Line(">", PROFILE), id="a lone sign is a value"),
    ],
)
def test_what_tuned_makes_of_a_sysctl(others, file, value, line):
    assert others.tuned_line(TIME, file, value) == line


def test_tuned_decides_what_a_boot_brings_and_owns_it():
    node = with_tuned(with_keepalive(stock_node(), (600, 30, 9), file=OTHER_FILE), {TIME: "450"})
    seen = parse_node(node)
    assert (seen.boot_value(TIME), seen.boot_keepalive.time) == ("450", 450)
    _plan, worker = plan_one(node)
    assert worker["owners"][TIME] == f"TuneD {PROFILE}"
    assert worker["settings"]["sysctls"] == {}


def test_a_boot_value_that_nobody_can_work_out_is_not_seen():
    seen = parse_node(with_tuned(stock_node(), {TIME: "${time}"}))
    assert (seen.boot_value(TIME), seen.boot_keepalive) == (None, None)


NAMES = ["keepalived", "tuned", "timeouts", "tcp", "profile", "sysctls", TIME, "value", "line", "file"]

NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(NONSENSE, NONSENSE)
def test_nothing_makes_the_parser_raise(owners, conf):
    parse_owners(owners, conf).tuned_line(TIME, OTHER_FILE, "600")
