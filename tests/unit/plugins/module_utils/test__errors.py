# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import errno
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._errors import refused


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
            "Operation not permitted (EPERM). Run as root; see whether the file is immutable (lsattr) or the "
            "container lacks "
            "the capability.",
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
