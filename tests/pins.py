# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks install, with the hash of each file: tests/locks/*.txt, which make pins writes.

python tests/pins.py LOCK NAME...   prints these packages and what they need, for pip install --require-hashes --no-deps
python tests/pins.py --renew        writes the locks anew, by uv: the newest that the requirements allow

tools       for controllers: all that requirements.txt, requirements-test.txt and tests/unit/requirements.txt name
older       for ansible-cores that are not the newest of a Python, and for unit tests on Pythons that only nodes have
importer    for galaxy-importer, which goes together with none of the others
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "tests" / "locks"

_COMPILE = ["uv", "pip", "compile", "--quiet", "--no-header", "--universal", "--generate-hashes", "--upgrade"]
_UNIT = "tests/unit/requirements.txt"
_CONTROLLER = ("--python-version=3.10", "requirements.txt")
_SOURCES = {
    # The collection ansible has an ansible-core of its own; its others are wanted with ours.
    "tools": [*_CONTROLLER, "--override=requirements.txt", "requirements-test.txt", _UNIT],
    "older": ["--python-version=3.6.8", "tests/locks/older.in", _UNIT],
    "importer": [*_CONTROLLER, "tests/locks/importer.in"],
}


def closure(lock: str, names: Iterable[str]) -> str:
    """The part of a lock's text that these packages need. Raises KeyError for one that it does not have."""
    blocks: dict[str, list[str]] = {}
    parents: dict[str, set[str]] = {}
    for block in re.findall(r"(?m)^[a-z0-9].*\n(?: .*\n)+", lock):
        name = block.partition("==")[0]
        blocks.setdefault(name, []).append(block)
        parents.setdefault(name, set()).update(re.findall(r"(?m)^ +# +(?:via )?([a-z0-9][\w-]*)$", block))
    wanted = {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    missing = wanted - blocks.keys()
    if missing:
        raise KeyError(", ".join(sorted(missing)))
    while more := {name for name in blocks if parents[name] & wanted} - wanted:
        wanted |= more
    return "".join(block for name in sorted(wanted) for block in blocks[name])


def read(lock: str, names: Iterable[str]) -> str:
    """The part of a lock that these packages need."""
    return closure((LOCKS / f"{lock}.txt").read_text(encoding="utf-8"), names)


def names(lock: str) -> list[str]:
    """All packages of a lock."""
    return re.findall(r"(?m)^([a-z0-9][\w-]*)==", (LOCKS / f"{lock}.txt").read_text(encoding="utf-8"))


def renew() -> None:
    """Write the locks anew."""
    for lock, sources in _SOURCES.items():
        target = f"tests/locks/{lock}.txt"
        subprocess.run([*_COMPILE, *sources, f"--output-file={target}"], cwd=ROOT, check=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--renew"]:
        renew()
    else:
        print(read(sys.argv[1], sys.argv[2:]), end="")
