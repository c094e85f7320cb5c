# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import stat

import pytest

from ansible_collections.kubenode.connections.plugins.plugin_utils._base.errors import PlanError
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.files import FORMATS, file_name, write_report
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.formats.junit import render_junit
from ansible_collections.kubenode.connections.plugins.plugin_utils._report.rerun_command import Rerun
from ansible_collections.kubenode.connections.tests.unit.plugins.plugin_utils._cluster import cluster, document

ALL = ["html", "json", "junit", "prometheus"]


def files(folder):
    """Every file under a folder, hidden ones too, by its relative name."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_all_formats_and_their_files(tmp_path):
    folder = tmp_path / "not" / "there"
    paths = write_report(str(folder), ALL, document())
    names = [
        "report.html",
        "report.json",
        "report.junit.xml",
        "report.prom",
        "nodes/worker1.prom",
        "nodes/worker3.prom",
        "nodes/worker2.prom",
    ]
    assert paths == [str(folder / name) for name in names]
    assert files(folder) == sorted(names)
    assert json.loads((folder / "report.json").read_bytes()) == document()
    assert (folder / "report.junit.xml").read_text(encoding="ascii") == render_junit(document())
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o000], ids=oct)
@pytest.mark.parametrize(
    ("mode", "file", "folder"),
    [
        pytest.param(None, 0o600, 0o700, id="for nobody else"),
        pytest.param("0640", 0o640, 0o750, id="for a group"),
        pytest.param("0644", 0o644, 0o755, id="for all"),
    ],
)
def test_who_may_read_the_files_and_enter_their_folders_whatever_the_umask(tmp_path, mask, mode, file, folder):
    before = os.umask(mask)
    try:
        paths = write_report(str(tmp_path / "a" / "b"), ALL, document(), mode=mode)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(os.stat(path).st_mode) for path in paths} == {file}
    folders = [tmp_path / name for name in ("a", "a/b", "a/b/nodes")]
    assert {stat.S_IMODE(os.stat(each).st_mode) for each in folders} == {folder}


def test_a_mode_that_is_none_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(PlanError, match="keepalive_report_mode: 'rw' is not the mode of a file"):
        write_report(str(tmp_path), ALL, document(), mode="rw")
    assert files(tmp_path) == []


def test_a_link_for_the_files_of_nodes_leads_nowhere(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "nodes").symlink_to("elsewhere")
    with pytest.raises(PlanError, match=r"nodes/worker1\.prom cannot be written \(Not a directory\)"):
        write_report(str(tmp_path), ["prometheus"], document())
    assert files(tmp_path) == ["report.prom"]


def test_a_file_of_before_is_replaced_and_who_reads_it_keeps_what_he_has(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("before", encoding="ascii")
    with path.open(encoding="ascii") as reader:
        write_report(str(tmp_path), ["json"], document())
        assert reader.read() == "before"
    assert files(tmp_path) == ["report.json"]


def test_the_options_of_the_run_are_in_the_commands_of_the_page_and_in_no_other_file(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    write_report(str(one), ALL, document(), Rerun(("-i hosts",)))
    write_report(str(other), ALL, document())
    pages = [(folder / "report.html").read_text(encoding="utf-8") for folder in (one, other)]
    assert ["kubenode.connections.apply -i hosts" in page for page in pages] == [True, False]
    assert ["kubenode.connections.apply -i INVENTORY" in page for page in pages] == [False, True]
    for name in [name for name in files(one) if name != "report.html"]:
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_no_format_writes_no_file(tmp_path):
    assert write_report(str(tmp_path), [], document()) == []
    assert files(tmp_path) == []


def test_where_one_format_cannot_be_rendered_nothing_is_written(tmp_path, monkeypatch):
    def fail(_document, _options, _language):
        raise RuntimeError("a bug")

    monkeypatch.setitem(FORMATS, "junit", fail)
    with pytest.raises(RuntimeError, match="a bug"):
        write_report(str(tmp_path), ["json", "junit"], document())
    assert files(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("", encoding="ascii")
    with pytest.raises(PlanError) as caught:
        write_report(str(tmp_path / "file" / "folder"), ["json"], document())
    assert str(caught.value) == (
        f"keepalive_report_dir: {tmp_path}/file/folder/report.json cannot be written (Not a directory). "
        "Give a folder on the controller that the user who runs the playbook may write to."
    )


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path):
    (tmp_path / "report.json").mkdir()
    with pytest.raises(PlanError, match=r"report\.json cannot be written \(Is a directory\)"):
        write_report(str(tmp_path), ["json"], document())
    assert files(tmp_path) == []


def test_text_that_is_no_unicode_is_written_even_so(tmp_path):
    several = cluster()
    several["worker1"]["hostname"] = "a\udc80\033[2J"
    write_report(str(tmp_path), ALL, document(several))
    assert (tmp_path / "report.html").read_bytes()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("worker1.example.org", "worker1.example.org", id="a host name is its own"),
        pytest.param("../../etc/passwd", "_.._etc_passwd-3754d6cb", id="no way out of the folder"),
        pytest.param(".", "node-cdb4ee2a", id="the folder itself"),
        pytest.param("..", "node-5ec1f7e7", id="the folder above"),
        pytest.param("a b", "a_b-c8687a08", id="a blank"),
        pytest.param("a/b", "a_b-c14cddc0", id="a slash is told from a blank"),
        pytest.param("a\n", "a_-87428fc5", id="a line feed at the end"),
        pytest.param("é\udc80", "__-338ef159", id="no ASCII and no Unicode"),
        pytest.param("n" * 300, "n" * 100 + "-230b0774", id="longer than a file's name may be"),
        pytest.param("", "node-e3b0c442", id="no name"),
    ],
)
def test_the_file_of_a_node(name, expected):
    assert file_name(name) == expected
