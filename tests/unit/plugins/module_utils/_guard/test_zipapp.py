# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import ast
import os
import subprocess
import sys
import zipfile
from io import BytesIO

from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import conf_text, in_program
from ansible_collections.kubenode.connections.plugins.module_utils._guard import main, zipapp
from ansible_collections.kubenode.connections.plugins.module_utils._guard.zipapp import program, rooms
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import conf
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    write,
)

PROGRAM = "/run/guard.pyz"


def short(name):
    return name[len(zipapp._PACKAGE) + 1 :]


def test_it_has_what_it_imports_and_no_more():
    found = {short(name) for name in rooms()}
    assert {"_guard.main", "_observe.node", "_converge.run", "_common.metrics"} <= found
    assert [name for name in found if name.startswith("_pod_sysctls") or name == "_guard.zipapp"] == []


def test_the_same_sources_make_the_same_bytes():
    assert program(conf()) == program(conf())


def test_no_time_and_no_user_of_this_machine_is_in_it():
    with zipfile.ZipFile(BytesIO(program(conf()))) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.create_system, entry.external_attr) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 3, 0o100644 << 16)
    }


def test_each_room_is_source_that_parses():
    assert [name for name, source in rooms().items() if not ast.parse(source)] == []
    assert main.__name__ in rooms()


def test_the_plan_is_in_it():
    assert in_program(program(conf())) == conf_text(conf())


def start(*arguments):
    """As systemd does, in a place where no other process is."""
    command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", sys.executable, "-I", PROGRAM, *arguments]
    return subprocess.Popen(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


@isolated
def test_it_runs_alone_and_writes_the_metrics_of_this_node():
    """With nothing of the collection on its path: isolated mode, and another working directory."""
    write(PROGRAM, program(conf()))
    said = start("/run").communicate()[0].decode()
    text = (read("/run/kubenode.prom") or b"").decode()
    assert len(said.splitlines()) == 1, said
    assert 'kubenode_connections_guard_run_timestamp_seconds{node="w1"} ' in text, said
    assert 'kubenode_connections_keepalive_time_seconds{node="w1",when="live"} 7200' in text
    assert 'kubenode_connections_verdict{node="w1",verdict="unsafe"} 1' in text
    assert "idle limit 900 s, keepalive 7200/75/9" in said


@isolated
def test_a_run_that_has_begun_ends_with_the_file_it_began_with():
    """What it imports later is that of its own file, though another one has its name by then."""
    write(PROGRAM, program(conf()))
    undisturbed = start("/run").communicate()[0].decode()
    os.mkfifo("/run/wait")
    waits = b"import sys; open('/run/wait').read()\n"
    write(PROGRAM, with_room(program(conf()), "_observe/enforcement.py", waits))
    run = start("/run")
    with open("/run/wait", "w"):
        write(PROGRAM + ".new", b"another program")
        os.rename(PROGRAM + ".new", PROGRAM)
    assert run.communicate()[0].decode() == undisturbed


def with_room(data, name, before):
    """The program with a line before one of its rooms."""
    packed = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as archive, zipfile.ZipFile(packed, "w") as changed:
        for entry in archive.infolist():
            more = before if entry.filename.endswith(name) else b""
            changed.writestr(entry, more + archive.read(entry))
    return packed.getvalue()


@isolated
def test_somebody_who_starts_it_by_hand_is_told_what_is_missing():
    write(PROGRAM, program(conf()))
    run = start()
    said = run.communicate()[0].decode()
    assert (run.returncode, read("/run/kubenode.prom")) == (2, None)
    assert said == (
        "The folder for metrics is missing. /etc/systemd/system/kubenode-guard.service starts this with it.\n"
    )
