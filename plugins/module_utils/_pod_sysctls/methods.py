# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ways to give new pods their sysctls on this node, and which one it is. Private to this collection."""

import os
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._files import conflist, crio_conf, kubelet_conf
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import is_directory, read_file
from ansible_collections.kubenode.connections.plugins.module_utils._kernel import root_only
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.processes import (
    NODE,
    Found,
    Process,
    Wanted,
    find,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import boot_id
from ansible_collections.kubenode.connections.plugins.module_utils._observe import kubelet
from ansible_collections.kubenode.connections.plugins.module_utils._observe.kubelet_version import read_version

from . import cni_trial

WAYS = ("kubelet", "crio", "cni")
"""In the order in which they are preferred: kubelet's reaches static pods, too, and lets a pod's own values win."""

CRIO_CONF = "/etc/crio/crio.conf"
CRIO_DIRECTORY = "/etc/crio/crio.conf.d"
DROP_IN = "99-kubenode-connections.conf"
MAX_CONF_BYTES = 16 << 20

_CRIO = Wanted(["crio"], NODE)


class NotHereError(NodeError):
    """A way that cannot be gone: why, and what to do about it."""

    def __init__(self, why: str, todo: str) -> None:
        super().__init__(f"{why} {todo}")
        self.why = why


class Wish(NamedTuple):
    """What a person asked for, checked. way is one of WAYS or auto; cni_file is None where it shall be found."""

    sysctls: Dict[str, str]
    way: str
    cni_directory: str
    cni_file: Optional[str]
    cni_plugin_directories: Tuple[str, ...]


class Way(NamedTuple):
    """One way that can be gone: the file that it takes, and what to tell.

    content is the file as a whole, None for a configuration list that is edited. reader is who reads it only when it
    starts, as FileRecord.unread_by has it: empty where nobody runs, or each reading is a new one.
    """

    name: str
    path: str
    content: Optional[bytes]
    reader: Optional[str]
    reason: str
    notes: Tuple[str, ...]


def choose(wish: Wish) -> Way:
    """The way that was asked for, or the first of WAYS that this node has. Raises NodeError that says why none."""
    ways = {"kubelet": _kubelet_way, "crio": _crio_way, "cni": _cni_way}
    if wish.way != "auto":
        return ways[wish.way](wish)
    passed: List[Tuple[str, NodeError]] = []
    for name in WAYS:
        try:
            way = ways[name](wish)
        except NodeError as error:
            passed.append((name, error))
            continue
        return way._replace(notes=(*way.notes, *(f"Not by {each}: {_why(error)}" for each, error in passed)))
    raise NodeError(
        "New pods cannot get their sysctls on this node: one of kubelet, crio and cni must work, and none does. "
        + " ".join(f"{each}: {error}" for each, error in passed)
        + " Or use the manifests of the role pod_defaults, which need nothing on the node."
    )


def _why(error: NodeError) -> str:
    return error.why if isinstance(error, NotHereError) else str(error)


def _kubelet_way(wish: Wish) -> Way:
    found = find(kubelet.WANTED)
    process, doubts = found
    if process is None:
        raise NotHereError(" ".join(doubts) or "No kubelet runs here.", "Start it first.")
    version, why = read_version(process)
    if not kubelet_conf.has_field(version):
        known = why or f"kubelet is {version}, defaultPodSysctls came with 1.37."
        raise NotHereError(known, "Choose another way, or update it.")
    arguments = process.arguments()
    directory = kubelet_conf.flag_of(arguments, "config-dir")
    if directory is not None and os.path.isabs(directory):
        _refuse_foreign(directory)
    path = os.path.join(directory or "", DROP_IN)
    elsewhere = kubelet_conf.gate_enabled(
        kubelet_conf.flag_of(arguments, "feature-gates"), _kubelet_texts(process, arguments, path)
    )
    if wish.way == "auto" and not elsewhere:
        raise NotHereError(
            f"The feature gate {kubelet_conf.GATE} of kubelet {version} {kubelet_conf.stage(version)}.",
            "Ask for the way kubelet to have it switched on.",
        )
    if directory is None or not os.path.isabs(directory):
        raise NotHereError(
            "kubelet was started without --config-dir, where a file of ours could lie, and its --config belongs to "
            "whoever installed it (kubeadm writes it anew at an upgrade).",
            f"Start it with --config-dir, or put defaultPodSysctls and the feature gate {kubelet_conf.GATE} into that "
            "file, with kubeadm into ConfigMap kube-system/kubelet-config.",
        )
    reason = f"kubelet {version} has defaultPodSysctls, and reads {directory}."
    content = kubelet_conf.drop_in(wish.sysctls, not elsewhere)
    return Way("kubelet", path, content, _identity(found), reason, tuple(doubts))


def _refuse_foreign(place: str) -> None:
    """Raise NotHereError where others than root could lead what root writes to another place."""
    try:
        doubt = root_only.doubt(place)
    except OSError as error:
        doubt = f"{place}: {error.strerror}"
    if doubt:
        raise NotHereError(
            f"Root writes nothing below {place}: {doubt}.",
            "Give the folder back to root (chown root:, chmod go-w), or choose another way.",
        )


def _kubelet_texts(process: Process, arguments: Sequence[str], own: str) -> List[str]:
    """kubelet's configurations in the order in which they count, without the file of ours."""
    paths = [kubelet_conf.flag_of(arguments, "config")]
    directory = kubelet_conf.flag_of(arguments, "config-dir")
    if directory and os.path.isabs(directory):
        for folder, _folders, names in sorted(os.walk(directory)):
            paths += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".conf")]
    return [_kubelet_text(process, path) for path in paths if path and path != own]


def _kubelet_text(process: Process, path: str) -> str:
    try:
        return process.read_file(path, MAX_CONF_BYTES)[0].decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise NotHereError(
            f"{path}, a configuration of kubelet's, cannot be read: {error.strerror or error}.",
            "Mend that, or choose another way.",
        ) from error


def _crio_way(wish: Wish) -> Way:
    found = find(_CRIO)
    process, doubts = found
    if wish.way == "auto":
        _refuse_other_runtime(process, doubts)
    if not is_directory(CRIO_DIRECTORY):
        raise NotHereError(f"{CRIO_DIRECTORY} is not there, so CRI-O is not installed.", "Choose another way.")
    _refuse_foreign(CRIO_DIRECTORY)
    path = os.path.join(CRIO_DIRECTORY, DROP_IN)
    sources = [source for source in (_crio_source(each) for each in _crio_files()) if source is not None]
    later = [source.path for source in sources if source.path > path]
    if later:
        raise NotHereError(
            f"{later[-1]} sets default_sysctls, and its list would count, not that of {path}, which comes before "
            "it (CRI-O takes the last one whole, pkg/config/config.go).",
            "Put the entries there, or give that file a name that sorts before.",
        )
    entries, kept = crio_conf.merged([source for source in sources if source.path != path], wish.sysctls)
    running = "CRI-O runs here" if process is not None else "CRI-O is installed here"
    reason = f"{running} and has default_sysctls."
    return Way("crio", path, crio_conf.drop_in(entries, kept), _identity(found), reason, tuple(doubts))


def _refuse_other_runtime(process: Optional[Process], doubts: Sequence[str]) -> None:
    if process is None:
        raise NotHereError(" ".join(doubts) or "CRI-O does not run here.", "Choose another way.")
    process = find(kubelet.WANTED).process
    arguments = [] if process is None else process.arguments()
    endpoint = kubelet_conf.flag_of(arguments, "container-runtime-endpoint")
    if endpoint and "crio" not in endpoint:
        raise NotHereError(f"CRI-O runs here, but kubelet uses {ascii(endpoint)[1:-1]}.", "Choose another way.")


def _crio_files() -> List[str]:
    """CRI-O's configurations in the order in which they count: it walks the directory, whatever the names end with."""
    found = [os.path.join(folder, name) for folder, _folders, names in os.walk(CRIO_DIRECTORY) for name in names]
    return [CRIO_CONF, *sorted(found)]


def _crio_source(path: str) -> Optional[crio_conf.Source]:
    data = read_file(path)
    return None if data is None else crio_conf.read_entries(data, path)


def _cni_way(wish: Wish) -> Way:
    path = wish.cni_file or cni_trial.find_conf(wish.cni_directory)
    _refuse_foreign(os.path.dirname(path))
    data = read_file(path)
    if data is None:
        raise NodeError(f"{path}: no such file, a network configuration is expected there. Name another one.")
    found = conflist.parse(data, path)
    program = cni_trial.find_tuning(wish.cni_plugin_directories, found, path)
    version = found.document.get("cniVersion", "0.1.0")
    cni_trial.try_tuning(program, version if isinstance(version, str) else "0.1.0", wish.sysctls)
    writer = cni_trial.writer_of(found, path)
    notes = []
    if writer is not None:
        notes.append(
            f"{path} belongs to {writer.name}, which writes it anew {writer.when}. {writer.todo}; or run this again "
            "after it."
        )
    reason = f"{path} is the network of new pods, and {program} accepted the sysctls."
    return Way("cni", path, None, "", reason, tuple(notes))


def _identity(found: Found) -> Optional[str]:
    """The process as FileRecord.unread_by has it, None where it cannot be told whether one runs. Raises OSError.

    It is told by what no other process has, not by its age: a file has only the time of a clock that can be set.
    """
    process, doubts = found
    if process is None:
        return None if doubts else ""
    boot = boot_id()
    try:
        return f"{boot} {process.pid} {process.started()}"
    except (FileNotFoundError, ProcessLookupError):
        return ""  # it has ended
