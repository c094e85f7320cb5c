# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import ast
import subprocess
import sys
import zipfile
from io import BytesIO

from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import conf_text
from ansible_collections.kubenode.connections.plugins.module_utils._guard import main, zipapp
from ansible_collections.kubenode.connections.plugins.module_utils._guard.zipapp import program, rooms
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import conf
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    read,
    write,
)


def short(name):
    return name[len(zipapp._PACKAGE) + 1 :]


def test_it_has_what_it_imports_and_no_more():
    found = {short(name) for name in rooms()}
    assert {"_guard.main", "_observe.node", "_converge.run", "_common.metrics"} <= found
    assert [name for name in found if name.startswith("_pod_sysctls") or name == "_guard.zipapp"] == []


def test_the_same_sources_make_the_same_bytes():
    assert program() == program()


def test_no_time_and_no_user_of_this_machine_is_in_it():
    with zipfile.ZipFile(BytesIO(program())) as archive:
        entries = archive.infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {(entry.date_time, entry.create_system, entry.external_attr) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 3, 0o100644 << 16)
    }


def test_each_room_is_source_that_parses():
    assert [name for name, source in rooms().items() if not ast.parse(source)] == []
    assert main.__name__ in rooms()


@isolated
def test_it_runs_alone_and_writes_the_metrics_of_this_node():
    """With nothing of the collection on its path: isolated mode, and another working directory."""
    path, of_node = write("/run/guard.pyz", program()), write("/run/guard.conf", conf_text(conf()))
    done = subprocess.Popen(
        [sys.executable, "-I", path, of_node], cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said = done.communicate()[0].decode()
    text = (read("/run/kubenode.prom") or b"").decode()
    assert len(said.splitlines()) == 1, said
    assert 'kubenode_connections_guard_run_timestamp_seconds{node="w1"} ' in text, said
    assert 'kubenode_connections_keepalive_time_seconds{node="w1",when="live"} 7200' in text
    assert 'kubenode_connections_verdict{node="w1",verdict="unsafe"} 1' in text
    assert "idle limit 900 s, keepalive 7200/75/9" in said


@isolated
def test_a_file_that_says_nothing_ends_it_with_what_to_do():
    path, of_node = write("/run/guard.pyz", program()), write("/run/guard.conf", b"# x\n{}\n")
    done = subprocess.Popen([sys.executable, "-I", path, of_node], stdout=subprocess.PIPE)
    said = done.communicate()[0].decode()
    assert (done.returncode, read("/run/kubenode.prom")) == (1, None)
    assert said == (
        "/run/guard.conf: it has not the keys node, interval_seconds, cure, textfile, plan. Run the role "
        "kubenode.connections.guard again.\n"
    )
