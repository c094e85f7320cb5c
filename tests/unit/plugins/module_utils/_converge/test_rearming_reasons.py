# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import errno
import os

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._converge import rearming_reasons as reasons


def error(number):
    return OSError(number, os.strerror(number))


TEXTS = [
    (
        reasons.of_duplicate(error(errno.ENOSYS), False),
        ("kernel", f"kernel {os.uname().release} has no pidfd_getfd, which came with 5.6"),
    ),
    (
        reasons.of_duplicate(error(errno.EPERM), True),
        ("ptrace_scope", "kernel.yama.ptrace_scope is 3, at which nobody may, until the next boot"),
    ),
    (
        reasons.of_duplicate(error(errno.EACCES), False),
        (
            "rights",
            (
                "pidfd_getfd answers Permission denied (EACCES): this process may not trace the one that has them open "
                "(a user namespace, a container or a security module)"
            ),
        ),
    ),
    (reasons.of_duplicate(error(errno.ESRCH), True), ("gone", "they were closed while this looked")),
    (reasons.of_duplicate(error(errno.EBADF), True), ("gone", "they were closed while this looked")),
    (
        reasons.of_duplicate(error(errno.ENFILE), True),
        ("refused", "pidfd_getfd answers Too many open files in system (ENFILE)"),
    ),
    (
        reasons.own_values(Keepalive(7200, 75, 9), Keepalive(600, 30, 9)),
        ("own_values", "the program has set 7200/75/9 itself, its network namespace has 600/30/9"),
    ),
    (
        reasons.forgotten(),
        ("forgotten", "they have been idle for longer than the limit, so they are forgotten already"),
    ),
    (reasons.busy(), ("busy", "data was under way at each look, so that their timers could not be seen")),
    (
        reasons.user_timeout(20000, Keepalive(600, 30, 9)),
        (
            "user_timeout",
            "the program has set TCP_USER_TIMEOUT to 20000 ms, at which 600/30/9 ends them too soon",
        ),
    ),
    (
        reasons.net_cls(),
        ("net_cls", "a control group (net_cls or net_prio) tags their packets, and would not any more"),
    ),
    (reasons.turned_off(), ("own_values", "the program has turned SO_KEEPALIVE off itself")),
    (reasons.no_process(False), ("no_process", "no process of their network namespace has them open")),
    (reasons.no_process(True), ("rights", "the files of some processes may not be seen")),
    (
        reasons.not_searched(9),
        ("unlisted", "their processes were not found within the time or the 9 open files for one search"),
    ),
    (
        reasons.multipath(),
        ("refused", "they are paths of Multipath TCP, whose options are those of all paths together"),
    ),
    (reasons.of_option(error(errno.ENOTSOCK)), ("gone", "they were closed while this looked")),
    (
        reasons.of_option(error(errno.EPERM)),
        ("refused", "an option of the socket could not be read or set: Operation not permitted (EPERM)"),
    ),
    (
        reasons.not_kept("7200/75/9", Keepalive(600, 30, 9)),
        ("refused", "they hold 7200/75/9 after 600/30/9 was set"),
    ),
    (
        reasons.beyond(20000),
        ("unlisted", "more than 20000 of one network namespace are not looked at in one run"),
    ),
    (reasons.too_slow("60 s were over"), ("unlisted", "60 s were over")),
]


@pytest.mark.parametrize(("reason", "expected"), TEXTS)
def test_a_reason_has_an_id_and_says_what_was_observed(reason, expected):
    assert reason == expected


def test_each_reason_but_that_they_are_gone_has_something_to_do():
    assert {reason.id for reason, _expected in TEXTS} - set(reasons.TODO) == {"gone"}
    assert all(text.endswith(".") for text in reasons.TODO.values())
