# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes the files of a release, and says what a maintainer does next: nox -s release

It is built of the last commit, not of what lies in the checkout. Nothing is tagged, uploaded or told to anybody.
"""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path

import yaml

from ansible_collections.kubenode.connections.tests.artifact import build
from ansible_collections.kubenode.connections.tests.sbom import bill

ROOT = Path(__file__).resolve().parent.parent

NEXT = """\
{artifact} is {checksum}.

Next, by hand:
  git tag --sign v{version} && git push origin v{version}     the workflow Release builds the same files, and signs them
  sha256sum --check SHA256SUMS                           on what it made: they must be these
  ansible-galaxy collection publish {artifact} --token TOKEN
Then make a release of the tag on GitHub with the files of {folder}, and the section of CHANGELOG.md.
"""


def git(root: Path, *arguments: str) -> bytes:
    """What git prints."""
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True).stdout


def complaints(root: Path) -> list[str]:
    """What speaks against a release of the last commit of this checkout, a sentence each."""
    version = yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    found = []
    changed = git(root, "status", "--porcelain").decode().splitlines()
    if changed:
        found.append(f"{len(changed)} files are not as in the last commit, the first is {changed[0][3:]}. Commit them.")
    in_code = re.search(r'^VERSION = "(.+)"$', (root / "plugins/plugin_utils/_base/version.py").read_text(), re.M)
    if in_code is None or in_code[1] != version:
        found.append(f"plugins/plugin_utils/_base/version.py does not say {version}, as galaxy.yml does.")
    releases = yaml.safe_load((root / "changelogs/changelog.yaml").read_text(encoding="utf-8"))["releases"]
    if version not in releases:
        found.append(f"The changelog has no section {version}. Run antsibull-changelog release.")
    fragments = sorted(path.name for path in root.glob("changelogs/fragments/*.yml"))
    if fragments:
        found.append(f"Fragments are in no section of the changelog yet: {', '.join(fragments)}.")
    tagged = git(root, "tag", "--list", f"v{version}")
    if tagged and git(root, "rev-list", "-1", f"v{version}") != git(root, "rev-parse", "HEAD"):
        found.append(f"The tag v{version} is another commit. A version is released once: raise it in galaxy.yml.")
    return found


def release(root: Path, folder: Path) -> str:
    """Write the files of a release of the last commit into the folder, and return what to do with them."""
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as source:
        with tarfile.open(fileobj=BytesIO(git(root, "archive", "HEAD"))) as archive:
            archive.extractall(source, filter="data")
        artifact = build(Path(source), folder)
    name = artifact.name.removesuffix(".tar.gz")
    materials = folder / f"{name}.cdx.json"
    materials.write_text(bill(artifact), encoding="utf-8")
    sums = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in (artifact, materials)}
    lines = [f"{checksum}  {each}\n" for each, checksum in sums.items()]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")
    checksum, version = sums[artifact.name], name.rpartition("-")[2]
    return NEXT.format(artifact=artifact.name, checksum=checksum, version=version, folder=folder)


if __name__ == "__main__":
    against = complaints(ROOT)
    if against:
        sys.exit("\n".join(["Not released:", *against]))
    print(release(ROOT, Path(sys.argv[1])))
