# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes with open connections of their own, on a machine without other processes. Nothing of it is faked."""

from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils import _real_sockets
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._isolated import MODULE_UTILS

ISOLATED = ("unshare", "-pfmn", "--mount-proc", "--kill-child")
"""All processes of the code end with it."""

VIP = "10.96.0.10"
FAR = "192.0.2.2"

_IMPORTS = f"""
import errno, signal, sys
from {MODULE_UTILS}._common.keepalive import Keepalive
from {MODULE_UTILS}._converge import rearming
from {MODULE_UTILS}._kernel import inet_diag, pidfd, socket_holders, socket_keepalive
from {MODULE_UTILS}._observe.connections import at_risk
VIP, FAR, NEAR = '{VIP}', '{FAR}', '192.0.2.1'
"""

PRELUDE = r"""
for address in (VIP, FAR, NEAR):
    subprocess.check_call(['ip', 'address', 'add', address + '/32', 'dev', 'lo'])
NAMES = {(socket.inet_aton(VIP), 80): VIP + ':80'}
WANTED = Keepalive(600, 30, 9)
clients = []
class Client:
    # A process of its own with a connection; act() has it do what the test says, as a function of its socket.
    def __init__(self, server, host=VIP, keepalive=True, own=(), near=None):
        self._act = socket.socketpair()
        child = os.fork()
        if child == 0:
            try:
                self._be(host, server.getsockname()[1], keepalive, own, near)
            finally:
                os._exit(1)
        self.pid = child
        self.accepted = server.accept()[0]
        self.inode, self.descriptor = json.loads(self._act[0].recv(100).decode())
        clients.append(self)
    def _be(self, host, port, keepalive, own, near):
        mine = socket.socket()
        mine.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(keepalive))
        for option, value in zip((socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT), own):
            mine.setsockopt(socket.IPPROTO_TCP, option, value)
        if near:
            mine.bind((near, 0))
        mine.connect((host, port))
        told = [os.fstat(mine.fileno()).st_ino, mine.fileno()]
        self._act[1].send(json.dumps(told).encode())
        while True:
            exec(self._act[1].recv(1000).decode(), {'mine': mine, 'socket': socket, 'os': os, 'kept': kept})
            self._act[1].send(b'done')
    def act(self, code):
        self._act[0].send(code.encode())
        assert self._act[0].recv(100) == b'done'
    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
    def timer(self):
        # What it waits for, and the seconds from the last packet to the end of that.
        for found in inet_diag.read():
            if found.inode == self.inode:
                return [found.timer, round((found.expires_ms + found.idle_ms) / 1000)]
    def held(self):
        # What its socket has, as another process sees it.
        process = pidfd.open_process(self.pid)
        with socket_keepalive.of_descriptor(pidfd.duplicate(process, self.descriptor)) as copy:
            os.close(process)
            assert os.fstat(copy.fileno()).st_ino == self.inode
            held = socket_keepalive.read(copy)
            return [held.asked, str(held.keepalive)]
def at_risk_now(silent=False, services=900, outside=900):
    found = at_risk.read(NAMES, True, own(), at_risk.Limits(services, outside, silent))
    assert (found.more, found.error) == (0, None)
    return found.sockets
def own():
    return Keepalive(*(int(open('/proc/sys/net/ipv4/tcp_keepalive_' + name).read()) for name in Keepalive._fields))
def rearm(found, silent=False, check=False, deadline=None, pids=None, wanted=WANTED, given=()):
    # What became of them, each [peer, rearmed, {reason: connections}].
    end = time.monotonic() + 60 if deadline is None else deadline
    order = rearming.Order(wanted, own(), not silent, check, end, given)
    parts = list(rearming.rearm(found, [each.pid for each in clients] if pids is None else pids, order))
    return sorted([each.peer, each.rearmed, {key: each.left[key][1] for key in each.left}] for each in parts)
def refuse(number, error):
    # seccomp(2): from now on the kernel answers that system call with this error, in this process and its children.
    rows = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | error), (0x06, 0, 0, 0x7fff0000)]
    code = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *row) for row in rows))
    program = ctypes.create_string_buffer(struct.pack('HL', len(rows), ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, program) == 0, os.strerror(ctypes.get_errno())  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
"""


def lines_of(code, prefix=ISOLATED):
    """What the code prints, each line as JSON, with both preludes at hand."""
    return _real_sockets.lines_of("_kernel.inet_diag", _IMPORTS + PRELUDE + code, prefix)
