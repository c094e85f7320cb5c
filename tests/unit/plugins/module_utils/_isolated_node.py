# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node of its own for a test that writes: private sysctls (network namespace), private /etc, /run and /var/lib, no
process but its own (PID namespace), and a root of cgroup v2 that is a new cgroup below this machine's (cgroup
namespace), for programs that start here, too.

Nothing is faked: the kernel is the real one, its network sysctls belong to the namespace, and files live on a tmpfs
that goes away with the test.
"""

import ctypes
import functools
import os
import sys
import tempfile
import traceback

import pytest

from ansible_collections.kubenode.connections.plugins.module_utils._kernel import cgroups, programs
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._new_cgroup import own_cgroup

_CLONE_NEWNS = 0x00020000  # include/uapi/linux/sched.h
_CLONE_NEWNET = 0x40000000
_CLONE_NEWCGROUP = 0x02000000
_CLONE_NEWPID = 0x20000000
_MNT_DETACH = 2
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18  # include/uapi/linux/mount.h

_OWN_IN_ETC = ("sysctl.d", "sysctl.conf", "modules-load.d", "modules", "systemd", "udev")
_VENDOR = ("sysctl.d", "modules-load.d")

_libc = ctypes.CDLL(None, use_errno=True)


def isolated(test):
    """Run a test in a child process that is such a node: root, kernel defaults, no settings file, no originals."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        base, mounted_at = tempfile.mkdtemp(), cgroups.mounted_at()
        try:
            with own_cgroup() as cgroup:
                report = _in_new_namespaces(cgroup, lambda: (_become_node(base, mounted_at), test(*args, **kwargs)))
        finally:
            os.rmdir(base)
        if report:
            pytest.fail(report, pytrace=False)

    return run


def mount(source, target, kind, flags=0, data=""):
    """mount(2)."""
    if _libc.mount(source.encode(), target.encode(), kind.encode(), flags, data.encode()) != 0:
        _fail("mount of " + target)


def read_only(path):
    """Make path, with all below it, read-only in this node."""
    mount(path, path, "none", _MS_BIND | _MS_REC)
    mount("none", path, "none", _MS_REMOUNT | _MS_BIND | _MS_RDONLY)


def write(path, data=b""):
    """Write a file and give back its path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as handle:
        handle.write(data)
    return path


def read(path):
    """The bytes of a file, None where there is none."""
    try:
        with open(path, "rb") as handle:
            return handle.read()
    except FileNotFoundError:
        return None


def sysctl(name, value=None):
    """The live value of a sysctl, after it was set when a value is given."""
    path = "/proc/sys/" + name.replace(".", "/")
    if value is not None:
        write(path, value.encode())
    return read(path).decode().strip()


def tree():
    """Everything that a run may change: files, links and folders with mode and contents, and sysctls of the network."""
    found = {}
    for top in ("/etc/sysctl.d", "/etc/modules-load.d", "/etc/systemd", "/run", "/var/lib"):
        for folder, _folders, files in os.walk(top):
            found[folder] = os.stat(folder).st_mode
            found.update({os.path.join(folder, name): _contents(os.path.join(folder, name)) for name in files})
    for name in ("keepalive_time", "keepalive_intvl", "keepalive_probes", "retries2"):
        found["tcp_" + name] = sysctl("net.ipv4.tcp_" + name)
    return found


def program(name, script):
    """Have a program of that name found first; script is for /bin/sh. The path of the log of its arguments."""
    folder = "/run/programs"
    log = folder + "/" + name + ".log"
    text = f'#!/bin/sh\necho "$@" >> {log}\n{script}\n'
    os.chmod(write(folder + "/" + name, text.encode()), 0o755)
    if folder not in programs._PLACES:
        programs._PLACES = (folder, *programs._PLACES)
    return log


def _contents(path):
    return os.readlink(path) if os.path.islink(path) else (os.stat(path).st_mode, read(path))


def _become_node(base, mounted_at):
    """mounted_at: where cgroup v2 is seen with its root, from outside of the new namespaces."""
    mount("none", "/", "none", _MS_REC | _MS_PRIVATE)
    mount("proc", "/proc", "proc")
    if mounted_at:
        _libc.umount2(mounted_at.encode(), _MNT_DETACH)
        mount("none", mounted_at, "cgroup2")
    mount("tmpfs", base, "tmpfs", data="mode=755")
    for name in ("etc", "empty"):
        os.mkdir(os.path.join(base, name))
    mount("/etc", base + "/etc", "none", _MS_BIND | _MS_REC)
    for path in ("/etc", "/run", "/var/lib"):
        mount("tmpfs", path, "tmpfs", data="mode=755")  # not 1777, the default
    for name in os.listdir(base + "/etc"):
        if name not in _OWN_IN_ETC:
            os.symlink(base + "/etc/" + name, "/etc/" + name)
    for path in ("/etc/sysctl.d", "/etc/modules-load.d", "/etc/systemd/system", "/run/lock"):
        os.makedirs(path)
    for path in (f"{parent}/{name}" for parent in ("/usr/lib", "/usr/local/lib") for name in _VENDOR):
        if os.path.isdir(path):
            mount(base + "/empty", path, "none", _MS_BIND)


def _enter(cgroup):
    descriptor = os.open(cgroup, os.O_RDONLY)
    assert cgroups.enter(descriptor), cgroup
    os.close(descriptor)


def _in_new_namespaces(cgroup, work):
    """Do work in a forked child with namespaces of its own; what went wrong as text, "" when all went well."""
    reader, writer = os.pipe()
    child = _forked(lambda: _unshare_and_work(cgroup, work, writer), writer)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        report = pipe.read()
    status = os.waitpid(child, 0)[1]
    return report if status == 0 else f"{report}\na process of the test ended with wait status {status}"


def _unshare_and_work(cgroup, work, writer):
    _enter(cgroup)
    if _libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET | _CLONE_NEWCGROUP | _CLONE_NEWPID) != 0:
        _fail("unshare")
    _wait(_forked(lambda: _reap(work, writer), writer))  # only what is forked from now on is in the new PID namespace


def _reap(work, writer):
    """Be its process 1, as on a node: take over whom nobody waits for; with it ends every process that is left."""
    _wait(_forked(work, writer))


def _forked(work, writer):
    """A child that does work, tells what went wrong there, and ends."""
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, _report(work).encode())
        finally:
            os._exit(0)
    return child


def _wait(child):
    ended = status = 0
    while ended != child:
        ended, status = os.wait()
    assert status == 0, f"the test ended with wait status {status}"


def _report(work):
    try:
        work()
    except BaseException:  # also what pytest raises
        return traceback.format_exc()
    finally:
        sys.stdout.flush()
    return ""


def _fail(what):
    number = ctypes.get_errno()
    raise OSError(number, f"{what}: {os.strerror(number)}. This test needs root and namespaces")
