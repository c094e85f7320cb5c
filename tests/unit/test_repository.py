# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold for the files of the repository: headers, pins, documentation that agrees with the code."""

import importlib.util
import os
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/argument_specs.yml"))

# REUSE-IgnoreStart
COPYRIGHT = "# Copyright: (c) 2026, the kubenode.connections authors"
GPL = "# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)"
SPDX = "# SPDX-License-Identifier: GPL-3.0-or-later"
# REUSE-IgnoreEnd
HEADERS = {".py": [COPYRIGHT, GPL, SPDX], ".yml": [COPYRIGHT, SPDX], ".toml": [COPYRIGHT, SPDX]}

# Generated, or a node's own files as a test finds them.
WITHOUT_HEADER = ("tests/*/fixtures/*", "molecule/*/nodes/*")

PACKAGE_INDEX = re.compile(
    r"--?(?:extra-)?index-url|--find-links|--trusted-host|PIP_(?:EXTRA_)?INDEX_URL|PIP_FIND_LINKS"
)


def _repository_files():
    """Return the files that are in the repository or would be added to it, as paths relative to its root."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):  # an unpacked archive, or no git
        paths = [path.relative_to(ROOT) for path in ROOT.rglob("*")]
        names = [str(path) for path in paths if not any(part.startswith(".") for part in path.parts)]
    return sorted(name for name in set(names) if name and (ROOT / name).is_file() and not (ROOT / name).is_symlink())


FILES = _repository_files()
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in FILES}


def _public_plugins(kind):
    return sorted(path.stem for path in ROOT.glob(f"plugins/{kind}/*.py") if not path.name.startswith("_"))


def _role_tables():
    spec = importlib.util.spec_from_file_location("role_tables", ROOT / "tests" / "role_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _specs(role):
    return yaml.safe_load((role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))["argument_specs"]


def test_the_list_of_files_is_the_repository():
    assert {"galaxy.yml", "noxfile.py", "tests/unit/test_repository.py"} <= set(FILES)


def test_every_source_file_starts_with_its_header():
    wrong = []
    for name, text in TEXTS.items():
        header = HEADERS.get(Path(name).suffix)
        if header and text and not any(fnmatch(name, pattern) for pattern in WITHOUT_HEADER):
            lines = [line for line in text.splitlines()[: len(header) + 1] if not line.startswith("#!")]
            if lines[: len(header)] != header:
                wrong.append(name)
    assert wrong == []


def test_no_file_names_a_folder_of_this_machine():
    folders = {str(ROOT), os.path.expanduser("~"), os.environ.get("PYENV_ROOT", "")}
    own = [folder for folder in folders if folder.count("/") > 1]
    assert [(name, folder) for name, text in TEXTS.items() for folder in own if folder in text] == []


def test_no_file_chooses_a_package_index_for_the_user():
    ours = "tests/unit/test_repository.py"
    assert [name for name, text in TEXTS.items() if name != ours and PACKAGE_INDEX.search(text)] == []


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt", "tests/unit/requirements.txt"])
def test_every_requirement_is_pinned(name):
    lines = [line for line in TEXTS[name].splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if not re.match(r"[\w-]+==[\w.]+( ; .+)?$", line)] == []


def test_ansible_test_has_nothing_to_ignore():
    assert [name for name in FILES if fnmatch(name, "tests/sanity/ignore*.txt")] == []


def test_the_action_group_has_every_module_and_action():
    runtime = yaml.safe_load(TEXTS["meta/runtime.yml"])
    listed = runtime["action_groups"]["all"]
    assert sorted(listed) == sorted({*_public_plugins("modules"), *_public_plugins("action")})


def test_the_readme_names_everything_that_users_call():
    names = [name for kind in ("modules", "filter", "test", "action") for name in _public_plugins(kind)]
    names += [path.stem for path in ROOT.glob("playbooks/*.yml")]
    names += [path.name for path in ROOT.glob("roles/*") if path.is_dir()]
    assert [name for name in names if f"`{name}`" not in TEXTS["README.md"]] == []


def test_the_readme_names_every_tested_ansible_core():
    tested = set(re.findall(r'^    \("(\d+\.\d+)\.\d+", "3', TEXTS["noxfile.py"], re.MULTILINE))
    pinned = set(re.findall(r"^ansible-core==(\d+\.\d+)", TEXTS["requirements.txt"], re.MULTILINE))
    assert pinned <= tested
    assert [core for core in sorted(tested) if core not in TEXTS["README.md"]] == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_defaults_are_those_of_the_argument_specs(role):
    defaults = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    documented = {
        name: option.get("default")
        for spec in _specs(role).values()
        for name, option in spec.get("options", {}).items()
        if not option.get("required")
    }
    assert documented == defaults


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_variables_mean_the_same_in_every_entry_point(role):
    meanings = {}
    for spec in _specs(role).values():
        for name, option in spec.get("options", {}).items():
            meanings.setdefault(name, []).append(option)
    assert [name for name, options in meanings.items() if any(option != options[0] for option in options)] == []
    assert [name for name in meanings if not name.startswith(f"{role.name}_")] == []


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_entry_points_are_the_documented_ones(role):
    """A task file that is no entry point is included by another one of the role."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (role / "tasks").glob("*.yml")}
    inner = {name for name in texts if any(re.search(rf"\b{name}\.yml\b", text) for text in texts.values())}
    assert set(_specs(role)) <= set(texts)
    assert set(texts) - inner <= set(_specs(role))


def test_an_entry_point_that_the_readme_does_not_offer_says_that_it_is_internal():
    specs = _specs(ROOT / "roles" / "keepalive")
    inner = {name for name, spec in specs.items() if spec["short_description"].startswith("Internal, ")}
    (offered,) = re.findall(r"with the entry points (.+)\.$", TEXTS["README.md"], re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", offered)) == set(specs) - inner


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_role_readme_has_the_tables_of_the_argument_specs(role):
    readme = (role / "README.md").read_text(encoding="utf-8")
    assert _role_tables().with_tables(readme, _specs(role)) == readme, "Run: python tests/role_tables.py"
