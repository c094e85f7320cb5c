# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bill of materials of the collection's file, as CycloneDX 1.6: what is in it, and what it needs from others.

The same file gives the same bytes: it has no time, and its number comes from the file's checksum.

python tests/sbom.py BILL...    holds bills to the schema of CycloneDX
"""

import hashlib
import json
import sys
import tarfile
import uuid
from pathlib import Path
from typing import Any

import yaml

NEEDED = "ansible-core"


def bill(artifact: Path) -> str:
    """The bill of materials of this file, as JSON."""
    with tarfile.open(artifact) as archive:

        def read(name: str) -> bytes:
            member = archive.extractfile(name)
            assert member is not None, name
            return member.read()

        collection = json.loads(read("MANIFEST.json"))["collection_info"]
        files = json.loads(read("FILES.json"))["files"]
        requires = yaml.safe_load(read("meta/runtime.yml"))["requires_ansible"]
        listed = read("meta/ee-requirements.txt").decode().splitlines()
    optional = [line for line in listed if line and not line.startswith("#")]
    checksum = hashlib.sha256(artifact.read_bytes()).hexdigest()
    itself = f"{collection['namespace']}.{collection['name']}"
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, checksum)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": itself,
                "name": itself,
                "version": collection["version"],
                "description": collection["description"],
                "hashes": _sha256(checksum),
                "licenses": [{"license": {"id": each}} for each in collection["license"]],
                "externalReferences": [{"type": "vcs", "url": collection["repository"]}],
            }
        },
        "components": [
            _of_others(NEEDED, "required", f"any version {requires}"),
            *(_of_others(name, "optional", "for keepalive_report_query") for name in optional),
            *(
                {"type": "file", "name": each["name"], "hashes": _sha256(each["chksum_sha256"])}
                for each in files
                if each["ftype"] == "file"
            ),
        ],
        "dependencies": [{"ref": itself, "dependsOn": [NEEDED, *optional]}],
    }
    return json.dumps(document, indent=2) + "\n"


def _sha256(checksum: str) -> list[dict[str, str]]:
    return [{"alg": "SHA-256", "content": checksum}]


def _of_others(name: str, scope: str, description: str) -> dict[str, Any]:
    return {
        "type": "framework" if name == NEEDED else "library",
        "bom-ref": name,
        "name": name,
        "description": description,
        "scope": scope,
        "purl": f"pkg:pypi/{name}",
    }


def complaint(text: str) -> str | None:
    """What the schema has against a bill, None where nothing."""
    # Where a bill is only made, there is no such library.
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return None if found is None else str(found)


if __name__ == "__main__":
    sys.exit("\n".join(filter(None, (complaint(Path(name).read_text(encoding="utf-8")) for name in sys.argv[1:]))) or 0)
