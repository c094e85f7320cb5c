# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.kubenode.connections.tests import report_example


def test_the_example_is_what_the_code_makes_of_its_report():
    hint = "run: PYTHONPATH=.build/dev .nox/browser/bin/python tests/report_example.py"
    assert report_example.PAGE.read_text(encoding="utf-8") == report_example.page(), hint


@pytest.mark.parametrize("name", report_example.PICTURES)
def test_its_pictures_are_there_and_small(name):
    content = (report_example.FOLDER / name).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < 300_000


def test_the_example_opens(show):
    page = show(json.loads(report_example.REPORT.read_text(encoding="utf-8")))
    assert page.locator("h1").is_visible()
