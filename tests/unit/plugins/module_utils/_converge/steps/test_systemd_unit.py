# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os
import subprocess
import sys

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.steps.systemd_unit import unit_steps
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import run
from ansible_collections.kubenode.connections.plugins.module_utils._files import systemd_units
from ansible_collections.kubenode.connections.plugins.module_utils._files.ipvs_unit import (
    LINK,
    PATH,
    unit_seconds,
    unit_text,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated_node import (
    isolated,
    program,
    read,
    write,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._units import systemd_words


@isolated
def test_a_python_that_systemd_would_not_start_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "executable", '/opt/"py"/python3')
    with pytest.raises(NodeError) as error:
        unit_steps({"tcp": 8284}, {})
    assert str(error.value) == (
        "Python: its path '/opt/\"py\"/python3' cannot stand in a systemd unit. Set ansible_python_interpreter "
        "to a plain "
        "absolute path, or ask for no unit (persistent false)."
    )


@pytest.mark.parametrize(
    ("leads_to", "named"),
    [
        pytest.param("/run/python3.11", "/run/python3", id="the same one by a name that stays"),
        pytest.param("/run/python3.13", "/run/python3.11", id="another one"),
        pytest.param("/run/none", "/run/python3.11", id="no program"),
    ],
)
@isolated
def test_the_python_of_the_unit(monkeypatch, leads_to, named):
    os.makedirs(os.path.dirname(LINK))
    for path in ("/run/python3.11", "/run/python3.13"):
        os.chmod(write(path), 0o755)
    os.symlink(leads_to, "/run/python3")
    monkeypatch.setattr(systemd_units, "_STABLE", ("/run/missing", "/run/python3"))
    monkeypatch.setattr(sys, "executable", "/run/python3.11")
    run(unit_steps({"tcp": 8284}, {}).steps)
    assert f"\nExecStart={named} -c ".encode() in read(PATH)


@isolated
def test_a_python_that_others_can_change_is_not_started_at_each_boot(monkeypatch):
    os.makedirs(os.path.dirname(LINK))
    for path in ("/run/user/python3", "/run/python3"):
        os.chmod(write(path), 0o755)
    os.chown("/run/user", 1000, 1000)
    monkeypatch.setattr(sys, "executable", "/run/user/python3")
    monkeypatch.setattr(systemd_units, "_STABLE", ("/run/missing", "/run/python3"))
    run(unit_steps({"tcp": 8284}, {}).steps)
    assert b"\nExecStart=/run/python3 -c " in read(PATH)
    os.chmod("/run/python3", 0o775)
    with pytest.raises(NodeError) as error:
        unit_steps({"tcp": 8284}, {})
    assert str(error.value) == (
        "Python: /run/user belongs to user 1000 (mode 0755), root is expected: systemd would start it as root at each "
        "boot. Set ansible_python_interpreter to the distribution's own, or ask for no unit (persistent false)."
    )


@isolated
def test_a_unit_that_names_the_version_is_changed_to_the_name_that_stays_once(monkeypatch):
    os.makedirs(os.path.dirname(LINK))
    os.chmod(write("/run/python3.11"), 0o755)
    os.symlink("python3.11", "/run/python3")
    monkeypatch.setattr(sys, "executable", "/run/python3.11")
    older = unit_steps({"tcp": 8284}, {})
    run(older.steps)
    monkeypatch.setattr(systemd_units, "_STABLE", ("/run/python3",))
    records = {step.name: step.target.final for step in older.recorded}
    newer = unit_steps({"tcp": 8284}, records)
    assert [step.changed for step in newer.recorded] == [True, False]
    run(newer.steps)
    records.update({step.name: step.target.final for step in newer.recorded})
    assert [step.changed for step in unit_steps({"tcp": 8284}, records).steps] == [False] * 4
    run(unit_steps({}, records).steps)
    assert (read(PATH), os.path.lexists(LINK)) == (None, False)


def test_the_command_of_the_unit_is_a_working_program():
    command = unit_text({"tcp": 900}, sys.executable, None).decode().split("ExecStart=")[1].split("\n")[0]
    done = subprocess.Popen(["unshare", "-n", *systemd_words(command)], stderr=subprocess.PIPE)
    said = done.communicate()[1].decode()
    no_ipvs = "[Errno 92] Protocol not available" in said and not os.path.exists("/proc/net/ip_vs")
    assert done.returncode == 0 or no_ipvs, said


@isolated
def test_the_unit_is_written_enabled_and_read_by_systemd_and_goes_again():
    os.makedirs("/run/systemd/system")
    os.makedirs(os.path.dirname(LINK))
    log = program("systemctl", "")
    made = unit_steps({"tcp": 8284}, {})
    run(made.steps)
    assert unit_seconds(read(PATH)) == {"tcp": 8284}
    assert os.readlink(LINK) == PATH
    assert read(log) == b"daemon-reload\n"
    records = {step.name: step.target.final for step in made.recorded}
    assert [step.changed for step in unit_steps({"tcp": 8284}, records).steps] == [False] * 4
    run(unit_steps({}, records).steps)
    assert (read(PATH), os.path.lexists(LINK)) == (None, False)
    assert read(log) == b"daemon-reload\n" * 2 + b"stop kubenode-ipvs-timeouts.service\n"


@isolated
def test_when_systemd_cannot_read_it_the_unit_is_undone():
    os.makedirs("/run/systemd/system")
    os.makedirs(os.path.dirname(LINK))
    log = program("systemctl", f"[ -e {PATH} ] || exit 0; echo no bus; exit 1")
    with pytest.raises(NodeError) as error:
        run(unit_steps({"tcp": 8284}, {}).steps)
    assert str(error.value) == (
        "systemctl daemon-reload: it ended with status 1: no bus. See systemctl status. "
        "The node is as before: everything that this run had written was undone and read back."
    )
    assert (read(PATH), os.path.lexists(LINK), read(log)) == (None, False, b"daemon-reload\n" * 2)


@isolated
def test_where_systemd_is_installed_but_not_running_nothing_is_reloaded():
    os.makedirs(os.path.dirname(LINK))
    log = program("systemctl", "")
    run(unit_steps({"tcp": 8284}, {}).steps)
    assert (read(PATH) is None, read(log)) == (False, None)


@isolated
def test_without_systemd_a_note_says_that_the_timeouts_do_not_last():
    os.rmdir("/etc/systemd/system")
    steps, recorded, notes = unit_steps({"tcp": 8284}, {})
    assert (steps, recorded) == ([], [])
    assert notes == [
        "No systemd is installed here (/etc/systemd/system is not there): the IPVS timeouts last until the next boot."
    ]


@isolated
def test_no_timeouts_and_no_unit_of_ours_is_nothing_to_do():
    write(PATH, b"foreign")
    assert unit_steps({}, {}) == ([], [], [])


@isolated
def test_a_unit_that_someone_else_has_edited_stays_with_a_note():
    os.makedirs(os.path.dirname(LINK))
    made = unit_steps({"tcp": 8284}, {})
    run(made.steps)
    write(PATH, b"edited")
    back = unit_steps({}, {step.name: step.target.final for step in made.recorded})
    run(back.steps)
    assert (read(PATH), os.path.lexists(LINK)) == (b"edited", False)
    assert back.notes == [
        PATH + " was edited by someone else since it was written here, so it stays. Remove it if it is of no use."
    ]


@isolated
def test_a_file_in_place_of_the_link_is_refused():
    write(LINK, b"a file")
    with pytest.raises(NodeError) as error:
        unit_steps({"tcp": 8284}, {})
    assert str(error.value) == LINK + ": is not a symbolic link, which is expected there. Move it away."
