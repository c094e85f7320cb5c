# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest

from ansible_collections.kubenode.connections.tests import report_example

HINT = "run: PYTHONPATH=.build/dev .nox/browser/bin/python tests/report_example.py"


@pytest.mark.parametrize(
    ("path", "made"),
    [
        pytest.param(report_example.PAGE, report_example.page, id="page"),
        pytest.param(report_example.IN_CHINESE, lambda: report_example.page("zh"), id="page in Chinese"),
        pytest.param(report_example.REPORT, report_example.document, id="JSON"),
    ],
)
def test_the_example_is_what_the_code_makes_of_its_cluster(path, made):
    assert path.read_text(encoding="utf-8") == made(), HINT


def test_there_is_a_picture_of_each_part_at_each_width_and_they_are_small():
    pictures = {path.name: path.read_bytes() for path in report_example.PICTURES.iterdir()}
    assert sorted(pictures) == sorted(report_example.picture_names()), HINT
    pictures[report_example.TOP.name] = report_example.TOP.read_bytes()
    assert all(content.startswith(b"\x89PNG") for content in pictures.values())
    assert sum(map(len, pictures.values())) < 1_500_000


def test_the_example_opens(show):
    page = show(json.loads(report_example.REPORT.read_text(encoding="utf-8")))
    assert page.locator("h1").is_visible()


def test_the_example_has_ipvs_pods_an_apply_a_middlebox_and_a_drift():
    report = json.loads(report_example.REPORT.read_text(encoding="utf-8"))
    assert {node["mode"] for node in report["nodes"]} == {"ipvs"}
    assert report["counts"]["pods"]["at_risk"] > 0
    assert [bool(node["applied"]["error"]) for node in report["nodes"]].count(True) == 1
    assert report["policy"]["middleboxes"]
    assert report["drift"]["findings_gone"]
