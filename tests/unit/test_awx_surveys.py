# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The surveys for AWX: they follow the argument specs, AWX takes them, and we take what they answer."""

from __future__ import annotations

import json

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._play.variables import check
from ansible_collections.kubenode.connections.tests.awx_surveys import ENTRY_POINTS, FOLDER, SPECS, text

SURVEYS = {name: json.loads((FOLDER / f"survey-{name}.json").read_text(encoding="utf-8")) for name in ENTRY_POINTS}
QUESTIONS = [pytest.param(each, id=f"{name}-{each['variable']}") for name in SURVEYS for each in SURVEYS[name]["spec"]]

# What AWX's API asks of a default, by the type of its question.
TYPES = {"multiplechoice": str, "multiselect": str, "integer": int, "float": float}


@pytest.mark.parametrize("playbook", ENTRY_POINTS)
def test_each_is_what_the_argument_specs_give(playbook: str) -> None:
    assert text(playbook) == (FOLDER / f"survey-{playbook}.json").read_text(encoding="utf-8"), (
        "Run: python tests/awx_surveys.py"
    )


def test_there_is_no_other_file() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"survey-{playbook}.json" for playbook in ENTRY_POINTS}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_has_what_awx_asks_for(question: dict) -> None:
    assert isinstance(question["default"], TYPES[question["type"]])
    assert isinstance(question["required"], bool)
    assert question["question_name"]
    defaults = question["default"].splitlines() if "choices" in question else []
    assert set(defaults) <= set(question.get("choices", ()))
    assert len(defaults) <= 1 or question["type"] == "multiselect"


def answer(question: dict, value: object) -> object:
    """A choice of several comes as a list."""
    return value.splitlines() if question["type"] == "multiselect" else value


@pytest.mark.parametrize("playbook", ENTRY_POINTS)
def test_who_changes_no_answer_gets_what_he_gets_without_a_survey(playbook: str) -> None:
    answers = {each["variable"]: answer(each, each["default"]) for each in SURVEYS[playbook]["spec"]}
    specs = SPECS[ENTRY_POINTS[playbook]]["options"]
    assert check({"worker1": answers}) == check({"worker1": {name: specs[name]["default"] for name in answers}})


@pytest.mark.parametrize("question", [each for each in QUESTIONS if "choices" in each.values[0]])
def test_every_choice_is_taken(question: dict) -> None:
    for choice in question["choices"]:
        check({"worker1": {question["variable"]: answer(question, choice)}})
