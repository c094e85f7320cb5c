# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Programs on a cgroup of a test's own, and real connections in it. Nothing is attached to this machine's root."""

import contextlib
import os
import socket

from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import (
    bpf,
    bpf_instructions,
    cgroups,
    sock_ops,
    trial_connection,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.child import collect
from ansible_collections.kubenode.connections.tests.unit.plugins.module_utils._new_cgroup import own_cgroup

WANTED = Keepalive(600, 30, 9)
KERNEL = trial_connection.End("", False, 7200, 75, 9)
OURS = trial_connection.End("", True, *WANTED)


@contextlib.contextmanager
def as_root_cgroup(*below):
    """A new cgroup that the rooms take for the root of cgroup v2."""
    with own_cgroup(*below) as path, as_root(path):
        yield path


@contextlib.contextmanager
def as_root(path):
    """Have the rooms take a folder for the root of cgroup v2."""
    before, cgroups.PLACE = cgroups.PLACE, path
    try:
        yield
    finally:
        cgroups.PLACE = before


@contextlib.contextmanager
def opened(path):
    """A descriptor of a cgroup."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def attach(path, code, name):
    """Have a program run for a cgroup, as it is attached."""
    with opened(path) as cgroup:
        program = bpf.load(code, name)
        try:
            bpf.attach(cgroup, program)
            return bpf.described(program)
        finally:
            os.close(program)


def attach_ours(path, values=WANTED, ports=()):
    """The program that gives keepalive."""
    return attach(path, sock_ops.code_of(sock_ops.program(values, ports)), sock_ops.name_of(values))


def attach_marker(path):
    """The program that excludes a cgroup."""
    return attach(path, sock_ops.code_of(sock_ops.marker()), sock_ops.MARKER)


def attach_foreign(path, option=18, value=77000):
    """The program of somebody else, who sets TCP_USER_TIMEOUT (18) or another option of connections opened there."""
    lines = [
        bpf_instructions.move(6, 1, ""),
        bpf_instructions.load(1, 6, 0, ""),
        bpf_instructions.jump_if(1, "!=", 4, "end", ""),
        bpf_instructions.store_number(10, -4, value, ""),
        *sock_ops._arguments(6, option, ""),
        bpf_instructions.call(49, ""),
        *sock_ops._END,
    ]
    return attach(path, sock_ops.code_of(bpf_instructions.assemble(lines)), "foreign")


def attach_alone(path):
    """The program of somebody else, attached so that none may be beside it."""
    with opened(path) as cgroup:
        program = bpf.load(sock_ops.code_of(bpf_instructions.assemble(sock_ops._END)), "alone")
        bpf._bpf(bpf._PROG_ATTACH, bpf._ATTACH.pack(cgroup, program, bpf._CGROUP_SOCK_OPS, 0))
        os.close(program)


@contextlib.contextmanager
def as_root_without_entry():
    """A new cgroup that the rooms take for the root and no process may enter: one beside it is threaded."""
    with own_cgroup("/threaded", "/root") as path:
        with open(path + "/threaded/cgroup.type", "w", encoding="ascii") as handle:
            handle.write("threaded")
        with as_root(path + "/root"):
            yield path + "/root"


def names(path):
    """The names of the programs on a cgroup."""
    with opened(path) as cgroup:
        return [found.name for found in bpf.attached(cgroup)[0]]


def connect(path, address="169.254.77.77", before=None, port=40000, own_port=40001, family=None):
    """Both ends of a real connection of a process in that cgroup, in a network namespace of its own.

    before is called with the listener and the client before they connect. What the functions that it returns make of
    the client once it is connected comes after the two ends.
    """
    rows, error = collect(lambda: _connected(path, address, before, port, own_port, family), 20)
    assert error is None, error
    return [trial_connection.End(**row) if isinstance(row, dict) else row for row in rows]


def _connected(path, address, before, port, own_port, family):
    with opened(path) as cgroup:
        assert cgroups.enter(cgroup), path
    trial_connection._own_namespace()
    trial_connection._raise_loopback()
    trial_connection._has_ipv6()
    family = family or (socket.AF_INET6 if ":" in address else socket.AF_INET)
    with socket.socket(family) as listener, socket.socket(family) as client:
        after = list(before(listener=listener, client=client) or []) if before else []
        listener.bind((address, port))
        listener.listen(1)
        client.bind((address, own_port))
        client.connect((address, port))
        with listener.accept()[0] as server:
            for sock in (client, server):
                yield dict(trial_connection._end("", sock)._asdict())
            yield from (work(client) for work in after)
