# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard as one file that the Python of a node runs: its rooms, as they came here. Private to this collection.

Ansible sends what a module imports, and the guard is among that. So nothing else has to be sent, and what the node
runs is what was sent: the same bytes for the same sources.
"""

import ast
import io
import zipfile
from typing import Dict, Iterator, Optional

from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import (
    FIRST_LINE,
    NAME,
    Conf,
    conf_text,
)

from . import main

_START = """\
import os
import sys
import zipimport

# This very file: the next one may take its name while this runs.
sys.path[0] = "/proc/self/fd/%d" % os.open(sys.path[0], os.O_RDONLY | os.O_CLOEXEC)

from {main} import guard_conf, main

plan = zipimport.zipimporter(sys.path[0]).get_data("{plan}")
sys.exit(main(guard_conf.parse(plan), sys.argv[1:]))
"""

_PACKAGE = main.__name__.rpartition("._guard.")[0]
_TIME = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644 << 16


def program(conf: Conf) -> bytes:
    """The program. Behind its first line it is a zip file, which Python finds at the end."""
    files = {"__main__.py": _START.format(main=main.__name__, plan=NAME).encode(), NAME: conf_text(conf)}
    for name, source in rooms().items():
        *folders, _room = name.split(".")
        for depth in range(1, len(folders) + 1):
            files["/".join([*folders[:depth], "__init__.py"])] = b""
        files[_path(name)] = source
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _TIME)
            entry.create_system, entry.external_attr = 3, _MODE  # Unix, whatever this is
            archive.writestr(entry, data)
    return FIRST_LINE + packed.getvalue()


def rooms() -> Dict[str, bytes]:
    """The sources of main and of every room of ours that it imports, also within functions, by their full names."""
    found: Dict[str, bytes] = {}
    waiting = [main.__name__]
    while waiting:
        name = waiting.pop()
        source = None if name in found else _source(name)
        if source is not None:
            found[name] = source
            waiting.extend(_imports(name, source))
    return found


def _imports(name: str, source: bytes) -> Iterator[str]:
    """What may be rooms: of ``from a import b`` both a and a.b."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            package = name.rsplit(".", node.level)[0] if node.level else ""
            base = ".".join(filter(None, (package, node.module)))
            if base.startswith(_PACKAGE):
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)


def _source(name: str) -> Optional[bytes]:
    """None for a folder, and for a name within a room."""
    place = main.__file__[: -len(_path(main.__name__))] + _path(name)
    try:
        data: bytes = main.__loader__.get_data(place)  # type: ignore[name-defined]
    except OSError:
        return None
    return data


def _path(name: str) -> str:
    return name.replace(".", "/") + ".py"
