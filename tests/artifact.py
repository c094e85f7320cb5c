# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the file of the collection, the same bytes whenever and wherever: python tests/artifact.py SOURCE FOLDER

ansible-galaxy stores each file's time on disk, and lists the files in the order of the disk. Here the times are fixed,
the list is sorted, and MANIFEST.json has the checksum of the sorted list. Runs in an environment with ansible-core.
"""

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

# 1 January 1980: no archive format has an older one, and tar warns of it.
FIXED_TIME = 315532800


def build(source: Path, folder: Path) -> Path:
    """Build the collection in this source folder, and return its file in the other folder."""
    with tempfile.TemporaryDirectory() as temporary:
        galaxy = [sys.executable, "-m", "ansible.cli.galaxy", "collection"]
        subprocess.run([*galaxy, "build", source, "--output-path", temporary], check=True, stdout=subprocess.DEVNULL)
        (built,) = Path(temporary).iterdir()
        folder.mkdir(parents=True, exist_ok=True)
        return _repack(built, folder / built.name)


def _repack(built: Path, target: Path) -> Path:
    with tarfile.open(built) as archive:
        members = {member.name: member for member in archive}
        contents = {name: archive.extractfile(name).read() for name, member in members.items() if member.isreg()}
    files, manifest = json.loads(contents["FILES.json"]), json.loads(contents["MANIFEST.json"])
    files["files"].sort(key=lambda entry: entry["name"])
    contents["FILES.json"] = _json(files)
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(contents["FILES.json"]).hexdigest()
    contents["MANIFEST.json"] = _json(manifest)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name in ("MANIFEST.json", "FILES.json", *sorted(members.keys() - {"MANIFEST.json", "FILES.json"})):
            content = contents.get(name, b"")
            member = members[name]
            member.mtime, member.pax_headers, member.size = FIXED_TIME, {}, len(content)
            archive.addfile(member, io.BytesIO(content))
    with target.open("wb") as file, gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed:
        packed.write(plain.getvalue())
    return target


def _json(value: object) -> bytes:
    return json.dumps(value, indent=True).encode()


if __name__ == "__main__":
    print(build(*map(Path, sys.argv[1:])))
