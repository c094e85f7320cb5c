# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page is written by several tools; none touches what another wrote."""

from __future__ import annotations

import pytest

from ansible_collections.kubenode.connections.tests.fuzz.section import MARK, section, with_section, write

OTHER = "<!-- Written by `make other`. Do not edit. -->\n## Other\n\nWords.\n"
OLD, NEW = section({"netlink": 10}), section({"netlink": 1000, "pods": 30})


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        pytest.param(f"# What\n\n{OLD}", f"# What\n\n{NEW}", id="alone"),
        pytest.param(f"# What\n\n{OTHER}", f"# What\n\n{OTHER}\n{NEW}", id="not there yet"),
        pytest.param(f"# What\n\n{OTHER}\n{OLD}", f"# What\n\n{OTHER}\n{NEW}", id="last"),
        pytest.param(f"# What\n\n{OLD}\n{OTHER}", f"# What\n\n{NEW}\n{OTHER}", id="first"),
    ],
)
def test_only_the_own_section_is_written_anew(page, expected):
    assert with_section(page, NEW) == expected
    assert with_section(expected, NEW) == expected


def test_a_page_is_made_where_there_is_none(tmp_path):
    write({"netlink": 1000, "pods": 30}, tmp_path / "trust.md")
    text = (tmp_path / "trust.md").read_text()
    assert text.startswith("<!--\nCopyright: ")
    assert text.endswith("| `netlink` | 1,000 |\n| `pods` | 30 |\n| all | 1,030 |\n")
    assert text.count(MARK) == 1
