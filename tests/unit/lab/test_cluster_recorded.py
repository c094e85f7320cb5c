# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The section of docs/proof.md that the cluster's tests write."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record, shown
from ansible_collections.kubenode.connections.tests.proof import report

RESET, KEPT = [("7200/75/9", "ConnectionResetError")], [("6/1/3", "answered")]
CONFTEST = """
import pytest
from pathlib import Path
from ansible_collections.kubenode.connections.tests.cluster.real.recorded import Record, is_whole

@pytest.fixture(scope="module")
def record(request):
    record = Record({"node": "6.1.0"})
    yield record
    if is_whole(request.node):
        record.write(Path(__file__).with_name("proof.md"))
"""
TESTS = {
    "test_one.py": "def test_a(record): record('One', 'a', 'lost', 'kept')\ndef test_b(): pass\n",
    "test_two.py": "import os, pytest\ndef test_c(record):\n    record('Two', 'c', '')\n    exec(os.environ['DO'])\n",
}


@pytest.fixture
def record() -> Record:
    """Rows of two tables, in turns."""
    record = Record({"old": "5.10.0", "new": "6.1.0"})
    record("Idle\n  Silent for\n  15 s.", "psql", RESET, KEPT * 2, node="new")
    record("Dead", "a peer", "900 s", "60 s | at most")
    record("Idle\n  Silent for\n  15 s.", "psql", RESET * 2, KEPT + RESET, node="old")
    return record


def test_idle_times_that_ended_alike_are_counted() -> None:
    assert shown(RESET) == "7200/75/9: Connection reset by peer"
    assert shown(KEPT * 2 + RESET) == "6/1/3: answered (2 of 3); 7200/75/9: Connection reset by peer (1 of 3)"
    assert shown([]) == ""


def test_tables_and_rows_stand_in_the_order_in_which_they_were_seen_first(record: Record) -> None:
    introduction, _line, tables = record.section().partition("Nodes: old (`5.10.0`), new (`6.1.0`)\n")
    assert introduction.startswith(report.ON_CLUSTER)
    assert tables == (
        "\n### Idle\n\nSilent for 15 s.\n\n"
        "| what was done | node | before | after the role |\n| --- | --- | --- | --- |\n"
        "| psql | new | 7200/75/9: Connection reset by peer | 6/1/3: answered (2 of 2) |\n"
        "| psql | old | 7200/75/9: Connection reset by peer (2 of 2) | 6/1/3: answered (1 of 2); "
        "7200/75/9: Connection reset by peer (1 of 2) |\n"
        "\n### Dead\n\n"
        "| what was done | node | before | after the role |\n| --- | --- | --- | --- |\n"
        "| a peer |  | 900 s | 60 s \\| at most |\n"
    )


def test_each_of_the_two_writers_leaves_the_others_part_alone(record: Record, tmp_path: Path) -> None:
    page = tmp_path / "proof.md"
    page.write_text("# Old proof\n")
    report.write("# Proof\n", page)
    assert page.read_text() == "# Proof\n"
    for _time in range(2):
        record.write(page)
        assert page.read_text() == f"# Proof\n\n{record.section()}"
    report.write("# Newer proof\n", page)
    assert page.read_text() == f"# Newer proof\n\n{record.section()}"


def test_tables_of_earlier_runs_stay_until_they_are_seen_anew(record: Record, tmp_path: Path) -> None:
    page = tmp_path / "proof.md"
    page.write_text("# Proof\n")
    record.write(page)
    later = Record(record.releases)
    later("Idle\nSilent for 9 s.", "redis", RESET, KEPT)
    later("Lost", "one", "lost")
    later.write(page)
    dead = record.section().partition("\n### Dead")[2]
    idle, lost = later.section().partition("\n### Idle")[2].split("\n### Lost")
    introduction = later.section().partition("\n### ")[0]
    assert page.read_text() == f"# Proof\n\n{introduction}\n### Idle{idle}\n### Dead{dead}\n### Lost{lost}"


@pytest.mark.parametrize(
    ("options", "do", "written"),
    [
        ([], "pass", {"One", "Two"}),
        ([], "assert False", {"One"}),
        ([], "pytest.skip('')", {"One"}),
        ([], "raise KeyboardInterrupt", {"One"}),
        (["-k", "test_c or test_b"], "pass", {"Two"}),
        (["test_one.py", "test_two.py"], "pass", {"One", "Two"}),
        (["test_one.py", "test_two.py::test_c"], "pass", set()),
    ],
    ids=["all tests", "one failed", "one skipped", "interrupted", "one left out", "both files", "one test by its name"],
)
def test_the_page_is_written_after_whole_files_that_were_green(
    tmp_path: Path, options: list[str], do: str, written: set[str]
) -> None:
    for name, text in {"conftest.py": CONFTEST, "proof.md": "# Proof\n", **TESTS}.items():
        (tmp_path / name).write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    environment = {**os.environ, "DO": do, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    text = (tmp_path / "proof.md").read_text()
    assert {each for each in ("One", "Two") if f"### {each}" in text} == written
    assert text.startswith("# Proof\n")
