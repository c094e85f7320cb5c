# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of steps that fails says."""

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._converge.transaction import foresee, run

AS_BEFORE = " The node is as before: everything that this run had written was undone and read back."


def failure(steps):
    with pytest.raises(NodeError) as error:
        _both(steps)
    return str(error.value)


def _both(steps):
    foresee(steps)
    run(steps)
