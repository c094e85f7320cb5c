# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.kubenode.connections.plugins.module_utils._common import cpu_sets
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run

CPUS = st.frozensets(st.integers(0, 300))
SPELLINGS = [
    pytest.param(set(), "", "0", id="none"),
    pytest.param({0}, "0", "1", id="one"),
    pytest.param({0, 1, 2, 3, 8}, "0-3,8", "10f", id="a range and one"),
    pytest.param(set(range(32)), "0-31", "ffffffff", id="one whole group"),
    pytest.param({32}, "32", "1,00000000", id="the first beyond 32"),
    pytest.param(set(range(36)), "0-35", "f,ffffffff", id="36 CPUs"),
    pytest.param({0, 95}, "0,95", "80000000,00000000,00000001", id="an empty group in the middle"),
]


@pytest.mark.parametrize(("cpus", "as_list", "as_mask"), SPELLINGS)
def test_the_two_spellings_of_a_set(cpus, as_list, as_mask):
    assert (cpu_sets.format_list(cpus), cpu_sets.format_mask(cpus)) == (as_list, as_mask)
    assert (cpu_sets.parse_list(as_list), cpu_sets.parse_mask(as_mask)) == (cpus, cpus)


@given(CPUS)
def test_what_is_written_is_read_as_the_same(cpus):
    assert cpu_sets.parse_list(cpu_sets.format_list(cpus)) == cpus
    assert cpu_sets.parse_mask(cpu_sets.format_mask(cpus)) == cpus


@pytest.mark.parametrize("text", ["00000000,0000000f\n", "0f", "F", " f "])
def test_a_mask_may_have_leading_zeros_blanks_and_capitals(text):
    assert cpu_sets.parse_mask(text) == {0, 1, 2, 3}


def test_a_list_may_end_in_a_line_break_and_have_blanks():
    assert cpu_sets.parse_list("0-1, 3\n") == {0, 1, 3}


@pytest.mark.parametrize("text", ["x", "1-", "3-1", "1,,2", "-1", "0-65536", "0-99999999999", "0:1"])
def test_what_is_no_list_is_refused(text):
    with pytest.raises(ValueError, match="^" + re.escape(f"{text!r} is not a list of CPUs") + "$"):
        cpu_sets.parse_list(text)


@pytest.mark.parametrize("text", ["", "g", "0x3", "123456789", "1,", "1,,2"])
def test_what_is_no_mask_is_refused(text):
    with pytest.raises(ValueError, match="^" + re.escape(f"{text!r} is not a mask of CPUs") + "$"):
        cpu_sets.parse_mask(text)


def test_the_kernel_agrees_on_both_spellings():
    """One CPU's affinity as the kernel prints it, as mask and as list."""
    both = run("taskset", "-c", "0", "grep", "-h", "^Cpus_allowed", "/proc/self/status").split()
    mask, as_list = both[1], both[3]
    assert cpu_sets.parse_mask(mask) == cpu_sets.parse_list(as_list) == {0}
