# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes of small programs that stand for kubelet."""

import os

from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import Process
from ansible_collections.kubenode.connections.plugins.module_utils._observe.kubelet_version import read_version
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._small_programs import elf, put, running

PROGRAM = "/run/root/kubelet"
ASKED = "/run/open/asked"


def version_of(data, path=PROGRAM, change=None, **how):
    """What is read of a process of that program. It is changed after the start."""
    with running(put(path, data, **how)) as process:
        if change is not None:
            change()
        return read_version(Process(process.pid))


def asked_program(**how):
    """A program that leaves a trace where it is run, and answers nothing."""
    os.makedirs("/run/open")
    os.chmod("/run/open", 0o777)
    return elf(marker=ASKED, **how)
