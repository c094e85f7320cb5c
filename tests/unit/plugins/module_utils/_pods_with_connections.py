# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pods with open connections, as a kubelet leaves them, on a machine without other processes and files of its own."""

import json

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils import _pod_processes
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import MODULE_UTILS, run_python

FAR = "192.0.2.2:5432"

# Each word is a connection of its own, opened with the kernel's default: late, silent (without SO_KEEPALIVE), own (with
# a TCP_KEEPIDLE of its own), loopback (late, through loopback).
PROGRAM = r"""
import socket, subprocess, sys, time
subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])
for address in ('192.0.2.1', '192.0.2.2'):
    subprocess.check_call(['ip', 'address', 'add', address + '/32', 'dev', 'lo'])
server = socket.socket()
server.bind(('0.0.0.0', 5432))
server.listen(9)
kept = []
for word in sys.argv[1:]:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(word != 'silent'))
    if word == 'own':
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 7000)
    if word != 'loopback':
        client.bind(('192.0.2.1', 0))
    client.connect(('127.0.0.1' if word == 'loopback' else '192.0.2.2', 5432))
    kept += [client, server.accept()[0]]
print('ready', flush=True)
time.sleep(600)
"""

_IMPORTS = f"""
from {MODULE_UTILS}._common.errors import NodeError
from {MODULE_UTILS}._common.keepalive import Keepalive
from {MODULE_UTILS}._converge import open_connections, rearmed_rows, rearming_children, run
from {MODULE_UTILS}._converge.options import NOTHING, Settings
from {MODULE_UTILS}._converge.rearming_options import OpenConnections
from {MODULE_UTILS}._kernel import inet_diag, namespaces
from {MODULE_UTILS}._converge.steps import pods as steps_pods
from {MODULE_UTILS}._observe.ours import PATH as RECORD
PROGRAM = {PROGRAM!r}
WISH = OpenConnections('rearm', Keepalive(600, 30, 9), 900, 900)
"""

PRELUDE = r"""
os.makedirs(os.path.join(LOGS, 'shop_web-0_' + UID)); os.makedirs(os.path.join(LOGS, 'shop_db-0_' + OTHER_UID))
for folder in ('/etc/sysctl.d', '/etc/modules-load.d', '/run', '/var/lib'):
    if os.path.isdir(folder):
        subprocess.check_call(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'none', folder])
def pod(uid, *words):
    process = start('unshare', '-n', sys.executable, '-c', PROGRAM, *words)
    into(process, V1, 'kubepods/pod{}/{}'.format(uid, '5c' * 32))
    return process
def gaps(process):
    # The seconds from the last packet to the end of each keepalive timer in the namespace of a process.
    def look(pids):
        return {'gaps': sorted(round((each.expires_ms + each.idle_ms) / 1000) for each in inet_diag.read()
                               if each.timer == inet_diag.TIMER_KEEPALIVE and each.remote_port == 5432)}
    inode = os.stat('/proc/%d/ns/net' % process.pid).st_ino
    return [space.inside['gaps'] for space in namespaces.read(inside=look).spaces if space.inode == inode][0]
def rearm(wish=WISH, check=False):
    found = open_connections.rearm(wish, {}, check, log_directory=LOGS)
    print(json.dumps([found.rearmed, found.plain, found.notes]))
def names_from_logs():
    # From now on converge() takes the pods' names from LOGS.
    real = open_connections.rearm
    open_connections.rearm = lambda *given: real(*given, log_directory=LOGS)
    real_pods = steps_pods.pods_of
    steps_pods.pods_of = lambda spaces: real_pods(spaces, log_directory=LOGS)
def converge(settings, check=False):
    print(json.dumps(run.converge(settings, check)._asdict()))
"""


def lines_of(tmp_path, code):
    """What the code prints, each line as JSON, with the preludes of this and of _pod_processes at hand."""
    known = f"UID, OTHER_UID = {_pod_processes.UID!r}, {_pod_processes.OTHER_UID!r}\n"
    script = _pod_processes.PRELUDE.replace("sys.stdin.read()", repr(known + _IMPORTS + PRELUDE + code))
    script = script.replace("sys.argv[1]", repr(str(tmp_path)))
    output = run_python("_observe.connections.pods", script, *_pod_processes.ISOLATED)
    return [json.loads(line) for line in output.splitlines()]
