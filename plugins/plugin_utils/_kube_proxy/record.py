# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the fields of a configuration were before the first run, as text that is kept. Private to this collection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json
from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError

from .fields import BY_PATH

RECORD_VERSION = 1


@dataclass(frozen=True)
class Original:
    """A field that we set: the value that stood there, as written and None for no such line, and ours."""

    before: str | None
    ours: str


def parse_record(text: str, name: str) -> dict[str, dict[str, Original]]:
    """What dump_record wrote, by name and field; nothing for empty text. Raises PlanError for anything else."""
    if not text.strip():
        return {}
    try:
        document = parse_json(text.encode("utf-8"))
        if document["version"] != RECORD_VERSION:
            raise ValueError(f"it has version {document['version']!r}, expected {RECORD_VERSION}")
        return {
            str(each): {path: _original(path, values) for path, values in fields.items()}
            for each, fields in document["configurations"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise PlanError(
            f"{name}: the record of what it said before the first run cannot be used ({why}). Put the record back "
            "from a backup; or remove it, then what the configuration says now counts as original."
        ) from error


def dump_record(record: Mapping[str, Mapping[str, Original]]) -> str:
    """The record as text, empty where there is nothing to give back."""
    held = {name: {path: asdict(each) for path, each in fields.items()} for name, fields in record.items() if fields}
    return json.dumps({"version": RECORD_VERSION, "configurations": held}, sort_keys=True) if held else ""


def _original(path: str, values: Mapping[str, Any]) -> Original:
    if path not in BY_PATH:
        raise ValueError(f"{path!r} is no field that the role sets")
    before, ours = values["before"], values["ours"]
    for raw in (before, ours):
        if not isinstance(raw, (str, type(None))):
            raise ValueError(f"{path} is not recorded as text")
    return Original(before, str(ours))
