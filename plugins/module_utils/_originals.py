# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the node had before our first run, kept on the node so that it can be given back. Private to this collection."""

import base64
import json
from typing import Any, Dict, NamedTuple, Optional, Tuple, Union

from ansible_collections.kubenode.connections.plugins.module_utils._errors import NodeError

DIRECTORY = "/var/lib/kubenode.connections"
PATH = DIRECTORY + "/originals.json"
VERSION = 1


class FileRecord(NamedTuple):
    """A file that we changed.

    kind: which format it has (sysctls, modules, cni), or whole for one that is ours from end to end, pods for such a
    one that gives pods their defaults, or link.
    original: its bytes without us, None for no file. hashes: SHA-256 (hex) of contents that we know as ours.
    ours: the values that we gave each key in it (more than one only while a run is under way).
    """

    kind: str
    original: Optional[bytes]
    hashes: Tuple[str, ...]
    ours: Dict[str, Tuple[str, ...]]


class LiveRecord(NamedTuple):
    """A live value that we changed: what it was without us, and what we gave it (more only while a run is under way).

    original is None only while a module that brings the key is not loaded yet.
    """

    original: Union[str, int, None]
    ours: Tuple[Union[str, int], ...]


class Originals(NamedTuple):
    """What has to be given back: files by path, live values by name, and directories that we made, outermost first.

    rps: the settings of receive queues by their path below /sys. pods: the keepalive of running pods by their UID.
    """

    files: Dict[str, FileRecord]
    sysctls: Dict[str, LiveRecord]
    ipvs_timeouts: Dict[str, LiveRecord]
    directories: Tuple[str, ...]
    rps: Dict[str, LiveRecord]
    pods: Dict[str, LiveRecord]


NOTHING = Originals({}, {}, {}, (), {}, {})


def dump(originals: Originals) -> Optional[bytes]:
    """The originals as the file has them, or None when there is nothing to keep."""
    if originals == NOTHING:
        return None
    document = {
        "version": VERSION,
        "files": {path: _file_to_json(record) for path, record in originals.files.items()},
        "sysctls": {name: record._asdict() for name, record in originals.sysctls.items()},
        "ipvs_timeouts": {name: record._asdict() for name, record in originals.ipvs_timeouts.items()},
        "directories": originals.directories,
        "rps": {name: record._asdict() for name, record in originals.rps.items()},
        "pods": {uid: record._asdict() for uid, record in originals.pods.items()},
    }
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def parse(data: Optional[bytes], path: str = PATH) -> Originals:
    """The originals out of the file's bytes, nothing for no file. Raises NodeError for what dump did not write."""
    if data is None:
        return NOTHING
    try:
        document = json.loads(data.decode("utf-8"))
        if document["version"] != VERSION:
            raise ValueError(f"it has version {document['version']!r}, expected {VERSION}")
        return Originals(
            {str(name): _file_from_json(record) for name, record in document["files"].items()},
            {str(name): _live_from_json(record, str) for name, record in document["sysctls"].items()},
            {str(name): _live_from_json(record, int) for name, record in document["ipvs_timeouts"].items()},
            tuple(_typed(name, str) for name in document["directories"]),
            {str(name): _live_from_json(record, str) for name, record in document["rps"].items()},
            {str(uid): _live_from_json(record, str) for uid, record in document["pods"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise NodeError(
            f"{path}: the record of what this node had before the first run cannot be used ({why}). Put the "
            "file back from a backup; or move it away, then what the node has now counts as original."
        ) from error


def _file_to_json(record: FileRecord) -> Dict[str, Any]:
    original = None if record.original is None else base64.b64encode(record.original).decode("ascii")
    return dict(record._asdict(), original=original)


def _file_from_json(record: Dict[str, Any]) -> FileRecord:
    if record["kind"] not in ("sysctls", "modules", "whole", "link", "cni", "pods"):
        raise ValueError(f"a file of kind {record['kind']!r} is not known")
    original = record["original"]
    return FileRecord(
        record["kind"],
        None if original is None else base64.b64decode(_typed(original, str), validate=True),
        tuple(_typed(value, str) for value in record["hashes"]),
        {name: tuple(_typed(value, str) for value in known) for name, known in record["ours"].items()},
    )


def _live_from_json(record: Dict[str, Any], kind: type) -> LiveRecord:
    original = record["original"]
    known = tuple(_typed(value, kind) for value in record["ours"])
    return LiveRecord(None if original is None else _typed(original, kind), known)


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{value!r} is not of type {kind.__name__}")
    return value
