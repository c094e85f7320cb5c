# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guard of a node holds it to: the last plan in the words of this node, as a file. Private to this
collection."""

import json
import os
from typing import Any, Dict, NamedTuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._common.strict_json import parse_json
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.root_only import refuse_foreign_file

PATH = "/etc/kubenode.connections/guard.conf"

FIRST_LINE = b"# Written by kubenode.connections, which removes it again (node_settings with state=absent).\n"
_MAX_BYTES = 1 << 20
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Conf(NamedTuple):
    """node: its name in the metrics. textfile: the folder for them. cure: whether pods that have come are given what
    the plan says. plan: settings (as the report has them), watch, sysctl_file and modules_file.
    """

    node: str
    interval_seconds: int
    cure: bool
    textfile: str
    plan: Dict[str, Any]


def conf_text(conf: Conf) -> bytes:
    return FIRST_LINE + json.dumps(conf._asdict(), indent=1, sort_keys=True).encode("ascii") + b"\n"


def parse(data: bytes) -> Conf:
    """What conf_text gave. Raises ValueError."""
    document = parse_json(data.partition(b"\n")[2])
    if not isinstance(document, dict) or set(document) != set(Conf._fields):
        raise ValueError(f"it has not the keys {', '.join(Conf._fields)}")
    return Conf(**document)


def read(path: str = PATH) -> Conf:
    """The file, which root alone can have written. Raises NodeError."""
    try:
        with open(os.open(path, _OPEN), "rb") as handle:
            if path == PATH:
                refuse_foreign_file(path, os.fstat(handle.fileno()))
            return parse(handle.read(_MAX_BYTES))
    except OSError as error:
        raise refused(f"{path}: not read", error) from error
    except ValueError as error:
        raise NodeError(f"{path}: {error}. Run the role kubenode.connections.guard again.") from error
