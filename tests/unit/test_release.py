# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What make release refuses, each in a repository of its own, and that hooks and pins agree."""

import re
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubenode.connections.tests.release import complaints, git

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = {
    "galaxy.yml": "version: 1.2.3\n",
    "plugins/plugin_utils/_base/version.py": 'VERSION = "1.2.3"\n',
    "changelogs/changelog.yaml": "releases: {1.2.3: {}}\n",
}
AUTHOR = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")


def commit(root):
    git(root, "add", "--all")
    git(root, *AUTHOR, "commit", "--quiet", "--allow-empty", "--message", "A change")


@pytest.fixture
def checkout(tmp_path):
    git(tmp_path, "init", "--quiet")
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    commit(tmp_path)
    return tmp_path


def test_a_release_that_agrees_has_nothing_against_it(checkout):
    assert complaints(checkout) == []


def test_the_tag_of_this_very_commit_is_nothing_against_it(checkout):
    git(checkout, "tag", "v1.2.3")
    assert complaints(checkout) == []


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        (
            "plugins/plugin_utils/_base/version.py",
            'VERSION = "1.2.2"\n',
            "plugins/plugin_utils/_base/version.py does not say 1.2.3, as galaxy.yml does.",
        ),
        (
            "changelogs/changelog.yaml",
            "releases: {1.2.2: {}}\n",
            "The changelog has no section 1.2.3. Run antsibull-changelog release.",
        ),
        (
            "changelogs/fragments/cure.yml",
            "bugfixes: []\n",
            "Fragments are in no section of the changelog yet: cure.yml.",
        ),
    ],
)
def test_what_does_not_agree_is_refused(checkout, name, text, complaint):
    (checkout / name).parent.mkdir(exist_ok=True)
    (checkout / name).write_text(text)
    commit(checkout)
    assert complaints(checkout) == [complaint]


def test_what_is_not_committed_is_refused(checkout):
    (checkout / "galaxy.yml").write_text("version: 1.2.3\nname: other\n")
    assert complaints(checkout) == ["1 files are not as in the last commit, the first is galaxy.yml. Commit them."]


def test_a_version_is_released_once(checkout):
    git(checkout, "tag", "v1.2.3")
    commit(checkout)
    assert complaints(checkout) == [
        "The tag v1.2.3 is another commit. A version is released once: raise it in galaxy.yml.",
    ]


def test_the_hooks_of_pre_commit_have_the_versions_of_the_checks():
    pins = re.findall(r"^[\w-]+==\S+", (ROOT / "requirements-test.txt").read_text(encoding="utf-8"), re.MULTILINE)
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert [pin for hook in hooks for pin in hook["additional_dependencies"] if pin not in pins] == []
    assert all(hook["additional_dependencies"] for hook in hooks)


def test_every_action_of_a_workflow_is_held_to_a_commit():
    """A tag may be another program tomorrow."""
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob(".github/workflows/*.yml")]
    used = [action for text in texts for action in re.findall(r"uses: (\S+)", text)]
    assert len(used) > 5
    assert [action for action in used if not re.search(r"@[0-9a-f]{40}$", action)] == []


def test_every_command_of_a_workflow_is_a_target_of_make():
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob(".github/workflows/*.yml")]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    runs = [re.sub(r'sudo env "PATH=\$PATH" ', "", run) for text in texts for run in re.findall(r"run: (.+)", text)]
    assert {"make test", "make release"} <= set(runs)
    assert [run for run in runs if run.removeprefix("make ") not in targets] == []
