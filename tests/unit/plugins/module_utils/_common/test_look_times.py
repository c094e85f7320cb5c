# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.look_times import (
    check_sample,
    check_timeout,
    is_sample,
    is_timeout,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("seconds", "timeout", "sample"),
    [
        (0, False, True),
        (5e-324, True, True),
        (60, True, True),
        (60.001, False, False),
        (-0.001, False, False),
        (float("inf"), False, False),
        (NAN, False, False),
    ],
)
def test_what_may_be_asked_for(seconds, timeout, sample):
    assert (is_timeout(seconds), is_sample(seconds)) == (timeout, sample)
    for right, check in ((timeout, check_timeout), (sample, check_sample)):
        if right:
            check("a", seconds)
        else:
            with pytest.raises(NodeError):
                check("a", seconds)


@pytest.mark.parametrize(
    ("check", "seconds", "shown"), [(check_timeout, 0, "0"), (check_sample, 60.5, "60.5"), (check_timeout, NAN, "nan")]
)
def test_the_sentence_names_the_option_and_the_value(check, seconds, shown):
    with pytest.raises(NodeError) as caught:
        check("observe.kube_proxy_timeout", seconds)
    assert str(caught.value) == (
        f"observe.kube_proxy_timeout: {shown} is not between 0 and 60 seconds. Give a time in that range."
    )
