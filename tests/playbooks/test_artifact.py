# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file that users install: the same bytes wherever it is built, whole, and without what only a checkout needs."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from ansible_collections.kubenode.connections.tests.playbooks._ansible import environment
from ansible_collections.kubenode.connections.tests.playbooks._commands import blocks
from ansible_collections.kubenode.connections.tests.release import git, release
from ansible_collections.kubenode.connections.tests.sbom import bill

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^()\s#]+)(?:#[\w-]*)?\)")
CODE_BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)

GALAXY_TAKES_BYTES = 20 << 20
AUTHOR = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false")

# What Galaxy, ansible-core and people who use the collection look into.
TOP = {
    *("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "COPYING", "LICENSES", "MAINTAINERS", "README.md"),
    *("README.zh-CN.md", "REUSE.toml", "SECURITY.md", "changelogs", "docs", "meta", "playbooks", "plugins", "roles"),
    *("FILES.json", "MANIFEST.json", "tests"),
}


def copy_of_the_checkout(folder: Path, umask: int, newest_first: bool) -> Path:
    """The files of the repository in a folder with times, an order and modes of its own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    before = os.umask(umask)
    try:
        for name in sorted(filter(None, listed.split("\0")), reverse=newest_first):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, path, follow_symlinks=False)
            if os.access(ROOT / name, os.X_OK) and not path.is_symlink():
                path.chmod(path.stat().st_mode | 0o100)
    finally:
        os.umask(before)
    return folder


def committed_copy(folder: Path) -> Path:
    """The same as a repository with one commit."""
    checkout = copy_of_the_checkout(folder, 0o022, False)
    git(checkout, "init", "--quiet")
    git(checkout, "add", "--all", "--force")
    git(checkout, *AUTHOR, "commit", "--quiet", "--message", "All")
    return checkout


def build(source: Path, folder: Path) -> Path:
    command = [sys.executable, "tests/artifact.py", source, folder]
    env = environment(folder / "home")
    built = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env=env).stdout
    return Path(built.strip())


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifact")
    return build(copy_of_the_checkout(folder / "source", 0o022, False), folder)


def galaxy(home: Path, *arguments: str | Path) -> str:
    command = [sys.executable, "-m", "ansible.cli.galaxy", "collection", *arguments]
    # Without the tests' own paths Ansible does not take the checkout for what is installed.
    env = environment(home) | {"ANSIBLE_COLLECTIONS_PATH": str(home), "PYTHONPATH": ""}
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env=env)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


def test_it_is_the_same_bytes_wherever_and_whenever_it_is_built(artifact: Path, tmp_path: Path) -> None:
    other = build(copy_of_the_checkout(tmp_path / "another" / "folder", 0o077, True), tmp_path)
    assert other != artifact
    assert other.read_bytes() == artifact.read_bytes()


def test_what_is_installed_of_it_is_what_its_manifest_says(artifact: Path, tmp_path: Path) -> None:
    where = ("--collections-path", tmp_path)
    galaxy(tmp_path, "install", artifact, "--offline", *where)
    verify = ("verify", "kubenode.connections", "--offline", *where)
    assert "Successfully verified" in galaxy(tmp_path, *verify, "-vv")
    (tmp_path / "ansible_collections/kubenode/connections/playbooks/audit.yml").write_text("---\n")
    with pytest.raises(AssertionError, match=r"playbooks/audit\.yml"):
        galaxy(tmp_path, *verify)


def test_each_list_of_the_install_page_installs_it(
    artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file and from git, with a repository of the test's own. The list for Galaxy needs Galaxy."""
    monkeypatch.chdir(tmp_path)
    checkout = committed_copy(tmp_path / "checkout")
    here = {
        "https://github.com/kubenode/connections.git": checkout.as_uri(),
        "COMMIT": git(checkout, "rev-parse", "HEAD").decode().strip(),
        f"files/{artifact.name}": str(artifact),
    }
    page = [yaml.safe_load(block) for block in blocks(ROOT / "docs" / "install.md", "yaml")]
    lists = {each["collections"][0].get("type", "galaxy"): each for each in page if "collections" in each}
    assert sorted(lists) == ["file", "galaxy", "git"]
    for kind in ("file", "git"):
        entries = [{name: here.get(value, value) for name, value in row.items()} for row in lists[kind]["collections"]]
        assert entries != lists[kind]["collections"]
        Path("requirements.yml").write_text(yaml.safe_dump({"collections": entries}))
        galaxy(tmp_path, "install", "-r", "requirements.yml", "--collections-path", kind)
        assert Path(kind, "ansible_collections", "kubenode", "connections", "playbooks", "audit.yml").exists()


def test_it_has_what_users_need_and_nothing_else(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        names = archive.getnames()
        binary = [member.name for member in archive if member.isreg() and b"\0" in archive.extractfile(member).read()]
    assert binary == []
    assert artifact.stat().st_size < GALAXY_TAKES_BYTES
    assert {name.split("/")[0] for name in names} == TOP
    assert [name for name in names if name.startswith("tests/")] == ["tests/config.yml"]
    assert [name for name in names if name.startswith("docs/") and name.endswith((".html", ".png"))] == []


def test_its_bill_of_materials_has_each_file_with_its_checksum_and_what_it_needs(artifact: Path) -> None:
    document = json.loads(bill(artifact))
    listed = {each["name"]: each["hashes"][0]["content"] for each in document["components"] if each["type"] == "file"}
    with tarfile.open(artifact) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive if not member.isdir()}
    ours = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    about_files = {"MANIFEST.json", "FILES.json"}
    assert listed == {name: checksum for name, checksum in ours.items() if name not in about_files}
    assert document["dependencies"] == [{"ref": "kubenode.connections", "dependsOn": ["ansible-core", "jmespath"]}]
    itself = document["metadata"]["component"]
    assert itself["hashes"][0]["content"] == hashlib.sha256(artifact.read_bytes()).hexdigest()


def test_every_relative_link_of_its_documents_leads_to_a_file_in_it(artifact: Path) -> None:
    with tarfile.open(artifact) as archive:
        names = set(archive.getnames())
        pages = {name: archive.extractfile(name).read().decode() for name in names if name.endswith(".md")}
    links = {(page, link) for page, text in pages.items() for link in LINK.findall(CODE_BLOCK.sub("", text))}
    relative = {(page, link) for page, link in links if "://" not in link}
    assert len(relative) > 100
    assert sorted(each for each in relative if os.path.normpath(Path(each[0]).parent / each[1]) not in names) == []


def test_what_git_ignores_the_build_ignores_too() -> None:
    """Or a file that nobody sees in git status is given to everybody."""
    ignored = yaml.safe_load((ROOT / "galaxy.yml").read_text())["build_ignore"]
    lines = [line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if not line.startswith("#")]
    left_out_by_ansible = {"*.pyc", "__pycache__"}
    below_ignored = [line for line in lines if any(line.startswith(f"{folder}/") for folder in ignored)]
    assert sorted(set(lines) - set(ignored) - left_out_by_ansible - set(below_ignored)) == []


def test_a_release_is_built_of_the_last_commit(artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "home"))
    checkout = committed_copy(tmp_path / "checkout")
    (checkout / "README.md").write_text("Not committed.\n")
    told = release(checkout, tmp_path / "release")
    made = {path.name: path.read_bytes() for path in (tmp_path / "release").iterdir()}
    checksum = hashlib.sha256(artifact.read_bytes()).hexdigest()
    materials = artifact.name.replace(".tar.gz", ".cdx.json")
    sums = [(checksum, artifact.name), (hashlib.sha256(made[materials]).hexdigest(), materials)]
    assert made == {
        artifact.name: artifact.read_bytes(),
        materials: bill(artifact).encode(),
        "SHA256SUMS": "".join(f"{each}  {name}\n" for each, name in sums).encode(),
    }
    assert f"{artifact.name} is {checksum}.\n\nNext, by hand:\n  git tag --sign v" in told
