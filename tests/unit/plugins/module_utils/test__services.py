# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils import _services

PROGRAM = "usr/sbin/some"
PID = "/run/some.pid"


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
    assert _services.in_use("some", [PID], str(tmp_path)) is used


def test_a_masked_unit_is_not_started(tmp_path):
    wants = tmp_path / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / PROGRAM).write_text("")
    (wants / "some.service").write_text("")
    assert _services.in_use("some", [PID], str(tmp_path)) is True
    os.symlink("/dev/null", str(tmp_path / "etc/systemd/system/some.service"))
    assert _services.in_use("some", [PID], str(tmp_path)) is False
