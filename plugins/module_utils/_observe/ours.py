# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What earlier runs of node_settings changed here, by the record that they keep. Private to this collection."""

import hashlib
import json
from typing import Any, Dict, List, Mapping, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KEYS, Enforcement, parse
from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json
from ansible_collections.kubenode.connections.plugins.module_utils._files import ipvs_unit
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.plain_files import read_plain

DIRECTORY = "/var/lib/kubenode.connections"
PATH = DIRECTORY + "/originals.json"

HASH = "sha256"
"""What a record is held to: a disk or a person may change it, and what it says is written as root."""

MAX_BYTES = 64 << 20
"""No record is longer: it holds a few configuration files."""


_UNUSABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)


def read() -> Optional[Dict[str, Any]]:
    """The names of what is ours, as node_info documents it; None where the record cannot be read or used."""
    try:
        record = _record()
        return None if record is None else _names(record)
    except FileNotFoundError:
        return _names({"files": {}, "ipvs_timeouts": {}, "rps": {}, "sysctls": {}})
    except _UNUSABLE:
        return None


def enforced() -> Optional[Enforcement]:
    """The keepalive that a run has had new connections given; None for none, or where that cannot be told."""
    try:
        found = (_record() or {}).get("enforce")
        return found and Enforcement(
            parse(found["keepalive"]), tuple(map(int, found["ports"])), tuple(map(str, found["cgroups"]))
        )
    except _UNUSABLE:
        return None


def hash_of(record: Mapping[str, Any]) -> str:
    """The SHA-256 of all else in a record."""
    rest = {name: value for name, value in record.items() if name != HASH}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def is_as_written(record: Mapping[str, Any]) -> bool:
    """Whether nothing has changed a record since it was written; those of the first releases have no hash."""
    return HASH not in record or record[HASH] == hash_of(record)


def _record() -> Optional[Dict[str, Any]]:
    data, cut = read_plain(PATH, MAX_BYTES)
    record = None if cut else parse_json(data)
    return record if record is not None and is_as_written(record) else None


def _names(record: Dict[str, Any]) -> Dict[str, Any]:
    return {
        "sysctls": _by_file(record, "sysctls"),
        "modules": _by_file(record, "modules"),
        "ipvs_timeouts": sorted(record["ipvs_timeouts"]),
        "ipvs_unit": ipvs_unit.PATH in record["files"],
        "rps": bool(record["rps"]),
        "originals": {key: record["sysctls"][key]["original"] for key in KEYS if key in record["sysctls"]},
        "plan_id": str(record.get("plan_id") or ""),
    }


def _by_file(record: Dict[str, Any], kind: str) -> Dict[str, List[str]]:
    """The lines of ours in each file of that kind."""
    return {path: sorted(file["ours"]) for path, file in record["files"].items() if file["kind"] == kind}
