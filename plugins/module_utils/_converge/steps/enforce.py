# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that has the kernel give every new TCP connection a keepalive. Private to this collection."""

import contextlib
import os
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import KERNEL_DEFAULT, Enforcement
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import bpf, cgroups, sock_ops
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.trial_connection import End, try_connections
from ansible_collections.kubenode.connections.plugins.module_utils._observe import enforcement

from ..transaction import Step

_NAME = "keepalive of every new connection"
_EXACT = "as wanted"
_OR_NOT = "Or leave enforce out (keepalive_enforce false)."


class State(NamedTuple):
    """Our programs on the root cgroup by name and tag, and those of the cgroups in question that are excluded."""

    programs: Tuple[Tuple[str, str], ...]
    excluded: Tuple[str, ...]


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
        self._had: Optional[Dict[int, int]] = None
        self.missing: List[str] = []
        before = self._first_look()
        after = State((), ())
        if wanted is not None:
            there = tuple(path for path in wanted.exclude_cgroups if path not in self.missing)
            after = State(((sock_ops.name_of(wanted.keepalive), _EXACT),), there)
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
        obstacle = enforcement.look()[0] if self._wanted else None
        if obstacle is not None and obstacle.possible is False:
            raise NodeError(f"{self.name}: it cannot be enforced here. {obstacle.reason} {_OR_NOT}")

    def read(self) -> State:
        with self._refusals("not read"):
            return self._look()

    def apply(self) -> None:
        with self._refusals("not attached" if self._wanted else "not detached"), cgroups.root(mount=True) as root:
            top = root.descriptor
            mine = _ours(top)
            self._had = {each.id: bpf.opened(each.id) for each in mine}  # so that the kernel keeps them for undo
            stays = next((each.id for each in mine if self._tag(each) == _EXACT), None)
            for path in self._cgroups:
                self._mark(top, path, path in self.after.excluded)
            if self._wanted is not None and stays is None:
                _load_and_attach(top, self._code, sock_ops.name_of(self._wanted.keepalive))
            for identity, program in self._had.items():
                if identity != stays:
                    bpf.detach(top, program)
            if self._wanted is not None:
                self._try(top, self._wanted)

    def undo(self) -> None:
        if self._had is None:
            return
        with self._refusals("not undone"), cgroups.root(mount=True) as root:
            now = {each.id for each in _ours(root.descriptor)}
            for identity, program in self._had.items():
                if identity not in now:
                    bpf.attach(root.descriptor, program)
            for identity in now - set(self._had):
                with _closing(bpf.opened(identity)) as program:
                    bpf.detach(root.descriptor, program)
            for path in self._cgroups:
                self._mark(root.descriptor, path, path in self.before.excluded)

    def show(self, value: State) -> Optional[Dict[str, Any]]:
        if not value.programs:
            return None
        known = self._wanted if value == self.after else self._record
        return {
            "keepalive": str(sock_ops.values_of(value.programs[-1][0])),
            "exclude_ports": list(known.exclude_ports) if known else [],
            "exclude_cgroups": list(value.excluded),
        }

    def _first_look(self) -> State:
        """Where nobody can look and nothing is recorded, nothing is there; foresee says why if something is wanted."""
        try:
            with cgroups.root(mount=False) as root:
                wanted = self._wanted.exclude_cgroups if self._wanted else ()
                self.missing = [path for path in wanted if root is None or not _is_there(root.descriptor, path)]
            return self.read()
        except (NodeError, OSError):
            if self._record is not None:
                raise
            return State((), ())

    def _look(self) -> State:
        with cgroups.root(mount=False) as root:
            if root is None:
                return State((), ())
            programs = sorted((each.name, self._tag(each)) for each in _ours(root.descriptor))
            excluded = tuple(path for path in self._cgroups if _marks(root.descriptor, path))
        return State(tuple(programs), excluded)

    def _tag(self, program: bpf.Program) -> str:
        return _EXACT if self._code and program.tag in sock_ops.tags(self._code) else program.tag

    def _mark(self, top: int, path: str, wanted: bool) -> None:
        """Have a cgroup excluded or not; one that is gone is neither."""
        cgroup = cgroups.below(top, path)
        if cgroup is None:
            return
        with _closing(cgroup):
            marks = [each.id for each in bpf.attached(cgroup)[0] if each.name == sock_ops.MARKER]
            if wanted and not marks:
                _load_and_attach(cgroup, sock_ops.code_of(sock_ops.marker()), sock_ops.MARKER)
            for identity in () if wanted else marks:
                with _closing(bpf.opened(identity)) as program:
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
                "that program detached."
            )

    @contextlib.contextmanager
    def _refusals(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise refused(f"{_NAME}: {what}", error) from error


def _code(wanted: Enforcement) -> bytes:
    return sock_ops.code_of(sock_ops.program(wanted.keepalive, wanted.exclude_ports))


def _ours(cgroup: int) -> List[bpf.Program]:
    return [each for each in bpf.attached(cgroup)[0] if sock_ops.values_of(each.name)]


def _load_and_attach(cgroup: int, code: bytes, name: str) -> None:
    with _closing(bpf.load(code, name)) as program:
        bpf.attach(cgroup, program)


def _is_there(top: int, path: str) -> bool:
    cgroup = cgroups.below(top, path)
    if cgroup is not None:
        os.close(cgroup)
    return cgroup is not None


def _marks(top: int, path: str) -> bool:
    cgroup = cgroups.below(top, path)
    if cgroup is None:
        return False
    with _closing(cgroup):
        return any(each.name == sock_ops.MARKER for each in bpf.attached(cgroup)[0])


def _is_given(end: End, wanted: Enforcement) -> bool:
    """A new namespace has the kernel's own values; where those are sooner, they stay if the program can read them."""
    time, intvl, probes = wanted.keepalive
    return (
        end.on
        and end.time in (time, min(time, KERNEL_DEFAULT.time))
        and end.intvl in (intvl, min(intvl, KERNEL_DEFAULT.intvl))
        and end.probes == probes
    )


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)
