# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.guard_options import Guard
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.guard import guard_steps
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import FIRST_LINE
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import PATH as CONF_PATH
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_unit import (
    LINK,
    PROGRAM,
    SERVICE_PATH,
    TIMER_PATH,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import conf
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    program,
    read,
    tree,
    write,
)

PATHS = (PROGRAM, CONF_PATH, SERVICE_PATH, TIMER_PATH)
METRICS = "/run/metrics/kubenode.prom"
RECORD = "/var/lib/kubenode.connections/originals.json"


def guard(code=b"code", **more):
    return Settings(guard=Guard(conf(textfile="/run/metrics", **more), FIRST_LINE + code))


def booted():
    """A node with systemd; the log of what systemctl was asked for."""
    for folder in ("/run/systemd/system", "/etc/systemd/system", "/run/metrics"):
        os.makedirs(folder, exist_ok=True)
    return program("systemctl", "")


def there():
    return [os.path.lexists(path) for path in (*PATHS, LINK)]


@isolated
def test_the_guard_comes_is_started_and_goes_again():
    log, before = booted(), tree()
    assert converge(guard(), check=True).changed is True
    assert there() == [False] * 5
    assert converge(guard(), check=False).changed is True
    assert there() == [True] * 5
    assert os.readlink(LINK) == TIMER_PATH
    assert read(log) == b"daemon-reload\nrestart kubenode-guard.timer\n"
    assert converge(guard(), check=False).changed is False
    write(METRICS, b"kubenode_connections_guard_problems 0\n")
    assert converge(Settings(guard=()), check=False).changed is True
    both = b"kubenode-guard.timer kubenode-guard.service\n"
    assert read(log).endswith(b"daemon-reload\nstop " + both + b"reset-failed " + both)
    assert there() == [False] * 5
    os.unlink(log)
    after = {path: held for path, held in tree().items() if not path.startswith("/run")}
    assert after == {path: held for path, held in before.items() if not path.startswith("/run")}
    assert read(METRICS) is None


@isolated
def test_a_restore_takes_it_away_with_all_the_rest():
    booted()
    converge(guard()._replace(sysctls={"net.ipv4.tcp_keepalive_time": "600"}), check=False)
    assert converge(NOTHING, check=False).changed is True
    assert (there(), read(RECORD)) == ([False] * 5, None)


@isolated
def test_a_run_that_does_not_speak_of_it_leaves_it():
    booted()
    converge(guard(), check=False)
    converge(Settings(sysctls={"net.ipv4.tcp_keepalive_time": "600"}), check=False)
    assert there() == [True] * 5


@isolated
def test_it_goes_also_where_the_record_was_lost():
    booted()
    converge(guard(), check=False)
    os.unlink(RECORD)
    converge(NOTHING, check=False)
    assert there() == [False] * 5


@isolated
def test_metrics_of_somebody_else_stay():
    booted()
    converge(guard(), check=False)
    write(METRICS, b"kubenode_connections_verdict 1\n")
    converge(NOTHING, check=False)
    assert read(METRICS) == b"kubenode_connections_verdict 1\n"


@isolated
def test_what_the_owner_of_the_folder_has_put_in_the_place_of_the_metrics_is_not_waited_for():
    booted()
    converge(guard(), check=False)
    os.mkfifo(METRICS)
    converge(NOTHING, check=False)
    assert (os.path.exists(METRICS), there()) == (True, [False] * 5)


@isolated
def test_metrics_in_another_folder_do_not_stay_behind():
    booted()
    os.makedirs("/run/other")
    converge(guard(), check=False)
    write(METRICS, b"kubenode_connections_guard_problems 0\n")
    wanted = guard().guard
    converge(Settings(guard=wanted._replace(conf=wanted.conf._replace(textfile="/run/other"))), check=False)
    assert (read(METRICS), there()) == (None, [True] * 5)


@isolated
def test_a_timer_that_does_not_start_is_undone():
    booted()
    program("systemctl", '[ "$1" = daemon-reload ] || { echo no; exit 1; }')
    with pytest.raises(NodeError) as error:
        converge(guard(), check=False)
    assert str(error.value) == (
        "systemctl restart kubenode-guard.timer: it ended with status 1: no. See systemctl status. "
        "The node is as before: everything that this run had written was undone and read back."
    )
    assert there() == [False] * 5


@isolated
def test_the_program_is_shown_by_its_digest():
    booted()
    shown = converge(guard(b"\x00\xff"), check=True).after["files"]
    assert shown[PROGRAM].startswith(f"a program of {len(FIRST_LINE) + 2} bytes, SHA-256 ")
    assert '"node": "w1"' in shown[CONF_PATH]


@isolated
def test_a_folder_for_metrics_that_is_not_there():
    booted()
    os.rmdir("/run/metrics")
    with pytest.raises(NodeError) as error:
        guard_steps(guard().guard, {})
    assert str(error.value) == (
        "guard: textfile: /run/metrics is not there. Install node_exporter, or name the folder that it was given with "
        "--collector.textfile.directory."
    )


@isolated
def test_without_systemd_it_cannot_run():
    if os.path.isdir("/etc/systemd/system"):
        os.rmdir("/etc/systemd/system")
    with pytest.raises(NodeError, match="guard: no systemd is here, which would run it"):
        guard_steps(guard().guard, {})


@isolated
def test_where_there_is_none_nothing_has_to_go():
    assert guard_steps((), {}).steps == []
