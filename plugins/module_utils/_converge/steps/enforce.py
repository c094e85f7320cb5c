# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that has the kernel give every new TCP connection a keepalive. Private to this collection."""

import contextlib
import os
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, cgroups, sock_ops
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.trial_connection import End, try_connections
from ansible_collections.kubenode.connections.plugins.module_utils._observe import enforcement

from ..transaction import Step

_NAME = "keepalive of every new connection"
_EXACT = "as wanted"
_NOT_ENTERED = " Or this very run is in an excluded cgroup: it could not enter the root cgroup for the trial."
_ROOT = ""
_MARKER = sock_ops.code_of(sock_ops.marker())
_OR_NOT = "Or leave enforce out (keepalive_enforce false)."


class State(NamedTuple):
    """Our programs on the root cgroup by name and tag, and those on the excluded cgroups by path and tag."""

    programs: Tuple[Tuple[str, str], ...]
    excluded: Tuple[Tuple[str, str], ...]


class Enforce(Step):
    """One program of ours on the root cgroup, or none; and a small one on each excluded cgroup. Others' stay.

    record is what an earlier run has enforced, which names the cgroups that were excluded.
    """

    area = "enforce"

    def __init__(self, record: Optional[Enforcement], wanted: Optional[Enforcement]) -> None:
        self._record = record
        self._wanted = wanted
        self._code = b"" if wanted is None else _code(wanted)
        named = [each.exclude_cgroups for each in (record, wanted) if each]
        self._cgroups = tuple(sorted({path for paths in named for path in paths}))
        self._had: Dict[str, Dict[int, int]] = {}
        before, self.missing = self._first_look()
        after = State((), ())
        if wanted is not None:
            there = [path for path in self._cgroups if path in wanted.exclude_cgroups and path not in self.missing]
            programs = ((sock_ops.name_of(wanted.keepalive), _EXACT),)
            after = State(programs, tuple((path, _EXACT) for path in there))
        super().__init__(_NAME, before, after)

    def kept(self, final: bool) -> Optional[Enforcement]:
        """What to record: what may have to be taken away while the run is under way, or (final) after it."""
        if self._wanted is None:
            return None if final else self._record
        return self._wanted if final else self._wanted._replace(exclude_cgroups=self._cgroups)

    def notes(self) -> List[str]:
        return [
            f"The cgroup {path} is not there now, so it is not excluded. Run again once it is."
            for path in (self._wanted.exclude_cgroups if self._wanted else ())
            if path in self.missing
        ]

    def foresee(self) -> None:
        if self._wanted is None:
            return
        obstacle = enforcement.look()[0]
        if obstacle is not None and obstacle.possible is False:
            raise NodeError(f"{self.name}: it cannot be enforced here. {obstacle.reason} {_OR_NOT}")
        with contextlib.suppress(OSError), cgroups.root(mount=False) as root:
            for path, _tag in self.after.excluded if root else ():
                with _below(root.descriptor, path) as cgroup:
                    if cgroup is not None:
                        _refuse_alone(cgroup, path)

    def read(self) -> State:
        """A cgroup that has gone is neither excluded nor to be: before and after are without it from then on."""
        with self._refusals("not read"):
            found, gone = self._look()
        self.before, self.after = (_without(gone, state) for state in (self.before, self.after))
        return found

    def apply(self) -> None:
        with self._refusals("not attached" if self._wanted else "not detached"), cgroups.root(mount=True) as root:
            top = root.descriptor
            excluded = [path for path, _tag in self.after.excluded]
            for path in self._cgroups:
                with _below(top, path) as cgroup:
                    if cgroup is not None:
                        self._have(cgroup, path, _MARKER if path in excluded else b"", sock_ops.MARKER)
            self._have(top, _ROOT, self._code, sock_ops.name_of(self._wanted.keepalive) if self._wanted else "")
            if self._wanted is not None:
                self._try(top, self._wanted)

    def undo(self) -> None:
        if not self._had:
            return
        with self._refusals("not undone"), cgroups.root(mount=True) as root:
            for path, had in reversed(list(self._had.items())):
                with _below(root.descriptor, path) as cgroup:
                    if cgroup is not None:
                        _have_again(cgroup, path, had)

    def show(self, value: State) -> Optional[Dict[str, Any]]:
        if not value.programs:
            return None
        known = self._wanted if value == self.after else self._record
        return {
            "keepalive": str(sock_ops.values_of(value.programs[-1][0])),
            "exclude_ports": list(known.exclude_ports) if known else [],
            "exclude_cgroups": sorted({path for path, _tag in value.excluded}),
        }

    def _first_look(self) -> Tuple[State, List[str]]:
        """Where nobody can look and nothing is recorded, nothing is there; foresee says why if something is wanted."""
        try:
            with self._refusals("not read"):
                return self._look()
        except NodeError:
            if self._record is not None:
                raise
            return State((), ()), []

    def _look(self) -> Tuple[State, List[str]]:
        """What is there, and the cgroups that are not."""
        gone: List[str] = []
        excluded: List[Tuple[str, str]] = []
        with cgroups.root(mount=False) as root:
            if root is None:
                return State((), ()), list(self._cgroups)
            programs = sorted((each.name, _tag(each, self._code)) for each in _ours(root.descriptor, _ROOT))
            for path in self._cgroups:
                with _below(root.descriptor, path) as cgroup:
                    if cgroup is None:
                        gone.append(path)
                    else:
                        excluded += [(path, _tag(each, _MARKER)) for each in _ours(cgroup, path)]
        return State(tuple(programs), tuple(excluded)), gone

    def _have(self, cgroup: int, path: str, code: bytes, name: str) -> None:
        """Have this very program on a cgroup, or none, and no other of ours."""
        mine = _ours(cgroup, path)
        had = self._had[path] = {each.id: bpf.opened(each.id) for each in mine}  # the kernel keeps them for undo
        stays = next((each.id for each in mine if _tag(each, code) == _EXACT), None)
        if code and stays is None:
            with _closing(bpf.load(code, name)) as program:
                bpf.attach(cgroup, program)
        for identity, program in had.items():
            if identity != stays:
                bpf.detach(cgroup, program)

    def _try(self, top: int, wanted: Enforcement) -> None:
        """Raise NodeError unless both ends of real connections have the keepalive."""
        trial = try_connections(top, wanted.exclude_ports)
        if trial.error or not trial.ends:
            raise NodeError(
                f"{self.name}: a trial connection {trial.error or 'has no ends'}, so whether the kernel gives it the "
                f"keepalive is not known. Run on the host itself. {_OR_NOT}"
            )
        wrong = next((end for end in trial.ends if not _is_given(end, wanted)), None)
        if wrong is not None:
            raise NodeError(
                f"{self.name}: a trial connection ({wrong.name}) has SO_KEEPALIVE {wrong}, expected on, "
                f"{wanted.keepalive}: Linux {os.uname().release} does not take these options from a program, or the "
                f"program of somebody else sets them (bpftool cgroup tree). Set keepalive_enforce to false, or have "
                f"that program detached.{'' if trial.entered else _NOT_ENTERED}"
            )

    @contextlib.contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise refused(f"{_NAME}: {what}", error) from error


def _code(wanted: Enforcement) -> bytes:
    return sock_ops.code_of(sock_ops.program(wanted.keepalive, wanted.exclude_ports))


def _ours(cgroup: int, path: str) -> List[bpf.Program]:
    """Our programs on the root cgroup, or on one below it."""
    found = bpf.attached(cgroup)[0]
    return [
        each for each in found if (sock_ops.values_of(each.name) if path == _ROOT else each.name == sock_ops.MARKER)
    ]


def _refuse_alone(cgroup: int, path: str) -> None:
    programs, flags = bpf.attached(cgroup)
    if programs and not flags & bpf.ALLOW_MULTI:
        raise NodeError(
            f"{_NAME}: the cgroup {path} cannot be excluded. The program {programs[0].name or programs[0].id} of "
            "somebody else is attached to it and lets none be beside it: have it attached with BPF_F_ALLOW_MULTI, or "
            "detached. Or leave the cgroup out of exclude_cgroups (keepalive_enforce_exclude_cgroups)."
        )


def _tag(program: bpf.Program, code: bytes) -> str:
    return _EXACT if program.tag in sock_ops.tags(code) else program.tag


def _have_again(cgroup: int, path: str, had: Dict[int, int]) -> None:
    now = {each.id for each in _ours(cgroup, path)}
    for identity, program in had.items():
        if identity not in now:
            bpf.attach(cgroup, program)
    for identity in now - set(had):
        with _closing(bpf.opened(identity)) as program:
            bpf.detach(cgroup, program)


def _without(gone: List[str], state: State) -> State:
    return state._replace(excluded=tuple(each for each in state.excluded if each[0] not in gone))


@contextlib.contextmanager
def _below(top: int, path: str) -> Iterator[Optional[int]]:
    """A cgroup below the root, or the root itself; None for one that is not there."""
    cgroup = os.dup(top) if path == _ROOT else cgroups.below(top, path)
    try:
        yield cgroup
    finally:
        if cgroup is not None:
            os.close(cgroup)


def _is_given(end: End, wanted: Enforcement) -> bool:
    """Sooner values of a new namespace or of somebody else's program stay, with their probes if both are no later."""
    time, intvl, probes = wanted.keepalive
    if not (end.on and 1 <= end.time <= time and 1 <= end.intvl <= intvl):
        return False
    return end.probes == probes or (end.time, end.intvl) != (time, intvl)


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
