# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to a node and run there: size of a module with all that it imports, and the time to import it."""

from __future__ import annotations

import base64
import functools
import io
import json
import re
import statistics
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import nodes
import plays
from figures import Part, Table, run, say, spread

MODULES = (
    *(f"kubenode.connections.{name}" for name in ("node_info", "node_settings", "ipvs_timeouts", "pod_sysctls")),
    "ansible.posix.sysctl",
    "ansible.builtin.ping",
)
ZIP = re.compile(rb"[A-Za-z0-9+/=]{2000,}")

IMPORT = """
import importlib, sys, time
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
begin = time.process_time()
importlib.import_module(sys.argv[2])
seconds = time.process_time() - begin
rooms = [each for each in sys.modules.values() if "module_utils" in each.__name__ and hasattr(each, "__file__")]
ours = [each for each in rooms if (each.__file__ or "").startswith(sys.argv[1]) and "kubenode" in each.__name__]
print(seconds, len([each for each in ours if not each.__file__.endswith("__init__.py")]))
"""


class Payload(NamedTuple):
    """A module as Ansible sends it: bytes on the wire, its archive, and the name in it."""

    size: int
    archive: bytes
    module: str


def bench(full: bool, rounds: int) -> Part:
    """Each module, imported so many times in each round."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        for module, payload in sent(full).items():
            seconds, imported = import_seconds(payload, Path(name), 5 * rounds if full else 1)
            say(f"  {module}: {payload.size / 1024:.0f} KiB, imported in {spread(seconds)} s of CPU")
            rooms = [str(len(rooms_of(payload.archive))), str(imported)] if module.startswith("kubenode.") else ["", ""]
            milliseconds = spread([1000 * each for each in seconds])
            rows.append([f"`{module}`", f"{payload.size / 1024:.0f}", *rooms, milliseconds])
    header = ["module", "sent, KiB", "rooms sent", "rooms imported", "import, ms of CPU"]
    return Part({"payload": str(Table(header, rows))})


@functools.cache
def sent(full: bool) -> Mapping[str, Payload]:
    """What Ansible puts on a node, by module."""
    say("payload: what Ansible sends")
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        return _fetch(Path(name), MODULES if full else MODULES[::5])


def _fetch(folder: Path, modules: Sequence[str]) -> dict[str, Payload]:
    """The node is told to keep it. The modules themselves may fail: they get no arguments."""
    tasks = [{"name": module, module: {}, "check_mode": True, "ignore_errors": True} for module in modules]
    book = folder / "book.json"
    book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    with nodes.started(1, folder / "nodes") as started:
        inventory = folder / "inventory.json"
        nodes.write_inventory(started, inventory, None)
        env = {**nodes.environment(folder, pipelining=False), "ANSIBLE_KEEP_REMOTE_FILES": "1"}
        output = plays.playbook(str(book), inventory, {}, env).output
    found = {module: list(folder.glob(f"remote/*/AnsiballZ_{module.split('.')[-1]}.py")) for module in modules}
    if not all(len(paths) == 1 for paths in found.values()):
        raise SystemExit(f"{output}\nOf each of {', '.join(modules)} one file was expected below {folder}/remote.")
    return {module: _payload(module.split(".")[-1], path.read_bytes()) for module, (path,) in found.items()}


def _payload(name: str, content: bytes) -> Payload:
    archive = base64.b64decode(max(ZIP.findall(content), key=len))
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    (path,) = (each for each in names if each.endswith(f"/modules/{name}.py"))
    return Payload(len(content), archive, path.removesuffix(".py").replace("/", "."))


def rooms_of(archive: bytes) -> list[str]:
    """The files of our own module_utils."""
    names = zipfile.ZipFile(io.BytesIO(archive)).namelist()
    return [name for name in names if "/kubenode/" in name and "/module_utils/" in name and "__init__" not in name]


def import_seconds(payload: Payload, folder: Path, times: int) -> tuple[list[float], int]:
    """CPU seconds of each import by a fresh Python, which has to compile all of it, and the rooms imported."""
    path = folder / "payload.zip"
    path.write_bytes(payload.archive)
    command = [sys.executable, "-I", "-c", IMPORT, str(path), payload.module]
    told = [run(command).output.split() for _time in range(times)]
    return [float(seconds) for seconds, _rooms in told], int(statistics.median(int(rooms) for _seconds, rooms in told))
