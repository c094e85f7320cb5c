# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from ansible_collections.kubenode.connections.tests.trust.page import BEGIN, END, placed

OTHERS = "# Page\n\n<!-- Written by another tool. -->\n## Other\n<!-- End of another tool. -->\n"


def test_a_section_is_added_and_then_replaced_and_those_of_other_tools_stay():
    first = placed(OTHERS, "one\n")
    assert first == f"{OTHERS}\n{BEGIN}\none\n\n{END}"
    more = first + "\n## After\n"
    assert placed(more, "two\n") == more.replace("one", "two")
