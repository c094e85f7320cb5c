# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program of the boot, run for real on cgroups of the test's own."""

import ast
import contextlib
import os
import subprocess
import sys

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._files.enforce_script import (
    script_text,
    script_values,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, cgroups, sock_ops
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_without_rights
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import isolated, mount
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._own_cgroup import (
    KERNEL,
    OURS,
    WANTED,
    attach,
    attach_alone,
    attach_foreign,
    attach_ours,
    connect,
    names,
    opened,
    own_cgroup,
)

PLAIN = Enforcement(WANTED)
EXCLUDING = Enforcement(WANTED, (443, 6443), ("/excluded", '/excluded/it\'s "so"', "/gone"))
STRANGE = ("/caf\u00e9", "/\U0001f600", r"/a\x2db.service", "/'''")


def write(folder, wanted):
    path = folder / "enforce.py"
    path.write_bytes(script_text(wanted, bpf.number()))
    return str(path)


def run(script, cgroup, status=0):
    """What it says."""
    process = subprocess.Popen([sys.executable, "-I", script, cgroup], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.communicate()[0].decode()
    assert process.returncode == status, said
    return said


def test_it_gives_new_connections_the_keepalive_and_is_the_program_that_a_run_attaches(tmp_path):
    with own_cgroup() as path:
        assert run(write(tmp_path, PLAIN), path) == ""
        assert connect(path) == [OURS, OURS]
        with opened(path) as cgroup:
            (found,), flags = bpf.attached(cgroup)
    assert found.tag in sock_ops.tags(sock_ops.code_of(sock_ops.program(WANTED)))
    assert (found.name, flags) == (sock_ops.name_of(WANTED), bpf.ALLOW_MULTI)


def test_it_excludes_ports_and_cgroups_and_tells_which_are_not_there(tmp_path):
    with own_cgroup('/excluded/it\'s "so"') as path:
        assert run(write(tmp_path, EXCLUDING), path) == (
            "the cgroup '/gone' is not excluded: No such file or directory\n"
        )
        assert connect(path) == [OURS, OURS]
        assert connect(path, port=443) == [KERNEL, KERNEL]
        assert connect(path + "/excluded") == [KERNEL, KERNEL]
        assert names(path + '/excluded/it\'s "so"') == [sock_ops.MARKER]


def test_a_second_run_changes_nothing_and_other_values_take_the_place_of_the_first(tmp_path):
    with own_cgroup("/excluded") as path:
        foreign = attach_foreign(path)
        for wanted in (EXCLUDING, PLAIN._replace(keepalive=Keepalive(300, 10, 9))):
            script = write(tmp_path, wanted)
            run(script, path)
            with opened(path) as cgroup:
                first = bpf.attached(cgroup)[0]
                run(script, path)
                assert bpf.attached(cgroup)[0] == first
                assert [each.name for each in first] == ["foreign", sock_ops.name_of(wanted.keepalive)]
                assert first[0] == foreign
        assert names(path + "/excluded") == [sock_ops.MARKER]


def test_of_two_of_ours_one_stays(tmp_path):
    with own_cgroup() as path:
        attach_ours(path)
        attach_ours(path)
        run(write(tmp_path, PLAIN), path)
        assert names(path) == [sock_ops.name_of(WANTED)]


@pytest.mark.parametrize("name", ["ka_of_others", sock_ops.MARKER, sock_ops.name_of(WANTED)[:-1]])
def test_programs_of_others_stay_whose_names_begin_alike(tmp_path, name):
    with own_cgroup("/excluded") as path:
        code = sock_ops.code_of(sock_ops.marker())
        attach(path, code, name)
        attach(path + "/excluded", code, "ka_of_others")
        run(write(tmp_path, PLAIN._replace(exclude_cgroups=("/excluded",))), path)
        assert names(path) == [name, sock_ops.name_of(WANTED)]
        assert names(path + "/excluded") == ["ka_of_others", sock_ops.MARKER]


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8"])
def test_a_cgroup_may_have_any_name_in_any_language(tmp_path, monkeypatch, locale):
    monkeypatch.setenv("LC_ALL", locale)
    with own_cgroup(*STRANGE) as path:
        script = write(tmp_path, PLAIN._replace(exclude_cgroups=(*STRANGE, "/gone\u00e9")))
        assert run(script, path) == "the cgroup '/gone\\xe9' is not excluded: No such file or directory\n"
        assert [names(path + each) for each in STRANGE] == [[sock_ops.MARKER]] * len(STRANGE)


def test_a_cgroup_that_cannot_be_excluded_keeps_nothing_else_from_being_done(tmp_path):
    with own_cgroup("/alone", "/excluded") as path:
        attach_alone(path + "/alone")
        script = write(tmp_path, PLAIN._replace(exclude_cgroups=("/alone", "/excluded")))
        assert run(script, path, status=1) == "the cgroup '/alone' is not excluded: Operation not permitted\n"
        assert [names(path + place) for place in ("/alone", "/excluded")] == [["alone"], [sock_ops.MARKER]]
        assert connect(path) == [OURS, OURS]


@isolated
def test_the_root_is_not_taken_for_found_where_a_part_of_it_covers_it():
    root = cgroups.mounted_at()
    text = {"__name__": "enforce"}
    exec(script_text(PLAIN, bpf.number()), text)
    with own_cgroup() as path:
        mount(path, root, "none", 4096)
        found = text["root"]()
        assert os.fstat(found).st_ino != os.stat(root).st_ino
        os.close(found)


def test_a_program_that_goes_away_meanwhile_does_not_matter():
    with own_cgroup() as path, opened(path) as cgroup:
        foreign = attach_foreign(path)
        text = {"__name__": "enforce"}
        exec(script_text(PLAIN, bpf.number()), text)
        ask = text["bpf"]

        def ask_and_detach(command, *arguments):
            answer = ask(command, *arguments)
            if command == 16 and foreign.name in names(path):
                with contextlib.closing(os.fdopen(bpf.opened(foreign.id))) as program:
                    bpf.detach(cgroup, program.fileno())
            return answer

        text["bpf"] = ask_and_detach
        text["attach"](cgroup, text["NAME"], text["PROGRAM"], text["NAMES"])
        assert names(path) == [sock_ops.name_of(WANTED)]


def test_no_link_leads_to_an_excluded_cgroup(tmp_path):
    (tmp_path / "cgroup").symlink_to("/")
    process = subprocess.Popen(
        [sys.executable, write(tmp_path, PLAIN._replace(exclude_cgroups=("/cgroup",))), str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.communicate()[0].decode() == (
        "the cgroup '/cgroup' is not excluded: Not a directory\n"
        "New TCP connections get no keepalive of 600/30/9: [Errno 9] Bad file descriptor. Look at dmesg and bpftool "
        "feature.\n"
    )
    assert process.returncode == 1


def test_without_rights_it_fails_and_says_so(tmp_path):
    script = write(tmp_path, PLAIN)
    code = f"import subprocess, sys\nprint(subprocess.Popen([sys.executable, {script!r}, '/']).wait())".format(
        script=script
    )
    assert run_without_rights("_common.ipvs", code) == (
        "New TCP connections get no keepalive of 600/30/9: [Errno 1] Operation not permitted. Look at dmesg and "
        "bpftool feature.\n1"
    )


@pytest.mark.parametrize("wanted", [PLAIN, EXCLUDING, PLAIN._replace(exclude_cgroups=STRANGE)])
def test_what_it_enforces_can_be_read_out_of_it(wanted):
    assert script_values(script_text(wanted, 321)) == wanted


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="no file"),
        pytest.param(b"", id="an empty one"),
        pytest.param(b"WANTED = json.loads(r'{}')\n", id="nothing in it"),
        pytest.param(b'WANTED = json.loads(r\'{"time": "x", "intvl": 1, "probes": 1}\')\n', id="no number"),
        pytest.param(b"WANTED = json.loads(r'{1}')\n", id="no JSON"),
        pytest.param(
            b'WANTED = json.loads(r\'{"time": 1, "intvl": 1, "probes": 1, "exclude_ports": 7}\')\n', id="no list"
        ),
    ],
)
def test_another_file_enforces_nothing(data):
    assert script_values(data) is None


def test_it_takes_the_standard_library_alone_and_its_lines_can_be_read():
    text = script_text(EXCLUDING, 321).decode()
    imported = [
        alias.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import) for alias in node.names
    ]
    assert imported == ["ctypes", "hashlib", "json", "os", "re", "struct", "sys"]
    assert [line for line in text.splitlines() if len(line) > 120 and not line.startswith("WANTED")] == []
    assert '\n    "b70700005802' in text
    assert text.startswith("# Written by kubenode.connections, ")
