# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may import whom in plugins/, that every room has its test, and that docs/architecture.md names what is there.

A room is a file below plugins/module_utils or plugins/plugin_utils, a wing the folder right below these two.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
TESTS = ROOT / "tests" / "unit" / "plugins"
OURS = "ansible_collections.kubenode.connections.plugins."

NODE = ("_common", "_kernel", "_files", "_observe", "_converge", "_pod_sysctls", "_guard")
CONTROLLER = ("_base", "_observed", "_policy", "_limits", "_plan", "_findings", "_report", "_play")
"""A wing takes from itself and from those before it."""

FORMATS = ("text", "html", "formats")
"""The parts of _report that never know each other."""

WRITES_ALL_FORMATS = "plugin_utils._report.files"

FOREIGN = {"jmespath", "jinja2", "markupsafe", "yaml"}
"""What the controller's side takes beside the standard library; it comes with ansible-core or may be missing."""

RENDERS = "plugin_utils._report.html.render"
"""The only room that knows Jinja2: no other makes text of nodes into a template, or a template into text."""

ASKS_ANSIBLE = "plugin_utils._play.of_ansible"
"""The only room that knows Ansible: all others are functions of plain values."""


def _name(path: Path) -> str:
    """plugins/module_utils/_kernel/procfs.py to module_utils._kernel.procfs."""
    return ".".join(path.relative_to(PLUGINS).with_suffix("").parts)


ROOMS = {_name(path): path for side in ("module_utils", "plugin_utils") for path in (PLUGINS / side).rglob("*.py")}
PUBLIC = {
    _name(path): path for kind in ("action", "filter", "modules", "test") for path in (PLUGINS / kind).glob("*.py")
}


def _imports(name: str, path: Path) -> Iterator[str]:
    """The full names that a file imports, at its top or within a function, relative ones resolved."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ""
            if node.level:
                above = f"{OURS}{name}".split(".")[: -node.level]
                package = ".".join([*above, *([package] if package else [])])
            yield from (f"{package}.{alias.name}" for alias in node.names)


def _ours(name: str, path: Path) -> set[str]:
    """The rooms that a file imports, or imports a name of; another of our names where there is no such room."""
    found = set()
    for full in _imports(name, path):
        if full.startswith(OURS):
            room = full.removeprefix(OURS)
            found.add(room.rpartition(".")[0] if room.rpartition(".")[0] in ROOMS else room)
    return found


TAKES = {name: _ours(name, path) for name, path in ROOMS.items()}


def _wing(room: str) -> tuple[str, str]:
    side, wing, *_rest = room.split(".")
    return side, wing


def _may_take(room: str, other: str) -> bool:
    (side, wing), (other_side, other_wing) = _wing(room), _wing(other)
    if (side, wing) == (other_side, other_wing):
        return True
    if side == "module_utils":
        return other_side == side and other_wing in NODE[: NODE.index(wing)]
    if other_side == "module_utils":
        return other_wing == "_common"
    if wing == "_kube_proxy":
        return other_wing in ("_base", "_policy")
    return other_wing in CONTROLLER[: CONTROLLER.index(wing)]


def _format(room: str) -> str | None:
    """The part of _report that a room belongs to; None for the document and what is made of it for all formats."""
    parts = room.split(".")
    return parts[2] if parts[1] == "_report" and len(parts) == 4 else None


def test_every_room_stands_in_a_wing():
    wings = {
        *(("module_utils", wing) for wing in NODE),
        *(("plugin_utils", wing) for wing in (*CONTROLLER, "_kube_proxy")),
    }
    assert {_wing(room) for room in ROOMS} == wings
    assert [str(path) for side in ("module_utils", "plugin_utils") for path in (PLUGINS / side).glob("*.py")] == []


def test_no_folder_of_rooms_has_an_init_file():
    """Ansible and Python find the rooms without, and there is nothing to keep in step."""
    assert [room for room in ROOMS if room.endswith(".__init__")] == []


def test_every_import_of_ours_leads_to_a_room():
    public = {name: _ours(name, path) for name, path in PUBLIC.items()}
    assert [
        (name, other) for name, others in {**TAKES, **public}.items() for other in others if other not in ROOMS
    ] == []


def test_no_room_takes_from_a_wing_above_its_own():
    assert [
        (room, other) for room, others in TAKES.items() for other in sorted(others) if not _may_take(room, other)
    ] == []


def test_the_formats_of_the_report_do_not_know_each_other():
    """Nor does what all of them are made of know one of them; only what writes the files does."""
    pairs = [(room, other) for room, others in TAKES.items() for other in others if room != WRITES_ALL_FORMATS]
    assert [(room, other) for room, other in pairs if _format(other) not in (None, _format(room))] == []


def test_no_rooms_go_round_in_a_circle():
    try:
        TopologicalSorter(TAKES).prepare()
    except CycleError as error:
        pytest.fail(" takes from ".join(reversed(error.args[1])))


@pytest.mark.parametrize(("side", "foreign"), [("module_utils", set()), ("plugin_utils", FOREIGN)])
def test_rooms_take_nothing_but_the_standard_library(side, foreign):
    known = {*sys.stdlib_module_names, *foreign}
    rooms = {room: path for room, path in ROOMS.items() if room.startswith(side) and room != ASKS_ANSIBLE}
    others = [
        (room, full) for room, path in rooms.items() for full in _imports(room, path) if not full.startswith(OURS)
    ]
    assert [(room, full) for room, full in others if full.split(".")[0] not in known] == []


def test_one_room_of_the_controller_asks_ansible():
    rooms = {name: path for name, path in ROOMS.items() if name.startswith("plugin_utils.")}
    takes = {name for name, path in rooms.items() for full in _imports(name, path) if full.startswith("ansible.")}
    assert takes == {ASKS_ANSIBLE}
    assert {full.split(".")[0] for full in _imports(ASKS_ANSIBLE, ROOMS[ASKS_ANSIBLE])} <= {
        *sys.stdlib_module_names,
        "ansible",
        "ansible_collections",
    }


def test_one_room_knows_the_template_engine():
    takes = {name for name, path in {**ROOMS, **PUBLIC}.items() for full in _imports(name, path) if "jinja2" in full}
    assert takes == {RENDERS}


def test_what_ansible_calls_takes_from_its_own_side():
    """Modules run on nodes; the others on the controller, which takes _common, too."""
    taken = [(name, other) for name, path in PUBLIC.items() for other in _ours(name, path)]
    sides = {True: ("module_utils.",), False: ("plugin_utils.", "module_utils._common.")}
    assert [(name, other) for name, other in taken if not other.startswith(sides[name.startswith("modules.")])] == []


def _test_of(room: str) -> Path:
    *folders, base = room.split(".")
    return TESTS.joinpath(*folders, f"test_{base}.py")


def test_every_room_has_a_test_in_the_same_place():
    assert [room for room in ROOMS if not _test_of(room).exists()] == []


def test_every_test_of_a_room_stands_in_the_same_place():
    """test_ROOM.py, or test_ROOM_WHAT.py where there is much to test; what holds of many rooms is above the wings."""
    paths = [path for side in ("module_utils", "plugin_utils") for path in (TESTS / side).rglob("_*/test_*.py")]
    places = [(path, ".".join(path.relative_to(TESTS).parent.parts), path.stem.removeprefix("test_")) for path in paths]
    assert len(places) > 50
    assert [
        str(path)
        for path, folder, name in places
        if not any(
            f"{name}_".startswith(f"{room.rpartition('.')[2]}_") for room in ROOMS if room.rpartition(".")[0] == folder
        )
    ] == []


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def _first_sentence(path: Path) -> str:
    text = " ".join((ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split())
    return re.match(r"(.*?[.?])(?: [A-Z]|$)", text)[1]


def test_the_architecture_page_has_each_room_with_its_first_sentence():
    sections = re.findall(r"^### `(\w+)/([\w/]+)/`\n(.*?)(?=^#|\Z)", ARCHITECTURE, re.MULTILINE | re.DOTALL)
    rows = {
        f"{side}.{folder.replace('/', '.')}.{room}": text
        for side, folder, section in sections
        for room, text in re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE)
    }
    assert rows == {room: _first_sentence(path).replace("``", "`") for room, path in ROOMS.items()}


def test_the_architecture_page_says_who_takes_from_whom():
    for wings in (NODE, CONTROLLER):
        assert " ← ".join(wings) in ARCHITECTURE


def test_the_architecture_page_names_paths_that_are_there():
    paths = re.findall(r"`((?:plugins|tests|docs|roles)/[\w./*-]+)`", ARCHITECTURE)
    assert len(paths) > 5
    assert [path for path in paths if not list(ROOT.glob(path.rstrip("/")))] == []
