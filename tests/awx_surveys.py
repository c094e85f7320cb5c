# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes docs/awx/*.json, the surveys of AWX's job templates, from the argument specs of the role keepalive.

Usage: python tests/awx_surveys.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "awx"
SPECS = yaml.safe_load((ROOT / "roles/keepalive/meta/argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]

ENTRY_POINTS = {"audit": "audit", "apply": "main", "verify": "verify"}
"""The playbooks, and the entry points whose variables they take."""

_MARKUP = re.compile(r"\b[VOCEMP]\(([^()]*)\)")


def survey(playbook: str) -> dict[str, Any]:
    """A survey as AWX's API takes it: a question for each variable of a plain type that has a default."""
    options = SPECS[ENTRY_POINTS[playbook]]["options"]
    questions = (question(name, option) for name, option in options.items())
    return {
        "name": f"kubenode.connections.{playbook}",
        "description": "Each answer outranks the inventory. Leave out the questions that the inventory answers.",
        "spec": [each for each in questions if each],
    }


def question(name: str, option: dict[str, Any]) -> dict[str, Any] | None:
    """None for a variable that a survey cannot ask for, or that has no default, which would be an empty answer."""
    kind, default, choices = option["type"], option.get("default"), option.get("choices")
    answer: dict[str, Any]
    if kind == "bool" and default is not None:
        answer = {"type": "multiplechoice", "choices": ["true", "false"], "default": str(default).lower()}
    elif kind == "int" and default is not None:
        answer = {"type": "integer", "default": default}
    elif kind == "float" and default is not None:
        answer = {"type": "float", "default": float(default)}
    elif kind == "str" and choices and default is not None:
        answer = {"type": "multiplechoice", "choices": choices, "default": default}
    elif kind == "list" and choices and default is not None:
        answer = {"type": "multiselect", "choices": choices, "default": "\n".join(default)}
    else:
        return None
    told = option["description"]
    first = told if isinstance(told, str) else told[0]
    return {
        "variable": name,
        "question_name": name,
        "question_description": _MARKUP.sub(r"\1", first),
        "required": False,
    } | answer


def text(playbook: str) -> str:
    """The survey as its file holds it."""
    return json.dumps(survey(playbook), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write a survey for each playbook that takes the variables."""
    for playbook in ENTRY_POINTS:
        FOLDER.joinpath(f"survey-{playbook}.json").write_text(text(playbook), encoding="utf-8")


if __name__ == "__main__":
    main()
