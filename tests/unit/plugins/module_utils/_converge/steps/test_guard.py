# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import shlex
import subprocess

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.guard_options import Guard
from ansible_collections.kubenode.connections.plugins.module_utils._converge.options import NOTHING, Settings
from ansible_collections.kubenode.connections.plugins.module_utils._converge.run import converge
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.guard import guard_steps
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_conf import FIRST_LINE
from ansible_collections.kubenode.connections.plugins.module_utils._files.guard_unit import (
    LINK,
    PROGRAM,
    SERVICE_PATH,
    TIMER_PATH,
)
from ansible_collections.kubenode.connections.plugins.module_utils._guard import zipapp
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._guard._watched import conf
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    program,
    read,
    tree,
    write,
)

PATHS = (PROGRAM, SERVICE_PATH, TIMER_PATH)
FOLDER = "/run/metrics"
METRICS = FOLDER + "/kubenode.prom"
RECORD = "/var/lib/kubenode.connections/originals.json"


def guard(code=None, cure=False, textfile=FOLDER):
    return Settings(guard=Guard(zipapp.program(conf()) if code is None else FIRST_LINE + code, 300, cure, textfile))


def booted():
    """A node with systemd; the log of what systemctl was asked for."""
    for folder in ("/run/systemd/system", "/etc/systemd/system", FOLDER):
        os.makedirs(folder, exist_ok=True)
    return program("systemctl", "")


def there():
    return [os.path.lexists(path) for path in (*PATHS, LINK)]


@isolated
def test_the_guard_comes_is_started_and_goes_again():
    log, before = booted(), tree()
    assert converge(guard(), check=True).changed is True
    assert there() == [False] * 4
    assert converge(guard(), check=False).changed is True
    assert there() == [True] * 4
    assert os.readlink(LINK) == TIMER_PATH
    assert read(log) == b"daemon-reload\nrestart kubenode-guard.timer\n"
    assert converge(guard(), check=False).changed is False
    write(METRICS, b"kubenode_connections_guard_problems 0\n")
    assert converge(Settings(guard=()), check=False).changed is True
    both = b"kubenode-guard.timer kubenode-guard.service\n"
    assert read(log).endswith(b"daemon-reload\nstop " + both + b"reset-failed " + both)
    assert there() == [False] * 4
    os.unlink(log)
    after = {path: held for path, held in tree().items() if not path.startswith("/run")}
    assert after == {path: held for path, held in before.items() if not path.startswith("/run")}
    assert read(METRICS) is None


@isolated
def test_a_restore_takes_it_away_with_all_the_rest():
    booted()
    converge(guard()._replace(sysctls={"net.ipv4.tcp_keepalive_time": "600"}), check=False)
    assert converge(NOTHING, check=False).changed is True
    assert (there(), read(RECORD)) == ([False] * 4, None)


@isolated
def test_a_run_that_does_not_speak_of_it_leaves_it():
    booted()
    converge(guard(), check=False)
    converge(Settings(sysctls={"net.ipv4.tcp_keepalive_time": "600"}), check=False)
    assert there() == [True] * 4


@isolated
def test_it_goes_also_where_the_record_was_lost():
    booted()
    converge(guard(), check=False)
    os.unlink(RECORD)
    converge(NOTHING, check=False)
    assert there() == [False] * 4


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
    assert (os.path.exists(METRICS), there()) == (True, [False] * 4)


@isolated
def test_metrics_in_another_folder_do_not_stay_behind():
    booted()
    os.makedirs("/run/other")
    converge(guard(), check=False)
    write(METRICS, b"kubenode_connections_guard_problems 0\n")
    converge(guard(textfile="/run/other"), check=False)
    assert (read(METRICS), there()) == (None, [True] * 4)


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
    assert there() == [False] * 4


@isolated
def test_the_program_is_shown_by_its_digest_and_the_plan_in_it():
    booted()
    shown = converge(guard(), check=True).after["files"][PROGRAM].splitlines()
    assert shown[0].startswith(f"a program of {len(guard().guard.program)} bytes, SHA-256 ")
    assert ' "node": "w1",' in shown


@isolated
def test_a_folder_for_metrics_that_is_not_there():
    booted()
    os.rmdir(FOLDER)
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


def run_as_loaded():
    """What the service says that systemd has loaded: where it may not write, nobody can. No other process is there."""
    text = (read("/run/loaded") or b"").decode()
    setting = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    writable = [path.lstrip("-") for path in shlex.split(setting["ReadWritePaths"])]
    sealed = {"/etc", "/run", "/var/lib", *(["/proc/sys"] if setting["ProtectKernelTunables"] == "yes" else [])}
    seal = [f"mkdir -p {path}; mount --bind {path} {path}" for path in [*sealed, *writable]]
    seal += [f"mount -o remount,bind,ro {path}" for path in sealed.difference(writable)]
    run = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--mount-proc",
        "sh",
        "-ec",
        "; ".join([*seal, "exec " + setting["ExecStart"]]),
    ]
    done = subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.communicate()[0].decode()


@isolated
def test_the_timer_may_fire_between_any_two_steps():
    booted()
    program("systemctl", f'[ "$1" != daemon-reload ] || cp {SERVICE_PATH} /run/loaded')
    os.makedirs("/run/other")
    converge(guard(), check=False)
    said = set()
    for wanted in (guard(cure=True, textfile="/run/other"), guard(cure=True), guard()):
        steps = [step for step in guard_steps(wanted.guard, {}).steps if step.changed]
        assert len(steps) > 2
        for step in steps:
            step.apply()
            said.add(run_as_loaded())
    assert len(said) == 1
    assert said.pop().startswith("unsafe: idle limit 900 s, keepalive 7200/75/9, ")
