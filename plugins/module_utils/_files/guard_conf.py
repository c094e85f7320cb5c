# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guard of a node holds it to: the last plan in the words of this node, a file in its program. Private to this
collection."""

import io
import json
import struct
import zipfile
from typing import Any, Dict, NamedTuple, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json

NAME = "plan.json"

FIRST_LINE = b"# Written by kubenode.connections, which removes it again (node_settings with state=absent).\n"


class Conf(NamedTuple):
    """node: its name in the metrics. plan: settings (as the report has them), watch, sysctl_file and modules_file."""

    node: str
    interval_seconds: int
    plan: Dict[str, Any]


def conf_text(conf: Conf) -> bytes:
    return json.dumps(conf._asdict(), indent=1, sort_keys=True).encode("ascii") + b"\n"


def parse(data: bytes) -> Conf:
    """What conf_text gave. Raises ValueError."""
    document = parse_json(data)
    if not isinstance(document, dict) or set(document) != set(Conf._fields):
        raise ValueError(f"it has not the keys {', '.join(Conf._fields)}")
    return Conf(**document)


def in_program(data: bytes) -> Optional[bytes]:
    """What conf_text gave, out of a program of ours. None where there is none."""
    if not data.startswith(FIRST_LINE):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            stored = archive.getinfo(NAME).compress_type == zipfile.ZIP_STORED
            return archive.read(NAME) if stored else None
    except (EOFError, KeyError, OSError, RuntimeError, ValueError, struct.error, zipfile.BadZipFile):
        return None
