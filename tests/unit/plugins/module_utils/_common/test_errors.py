# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import errno
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import more_rights, refused
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import (
    ALL_RIGHTS,
    run_python,
    run_without_rights,
)


@pytest.mark.parametrize(
    ("number", "ends"),
    [
        pytest.param(
            errno.EROFS,
            "Read-only file system (EROFS). It is mounted read-only here (an unprivileged container, or a "
            "read-only image): "
            "run this on the host, or remount it writable.",
            id="read-only",
        ),
        pytest.param(
            errno.EPERM,
            "Operation not permitted (EPERM). " + more_rights(),
            id="not permitted",
        ),
        pytest.param(errno.EIO, "Input/output error (EIO). Mend that and run again.", id="anything else"),
    ],
)
def test_an_answer_of_the_kernel_says_what_and_what_to_do(number, ends):
    assert str(refused("/f: not written", OSError(number, os.strerror(number)))) == "/f: not written: " + ends


def test_an_error_without_a_number():
    assert (
        str(refused("/f: not written", OSError("odd")))
        == "/f: not written: odd (no error number). Mend that and run again."
    )


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_who_lacks_rights_is_told_which(number):
    code = f"import os\nprint(errors.remedy(OSError({number}, '')))"
    as_nobody = "os.setgroups([])\nos.setgid(65534)\nos.setuid(65534)\n"
    assert run_without_rights("_common.errors", code) == ALL_RIGHTS
    assert (
        run_python("_common.errors", f"import os\n{as_nobody}{code}") == "Run again as root (-e keepalive_become=true)."
    )


def test_more_rights_help_nobody_against_anything_else():
    for number in (errno.ETIMEDOUT, errno.EIO, errno.ENOENT, 0):
        assert run_without_rights("_common.errors", f"print(errors.remedy(OSError({number}, '')))").startswith(
            "Mend that"
        )


def test_only_a_value_can_be_one_that_the_kernel_refuses():
    error = OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    assert str(refused("/run/x.lock: not locked", error)).endswith(
        "Invalid argument (EINVAL). Mend that and run again."
    )
    assert str(refused("x: not set", error, of_value=True)).endswith(
        "Invalid argument (EINVAL). Choose a value that this kernel accepts."
    )
