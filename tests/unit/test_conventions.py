# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a collection owes to those who know others, and no tool of nox checks."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("plugins/**/*.py"))}
PUBLIC = [path for path in SOURCES if path.parent.name in ("modules", "filter", "test") and path.name[0] != "_"]
MODULES = [path for path in PUBLIC if path.parent.name == "modules"]
SECTIONS = (
    *("Requirements", "Included content", "Documentation", "Code of Conduct", "Communication", "Contributing"),
    *("Release notes", "License"),
)


def _name(path):
    return f"{path.parent.name}/{path.stem}"


def _documented(path):
    """The texts of a plugin that are its documentation, by name, loaded; the examples as they are."""
    found = re.findall(r'^(DOCUMENTATION|EXAMPLES|RETURN) = r?"""(.*?)"""', SOURCES[path], re.MULTILINE | re.DOTALL)
    return {name: text if name == "EXAMPLES" else yaml.safe_load(text) for name, text in found}


@pytest.mark.parametrize("path", PUBLIC, ids=_name)
def test_a_plugin_has_examples_and_says_what_it_returns_since_when_and_what_is_near(path):
    texts = _documented(path)
    assert sorted(texts) == ["DOCUMENTATION", "EXAMPLES", "RETURN"]
    assert {"author", "description", "short_description", "seealso", "version_added"} <= texts["DOCUMENTATION"].keys()
    assert "kubenode.connections." in texts["EXAMPLES"]


def test_each_action_is_documented_as_a_module():
    actions = {path.stem for path in SOURCES if path.parent.name == "action" and path.name[0] != "_"}
    assert len(actions) > 2
    assert actions - {path.stem for path in MODULES} == set()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_says_what_it_supports_where(path):
    attributes = _documented(path)["DOCUMENTATION"]["attributes"]
    assert sorted(attributes) == ["check_mode", "diff_mode", "idempotent", "platform"]
    assert [name for name, attribute in attributes.items() if "support" not in attribute] == []
    assert "platforms" in attributes["platform"]


@pytest.mark.parametrize("path", [path for path in MODULES if path.stem.endswith("_info")], ids=_name)
def test_what_only_gathers_returns_no_facts_of_ansible_and_changes_nothing(path):
    assert "ansible_facts" not in _documented(path)["RETURN"]
    assert "changed=True" not in SOURCES[path]


def test_no_name_is_thrown_away_with_an_underscore():
    nodes = [(path, node) for path, text in SOURCES.items() for node in ast.walk(ast.parse(text))]
    names = [(path, node.id) for path, node in nodes if isinstance(node, ast.Name)]
    assert len(names) > 1000
    assert [path for path, name in names if name == "_"] == []


def test_every_newer_ansible_is_allowed_from_the_oldest_that_is_tested_on():
    noxfile = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    tested = re.findall(r'^    \("(\d+)\.(\d+)\.\d+", "3', noxfile, re.MULTILINE)
    major, minor = min((int(major), int(minor)) for major, minor in tested)
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    assert runtime["requires_ansible"] == f">={major}.{minor}.0"


def test_the_readme_ends_with_the_sections_that_all_collections_have():
    headings = re.findall(r"^## (.+)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(headings[-len(SECTIONS) :]) == SECTIONS


def test_each_release_has_a_summary():
    releases = yaml.safe_load((ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))["releases"]
    assert releases
    assert [version for version, release in releases.items() if not release["changes"].get("release_summary")] == []


def test_each_room_says_what_it_is():
    rooms = [path for path in SOURCES if path.parent.parent.name.endswith("_utils") and path.name != "__init__.py"]
    assert len(rooms) > 100
    assert [str(path) for path in rooms if not ast.get_docstring(ast.parse(SOURCES[path]))] == []
