# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every parser is in the table of targets, and what is kept of earlier runs does no harm."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.fuzz.target import (
    CORPUS,
    MORE_BYTES,
    Target,
    TooSlowError,
    altered,
    pickled,
    seeds,
)
from ansible_collections.kubenode.connections.tests.fuzz.targets import TARGETS

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"

RAW = {"bytes", "bytearray", "BinaryIO", "object"}
"""A parameter of such a type is what somebody else wrote."""

NOT_FUZZED = {
    "it writes, loads or starts what this collection has made": {
        "module_utils._converge.one_run",
        "module_utils._converge.record",
        "module_utils._converge.steps.systemd_unit",
        "module_utils._files.atomic_write",
        "module_utils._kernel.bpf",
        "module_utils._kernel.programs",
        "module_utils._kernel.sock_ops",
        "plugin_utils._report.files",
        "plugin_utils._report.private_files",
    },
    "it asks the kernel or a child; what those answer is given to targets": {
        "module_utils._kernel.child",
        "module_utils._kernel.netlink",
        "module_utils._kernel.proc_tcp",
    },
    "it takes what a target has parsed": {
        "module_utils._converge.guard_options",
        "module_utils._observe.connections.tallies",
        "plugin_utils._findings.writers",
        "plugin_utils._observed.enforcement",
        "plugin_utils._play.run",
        "plugin_utils._policy.checks",
    },
}
"""Rooms with a function that looks like a parser and that no target comes to, by the reason."""


def parsers() -> Iterator[tuple[str, str]]:
    """Room and name of each function that is called a parser, or takes what nobody has looked at."""
    sides = ("module_utils", "plugin_utils", "filter", "test")
    for path in sorted(each for side in sides for each in (PLUGINS / side).rglob("*.py")):
        room = ".".join(path.relative_to(PLUGINS).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and (node.name.lstrip("_").startswith("parse") or _takes_raw(node)):
                yield room, node.name


def _takes_raw(function: ast.FunctionDef) -> bool:
    given = [each.annotation for each in (*function.args.args, *function.args.kwonlyargs) if each.annotation]
    names = {each.id for annotation in given for each in ast.walk(annotation) if isinstance(each, ast.Name)}
    return bool(names & RAW) and not function.name.startswith("_")


@cache
def reached() -> set[tuple[str, str]]:
    """Room and name of each function that the corpus comes to."""
    found = set()

    def note(frame, event, _value):
        if event == "call" and "/plugins/" in frame.f_code.co_filename:
            found.add((frame.f_code.co_filename, frame.f_code.co_name))

    sys.setprofile(note)
    try:
        for name, target in TARGETS.items():
            for seed in seeds(name):
                target.check(seed)
    finally:
        sys.setprofile(None)
    return {(".".join(Path(file.partition("/plugins/")[2]).with_suffix("").parts), name) for file, name in found}


def test_every_parser_is_reached_or_said_to_need_no_target():
    left = {room for room, function in parsers() if (room, function) not in reached()}
    assert left == set().union(*NOT_FUZZED.values())


def test_there_are_many_parsers():
    """Or the test above looks for the wrong thing."""
    assert len(list(parsers())) > 100


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_kept_for_a_target_does_no_harm(name):
    kept = seeds(name)
    assert kept
    for seed in kept:
        TARGETS[name].check(seed)


def test_the_corpus_is_small_and_each_of_its_folders_has_a_target():
    assert {path.name for path in CORPUS.iterdir()} == set(TARGETS)
    assert sum(path.stat().st_size for path in CORPUS.rglob("*")) < 1 << 19


def refuse(data):
    raise ValueError(data)


def go_on(_data):
    while True:
        pass


@pytest.mark.parametrize(
    ("parse", "error"),
    [
        pytest.param(refuse, ValueError, id="an error that it may not raise"),
        pytest.param(go_on, TooSlowError, id="no end"),
        pytest.param(lambda _data: bytes(2 * MORE_BYTES), MemoryError, id="too much memory"),
    ],
)
def test_what_a_target_may_not_do_is_seen(parse, error):
    with pytest.raises(error):
        Target(parse).check(b"x")


def test_an_error_of_the_parser_is_fine():
    Target(refuse, (ValueError,)).check(b"x")


PLACES = [(first, second, third, 3) for first in range(2) for second in range(2) for third in range(3)]


def test_bytes_choose_what_is_altered():
    whole = {"a": [1, {"b": "c"}], "d": None}
    assert altered(pickled(whole), b"") == whole
    assert altered(pickled(whole), bytes([0, 1, 2])) == {**whole, "d": False}
    outcomes = {repr(altered(pickled(whole), bytes([kind, *places]))) for kind in range(16) for places in PLACES}
    assert len(outcomes) > 15
