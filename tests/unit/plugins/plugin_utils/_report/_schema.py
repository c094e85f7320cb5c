# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The published schema, for tests of everything that makes a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[5] / "docs" / "schema" / "report-1.json").read_text(encoding="utf-8")
)

_VALIDATOR = jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker())


def complaints(document: dict[str, Any]) -> list[str]:
    """What the schema has against a document, after a way through JSON as a reader has it."""
    read = json.loads(json.dumps(document))
    return [f"{error.json_path}: {error.message}" for error in _VALIDATOR.iter_errors(read)]
