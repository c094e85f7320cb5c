# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes pinned by a descriptor, and which one of a name root may believe. Private to this collection."""

import os
import re
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

from . import child
from .plain_files import NotPlainError, read_descriptor
from .procfs import namespace_of

NODE = ("mnt", "pid", "user", "net")
"""The namespaces that a daemon of the node shares with it."""

HOST_NETWORK = ("user", "net")
"""Those that a pod in the node's network shares with it. It is believed where it may change that network."""

_SHARED = "hyperkube"
"""One program for several, told apart by its first argument (Kubernetes before 1.19)."""

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_MAX_BYTES = 1 << 20
_MAX_NAME_BYTES = 64  # TASK_COMM_LEN is 16, names of kernel threads are longer
_MAX_DESCRIPTORS = 32768
_MAX_DOUBTS = 3
_MAX_PIDS = 10
_FILE_SECONDS = 5
_NET_ADMIN = 12  # include/uapi/linux/capability.h
_GONE = (FileNotFoundError, ProcessLookupError, PermissionError)
"""It has ended, or it is hidden from a reader without root."""

_DELETED = " (deleted)"


class Process:
    """One process, pinned: its pid may be used again, but what is read here is never another process's.

    Every method raises OSError where the process has ended or its owner may not be looked at.
    """

    def __init__(self, pid: int, proc: str = "/proc") -> None:
        self.pid = pid
        self._place = os.open(f"{proc}/{pid}", _DIRECTORY)

    def __del__(self) -> None:
        place = getattr(self, "_place", None)
        if place is not None:
            os.close(place)

    def name(self) -> str:
        """What the process calls itself, at most 15 bytes: a process may call itself anything."""
        return _own_name(os.open("comm", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._place))

    def program(self) -> str:
        """The path of what it runs, in its own mount namespace. The kernel, not the process, says so."""
        path = os.readlink("exe", dir_fd=self._place)
        return path[: -len(_DELETED)] if path.endswith(_DELETED) else path

    def is_replaced(self) -> bool:
        """Whether that file is gone from its path; another one may be there."""
        return os.readlink("exe", dir_fd=self._place).endswith(_DELETED)

    def users(self) -> Set[int]:
        """Its real, effective, saved and file system user."""
        found = re.search(rb"^Uid:((?:\t\d+){4})$", self._read("status"), re.MULTILINE)
        return {int(word) for word in found.group(1).split()} if found else set()

    def may_change_network(self) -> bool:
        """Whether it has CAP_NET_ADMIN, which root of a pod in the node's network mostly lacks."""
        found = re.search(rb"^CapEff:\t([0-9a-f]{1,16})$", self._read("status"), re.MULTILINE)
        return bool(found and int(found.group(1), 16) >> _NET_ADMIN & 1)

    def cgroups(self) -> str:
        """Its control groups, a line for each hierarchy."""
        return self._read("cgroup").decode("utf-8", "replace")

    def parent(self) -> int:
        return int(self._stat()[1])

    def started(self) -> int:
        """When it was started, in clock ticks after boot (proc(5), field 22 of stat)."""
        return int(self._stat()[19])

    def namespace(self, kind: str) -> str:
        return os.readlink(f"ns/{kind}", dir_fd=self._place)

    def arguments(self) -> List[str]:
        """Its command line, the program first."""
        text = os.fsdecode(self._read("cmdline"))
        return text.rstrip("\0").split("\0") if text else []

    def environ_variables(self, names: Iterable[str]) -> Dict[str, str]:
        """Those of the variables that it was started with; nothing else of the environment, which may hold secrets.

        Of one that is there twice the first counts, as for Go's os.Getenv.
        """
        wanted = set(names)
        found: Dict[str, str] = {}
        for word in os.fsdecode(self._read("environ")).split("\0"):
            name, _equals, value = word.partition("=")
            if name in wanted:
                found.setdefault(name, value)
        return found

    def read_file(self, path: str, limit_bytes: int) -> Tuple[bytes, bool]:
        """The first bytes of a plain file that the process calls ``path``, and whether cut, within 5 seconds.

        It is looked up in the process's root, a relative one from its working directory. A child reads it: it may lie
        on a file system that does not answer.
        """
        values, error = child.collect(lambda: [self._file(path, limit_bytes)], _FILE_SECONDS)
        if not values:
            raise OSError(f"the reader of the file {error}")
        number, text, data, cut = values[0]
        if number is not None:
            raise OSError(number, text, path)
        if text is not None:
            raise NotPlainError(text)
        return bytes.fromhex(data), cut

    def socket_inodes(self) -> Set[int]:
        """The inodes of the sockets that it has open, of its first 32768 descriptors."""
        place = os.open("fd", _DIRECTORY, dir_fd=self._place)
        try:
            targets = [_target(each, place) for each in os.listdir(place)[:_MAX_DESCRIPTORS]]
        finally:
            os.close(place)
        return {int(each[8:-1]) for each in targets if each.startswith("socket:[")}

    def open_program(self) -> int:
        """An O_PATH descriptor of what it runs, even where another file has taken its place."""
        return os.open("exe", os.O_PATH | os.O_CLOEXEC, dir_fd=self._place)

    def _file(self, path: str, limit_bytes: int) -> Tuple[Optional[int], Optional[str], str, bool]:
        """Error number, error or kind, data in hexadecimal digits, whether cut."""
        from .rooted_files import read_in_root  # only some daemons have a file that is read

        try:
            whole = path if os.path.isabs(path) else os.path.join(os.readlink("cwd", dir_fd=self._place), path)
            root = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._place)
            data, cut = read_in_root(root, whole, limit_bytes)
        except NotPlainError as error:
            return None, error.kind, "", False
        except OSError as error:
            return error.errno, error.strerror, "", False
        return None, None, data.hex(), cut

    def _read(self, name: str) -> bytes:
        return read_descriptor(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._place), _MAX_BYTES)[0]

    def _stat(self) -> List[bytes]:
        """The fields of stat from the third one on; the second may hold blanks and brackets."""
        return self._read("stat").rpartition(b")")[2].split()


class Wanted(NamedTuple):
    """A program by its names, to be run as root in these namespaces of the caller.

    ``is_another``: whether a process that is not believed is certainly none, and so passed over in silence.
    """

    names: Sequence[str]
    namespaces: Sequence[str] = HOST_NETWORK
    is_another: Callable[[Process], bool] = lambda _process: False


class Found(NamedTuple):
    """The process that root may believe, or None; and in sentences what else goes by that name."""

    process: Optional[Process]
    doubts: List[str]


def find(wanted: Wanted, proc: str = "/proc") -> Found:
    """As find_all, of one program."""
    return find_all([wanted], proc)[0]


def find_all(wanted: Sequence[Wanted], proc: str = "/proc") -> List[Found]:
    """The process of each program, in one pass over all processes. Never raises.

    Of several the one that was started last. Those in another network namespace belong to another node (nodes may be
    containers) or to a pod, and are passed over in silence. What a caller without root may not look at is taken for
    good: nothing that root does follows from it.
    """
    kinds = {"net", *(kind for each in wanted for kind in each.namespaces)}
    own = {kind: namespace_of("self", kind, proc) for kind in kinds}
    searches = [_Search(each, own, proc) for each in wanted]
    unread: List[str] = []
    for name, process in _called({_SHARED, *(name for each in wanted for name in each.names)}, proc, unread):
        for search in searches:
            search.look_at(name, process)
    return [search.found(unread) for search in searches]


class _Believed(NamedTuple):
    started: int
    pid: int
    parent: int
    name: str


class _Search:
    """The search for one program. No process is kept, for each has a descriptor open, and a pod may start thousands."""

    def __init__(self, wanted: Wanted, own: Dict[str, Optional[str]], proc: str) -> None:
        self._proc = proc
        self._names = wanted.names
        self._is_another = wanted.is_another
        self._programs = {*wanted.names, _SHARED}
        self._own_net = own["net"]
        self._own = {kind: own[kind] for kind in wanted.namespaces}
        self._believed: List[_Believed] = []
        self._doubts: List[str] = []

    def look_at(self, name: str, process: Process) -> None:
        if name not in self._programs:
            return
        try:
            if _is_elsewhere(process, self._own_net):
                return
            doubt = _doubt(process, self._programs, self._own)
            if doubt and not self._is_another(process):
                self._doubts.append(f"Process {process.pid} calls itself {name}, but {doubt}: it is not believed.")
            if not doubt and (name != _SHARED or process.arguments()[1] in self._names):
                self._believed.append(_Believed(process.started(), process.pid, process.parent(), name))
        except (ValueError, IndexError):
            return
        except OSError as error:
            if not isinstance(error, _GONE):
                why = f"cannot be looked at ({error.strerror or error})"
                self._doubts.append(f"Process {process.pid} calls itself {name}, but {why}: it is left out.")

    def found(self, unread: List[str]) -> Found:
        """unread: what keeps others from being known by their names."""
        latest = _latest(self._believed)
        try:
            chosen = next((process for process in (_again(each, self._proc) for each in latest) if process), None)
        except OSError as error:
            what = f"Process {latest[0].pid}, called {latest[0].name}"
            return Found(
                None, [f"{what}, cannot be looked at ({error.strerror or error}).", *_few(self._doubts + unread)]
            )
        return Found(chosen, _told(latest, chosen) + _few(self._doubts + unread))


def _called(names: Set[str], proc: str, unread: List[str]) -> Iterator[Tuple[str, Process]]:
    """The processes that go by one of these names; only those are pinned, which takes longer than asking all.

    unread gets a sentence for each whose name could not be read.
    """
    for pid in sorted(int(name) for name in os.listdir(proc) if name.isdigit()):
        try:
            if _own_name(os.open(f"{proc}/{pid}/comm", os.O_RDONLY | os.O_CLOEXEC)) not in names:
                continue
            process = Process(pid, proc)
            name = process.name()
        except _GONE:
            continue
        except OSError as error:
            unread.append(
                f"What process {pid} calls itself cannot be read ({error.strerror or error}): it is left out."
            )
            continue
        if name in names:
            yield name, process


def _own_name(comm: int) -> str:
    """What a process calls itself, from a descriptor of its comm, which is closed."""
    try:
        return os.fsdecode(os.read(comm, _MAX_NAME_BYTES).rstrip(b"\n"))
    finally:
        os.close(comm)


def _is_elsewhere(process: Process, own_net: Optional[str]) -> bool:
    try:
        return process.namespace("net") != own_net
    except PermissionError:
        return False


def _doubt(process: Process, programs: Set[str], own: Dict[str, Optional[str]]) -> Optional[str]:
    """Why root had better not believe what a process says. Its memory is not read: that alone may take for ever."""
    users = process.users()
    if users != {0}:
        return f"runs as user {max(users, default=-1)}"
    try:
        foreign = [kind for kind, namespace in own.items() if process.namespace(kind) != namespace]
        program = process.program()
    except PermissionError:
        return "may not be looked at" if os.geteuid() == 0 else None
    if foreign:
        return f"is in a container (it has its own {foreign[0]} namespace)"
    if "mnt" not in own and not process.may_change_network():
        return "may not change the node's network (it lacks CAP_NET_ADMIN)"
    return None if os.path.basename(program) in programs else f"runs {ascii(program)[1:-1]}"


def _latest(believed: List[_Believed]) -> List[_Believed]:
    """Those that may be the one, the one that was started last first.

    A child of one of them is about to run another program (between fork and exec it has its parent's name).
    """
    parents = {each.pid for each in believed}
    return sorted((each for each in believed if each.parent not in parents), reverse=True)


def _again(each: _Believed, proc: str) -> Optional[Process]:
    """The process, pinned again; None where it has ended. Raises OSError."""
    try:
        process = Process(each.pid, proc)
        return process if (process.started(), process.name()) == (each.started, each.name) else None
    except _GONE:
        return None


def _told(latest: List[_Believed], chosen: Optional[Process]) -> List[str]:
    """What to say where there are several, or none any more."""
    if not latest:
        return []
    name = latest[0].name
    if chosen is None:
        return [f"Process {latest[0].pid}, called {name}, has ended meanwhile. Run again."]
    if len(latest) == 1:
        return []
    pids = ", ".join(str(each.pid) for each in reversed(latest[:_MAX_PIDS]))
    more = f" and {len(latest) - _MAX_PIDS} more" if len(latest) > _MAX_PIDS else ""
    several = f"Processes {pids}{more} are all called {name}, one is expected: {chosen.pid} is believed, because it was"
    return [f"{several} started last. Stop the others."]


def _few(doubts: List[str]) -> List[str]:
    """Anybody can start many processes of a name."""
    more = len(doubts) - _MAX_DOUBTS
    return doubts[:_MAX_DOUBTS] + ([f"{more} more processes of that name are not believed."] if more > 0 else [])


def _target(name: str, directory: int) -> str:
    try:
        return os.readlink(name, dir_fd=directory)
    except OSError:
        return ""
