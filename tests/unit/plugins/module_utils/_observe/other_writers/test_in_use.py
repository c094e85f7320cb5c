# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._observe.other_writers import (
    in_use as other_writers_in_use,
)
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    ALL_RIGHTS,
    run_without_rights,
)

PROGRAM = "usr/sbin/some"
PID = "/run/some.pid"


def in_use(root):
    problems = []
    used = other_writers_in_use.in_use("some", [PID], str(root), problems)
    assert problems == []
    return used


@pytest.mark.parametrize(
    ("files", "used"),
    [
        pytest.param([], False, id="nothing"),
        pytest.param([PROGRAM], False, id="installed, never started"),
        pytest.param([PROGRAM, "run/some.pid"], True, id="running"),
        pytest.param(["run/some.pid"], False, id="a pid file of something that is gone"),
        pytest.param([PROGRAM, "etc/systemd/system/multi-user.target.wants/some.service"], True, id="enabled"),
        pytest.param([PROGRAM, "usr/lib/systemd/system/x.target.wants/some.service"], True, id="by its vendor"),
        pytest.param([PROGRAM, "etc/systemd/system/multi-user.target.wants/someother.service"], False, id="another"),
        pytest.param(["usr/bin/some", "etc/rc3.d/S02some"], True, id="System V"),
        pytest.param(["usr/bin/some", "etc/rc3.d/K02some", "etc/rc6.d/S02some"], False, id="System V stops it"),
    ],
)
def test_whether_a_service_is_in_use(tmp_path, files, used):
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert in_use(tmp_path) is used


def test_a_masked_unit_is_not_started(tmp_path):
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / PROGRAM).write_text("")
    (wants / "some.service").write_text("")
    assert in_use(tmp_path) is True
    os.symlink("/dev/null", str(tmp_path / "etc/systemd/system/some.service"))
    assert in_use(tmp_path) is False


def test_what_may_not_be_seen_is_a_problem_unless_another_place_says_yes(tmp_path):
    for name in ("usr/bin/some", "etc/systemd/system/x", "srv/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    for name in ("etc/systemd/system", "srv"):
        (tmp_path / name).chmod(0)
    code = (
        "def ask():\n"
        f"    problems = []\n    used = other_writers_in_use.in_use('some', ['/srv/some.pid'], {str(tmp_path)!r}, "
        "problems)\n"
        "    print(used, *['|'.join(map(str, each)) for each in problems], sep='\\n')\n"
        f"import os\nask()\nos.chmod({str(tmp_path / 'srv')!r}, 0o700)\n"
        f"open({str(tmp_path / 'srv/some.pid')!r}, 'w').close()\nask()\n"
    )
    assert run_without_rights("_observe.other_writers.in_use as other_writers_in_use", code).split("\n") == [
        "False",
        f"/srv/some.pid|0|the file cannot be read: Permission denied|{ALL_RIGHTS}",
        f"/etc/systemd/system|0|the folder cannot be read: Permission denied|{ALL_RIGHTS}",
        "True",
    ]
