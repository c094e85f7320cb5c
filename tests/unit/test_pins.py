# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the checks install is held to hashes: the locks have all that the requirements name, in their versions."""

import re

import pytest

from ansible_collections.kubenode.connections.tests import pins

LOCK = """\
b-tool==2.0 ; python_full_version < '3.11' \\
    --hash=sha256:22
    # via a-tool
b-tool==3.0 ; python_full_version >= '3.11' \\
    --hash=sha256:33
    # via
    #   -r requirements-test.txt
    #   a-tool
a-tool==1.0 \\
    --hash=sha256:11 \\
    --hash=sha256:12
    # via -r requirements-test.txt
c-tool==4.0 \\
    --hash=sha256:44
    # via b-tool
d-tool==5.0 \\
    --hash=sha256:55
    # via -r a-tool.txt
"""
A, B2, B3, C, D = "a-tool==1.0", "b-tool==2.0", "b-tool==3.0", "c-tool==4.0", "d-tool==5.0"
SOURCES = {
    "tools": ["requirements.txt", "requirements-test.txt", "tests/unit/requirements.txt"],
    "older": ["tests/locks/older.in", "tests/unit/requirements.txt"],
    "importer": ["requirements.txt", "tests/locks/importer.in"],
}
OF_NODES_ALONE = re.compile(r"""python_version (?:<=?|==) "3\.[6-9]"|python_version < "3\.10"$""")


def pinned(text):
    return re.findall(r"(?m)^[\w-]+==\S+", text)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(["C_Tool"], [C], id="one that needs nothing, by another spelling of its name"),
        pytest.param(["b-tool"], [B2, B3, C], id="each version of one, and what it needs"),
        pytest.param(["a-tool"], [A, B2, B3, C], id="what is needed by what is needed"),
        pytest.param(["d-tool", "c-tool"], [C, D], id="two, and a file is no package that needs them"),
    ],
)
def test_the_closure_of(names, expected):
    found = pins.closure(LOCK, names)
    assert pinned(found) == expected
    assert found.count("--hash") == len(expected) + (A in expected)


def test_a_package_that_the_lock_does_not_have_is_an_error():
    with pytest.raises(KeyError, match="e-tool"):
        pins.closure(LOCK, ["e-tool", "a-tool"])


@pytest.mark.parametrize("lock", SOURCES)
def test_every_package_of_a_lock_is_held_to_a_hash(lock):
    blocks = re.split(r"(?m)^(?=[^ #])", (pins.LOCKS / f"{lock}.txt").read_text(encoding="utf-8"))[1:]
    assert len(blocks) > 20
    assert [block for block in blocks if not re.search(r"^ +--hash=sha256:[0-9a-f]{64}", block, re.MULTILINE)] == []


@pytest.mark.parametrize(("lock", "source"), [(lock, source) for lock, files in SOURCES.items() for source in files])
def test_a_lock_has_what_the_requirements_name(lock, source):
    lines = (pins.ROOT / source).read_text(encoding="utf-8").splitlines()
    if lock != "older":
        lines = [line for line in lines if not OF_NODES_ALONE.search(line)]
    wanted = {pin.lower() for line in lines for pin in pinned(line)}
    there = pinned((pins.LOCKS / f"{lock}.txt").read_text(encoding="utf-8"))
    assert sorted(wanted - set(there)) == [], "Run make pins."


def test_each_ansible_core_of_the_checks_is_in_a_lock():
    """The newest of each Python in that of the tools, the others in their own."""
    matrix = re.findall(r'^    \("(\d+\.\d+\.\d+)", "(3\.\d+)', (pins.ROOT / "noxfile.py").read_text(), re.MULTILINE)
    newest = {python: core for core, python in matrix}
    cores = {lock: re.findall(r"^ansible-core==(\S+)", pins.read(lock, ["ansible-core"]), re.M) for lock in SOURCES}
    assert set(cores["tools"]) == set(newest.values())
    assert set(cores["older"]) == {core for core, _python in matrix} - set(newest.values())
