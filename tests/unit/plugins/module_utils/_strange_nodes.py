# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes in namespaces of their own where files, keys and tables are there, missing or unreadable for real."""

import json
import pathlib

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
ISOLATED = ("unshare", "-pfmn", "--mount-proc")
PRELUDE = r"""
import json, os, subprocess
def mount(*arguments):
    subprocess.check_call(('mount',) + arguments)
def empty(*paths):
    for path in paths:
        mount('-t', 'tmpfs', '-o', 'mode=755', 'none', path)
def write(path, text):
    with open(path, 'wb') as handle:
        handle.write(text.encode('latin-1'))
def empty_net():
    # /proc/net without tables of IPVS, or with false ones; those of sockets stay.
    net = '/proc/%d/net/' % os.getpid()
    empty(net)
    for name in ('tcp', 'tcp6'):
        write(net + name, '')
        mount('--bind', '/proc/%d/task/%d/net/%s' % (os.getpid(), os.getpid(), name), net + name)
subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])
"""


IPVS = (
    "empty('/opt')\nempty_net()\n"
    "for name in ('ip_vs', 'ip_vs_conn'):\n"
    "    write('/proc/net/' + name, open({!r} + name + '.txt').read())\n"
    "write('/opt/ipvsadm', '#!/bin/sh\\n{}\\n')\nos.chmod('/opt/ipvsadm', 0o755)\n"
    "programs._PLACES = ('/opt', *programs._PLACES)\n"
)


def with_ipvs(kernel, ipvsadm):
    """Code that shows the tables of that kernel where this one has none; the socket option still says "not loaded"."""
    return IPVS.format(str(FIXTURES / kernel / "proc_net_"), ipvsadm)


def seen_after(code, rooms, read, prefix=ISOLATED):
    """What read prints as JSON, with these rooms imported, on a node that code has changed."""
    rooms += ", _kernel.programs"
    return json.loads(run_python(rooms, PRELUDE + code + "\n" + read, *prefix).splitlines()[-1])
