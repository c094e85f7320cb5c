# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real processes that are, or claim to be, kube-proxy, in namespaces of their own."""

import json

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import run_python

ISOLATED = ("unshare", "-pfmn", "--mount-proc")

PRELUDE = r"""
import json, os, shutil, socket, subprocess, sys, time
subprocess.check_call(['ip', 'link', 'set', 'lo', 'up'])
subprocess.check_call(['mount', '-t', 'tmpfs', '-o', 'mode=755', 'none', '/opt'])
started = []
NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
SERVER = '''
import http.server, json, socket, sys
host, port, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        config = {'kubeproxy.config.k8s.io': {'IPVS': {'TCPTimeout': '12s'}, 'Conntrack': {'MaxPerCore': 1000}}}
        body = {'/proxyMode': mode, '/configz': json.dumps(config)}.get(self.path, '')
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body.encode())
    def log_message(self, *_arguments):
        pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6 if ':' in host else socket.AF_INET
server = Server((host, port), Answer)
print('listens', flush=True)
server.serve_forever()
'''
def program(name):
    # A Python of that name that every user may run.
    path = '/opt/' + name
    if not os.path.exists(path):
        shutil.copy(os.path.realpath('/usr/bin/python3'), path)
        os.chmod(path, 0o755)
    return path
def start(name, *arguments, prefix=(), **options):
    command = [*prefix, program(name), *arguments]
    options.update(env=dict(os.environ, PYTHONHOME='/usr'), cwd='/opt')
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
    process.stdout.readline()
    started.append(process.pid)
    return process
def waiting(name, *arguments, prefix=(), **options):
    # A process that listens nowhere, with these arguments.
    return start(name, '-c', 'print(flush=True); __import__("sys").stdin.read()', *arguments, prefix=prefix, **options)
def listening(name, host='127.0.0.1', port=10249, mode='ipvs', prefix=()):
    return start(name, '-c', SERVER, host, str(port), mode, prefix=prefix)
def told(address=None, seconds=3.0):
    seen = dict(kube_proxy.read(processes.find(kube_proxy.WANTED), address, seconds)._asdict())
    for number, pid in enumerate(started, start=1):
        seen['error'] = seen['error'] and seen['error'].replace('rocess %d ' % pid, 'rocess #%d ' % number)
        seen['pid'] = '#%d' % number if seen['pid'] == pid else seen['pid']
    print(json.dumps(seen))
"""


def seen_after(code):
    """What kube_proxy.read() tells after the code, which calls told() last; #1 is the first process it started.

    The room that asks is there before, because code may give up the right to read where it lies.
    """
    rooms = "_kernel.processes, _observe.kube_proxy, _observe.kube_proxy_answer"
    return json.loads(run_python(rooms, PRELUDE + code, *ISOLATED).splitlines()[-1])
