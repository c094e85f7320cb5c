# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs node_settings on this node as Ansible does: the options are a line of a file, or all in turn until it is ended.

python3 converge_forever.py FILE [LINE]     with what it imports in PYTHONPATH
"""

import itertools
import os
import sys
from pathlib import Path

from ansible.module_utils import basic

from ansible_collections.kubenode.connections.plugins.modules import node_settings

basic._ANSIBLE_PROFILE = "legacy"  # as Ansible's own wrapper sets it, from ansible-core 2.19 on
lines = Path(sys.argv[1]).read_bytes().splitlines()
for line in [lines[int(sys.argv[2])]] if sys.argv[2:] else itertools.cycle(lines):
    child = os.fork()  # a module ends its process
    if child == 0:
        basic._ANSIBLE_ARGS = line
        node_settings.main()
    os.waitpid(child, 0)
