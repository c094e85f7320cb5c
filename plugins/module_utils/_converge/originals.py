# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the node had before our first run, kept on the node so that it can be given back. Private to this collection."""

import base64
import json
import re
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple, Union

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError
from ansible_collections.kubenode.connections.plugins.module_utils._common.keepalive import Enforcement, Keepalive
from ansible_collections.kubenode.connections.plugins.module_utils._common.plan_ids import is_plan_id
from ansible_collections.kubenode.connections.plugins.module_utils._common.sysctl_keys import canonical, sysctl_path
from ansible_collections.kubenode.connections.plugins.module_utils._observe.ours import (
    HASH,
    MAX_BYTES,
    PATH,
    hash_of,
    is_as_written,
)

VERSION = 1

_KNOWN = {
    *("version", "files", "sysctls", "ipvs_timeouts", "directories", "rps", "pods", "containers"),
    *("namespace_ipvs_timeouts", "enforce", "rearmed", "plan_id", HASH),
}

# What one run writes where, so that a record cannot have another one write elsewhere. Lines go into files that a person
# may choose (sysctl_file, cni_file), and kubelet's folder is its own.
_WHOLE = (
    "/etc/systemd/system/kubenode-ipvs-timeouts.service",
    "/etc/systemd/system/kubenode-keepalive-enforce.service",
    "/etc/kubenode.connections/enforce.py",
    "/etc/udev/rules.d/60-kubenode-connections-rps.rules",
    "/etc/systemd/system/kubenode-guard.service",
    "/etc/systemd/system/kubenode-guard.timer",
    "/etc/kubenode.connections/guard.pyz",
)
_LINKS = (
    "/etc/systemd/system/multi-user.target.wants/kubenode-ipvs-timeouts.service",
    "/etc/systemd/system/multi-user.target.wants/kubenode-keepalive-enforce.service",
    "/etc/systemd/system/timers.target.wants/kubenode-guard.timer",
)
_DROP_IN = "/99-kubenode-connections.conf"
_KERNEL = ("proc", "sys", "dev")

_SYSCTL_VALUE = r"\A[^\x00-\x08\x0a-\x1f\x7f]{0,65536}\Z"
_QUEUE = r"\A/sys/class/net/(?!\.{1,2}/)[^/\s]{1,15}/queues/rx-[0-9]{1,5}/rps_(cpus|flow_cnt)\Z"
_QUEUE_VALUE = r"\A[0-9a-f,]{1,4096}\Z"
_TIMEOUTS = ("tcp", "tcpfin", "udp")
_UID = r"\A[A-Za-z0-9._-]{1,64}\Z"
_CONTAINER = r"\A[a-z]{1,16}-[A-Za-z0-9._-]{1,253}\Z"
_NAMED = r"\A/run/(?:docker/)?netns/[^/\x00-\x1f\x7f]{1,255}\Z"
_UNREAD_BY = r"\A(?:[0-9a-f-]{36} [0-9]{1,10} [0-9]{1,20})?\Z"
"""A process as nobody else is it: the boot's ID, its own, its start in clock ticks after boot. Empty: none ran."""
_KEEPALIVE = r"\A[0-9/]{1,64}\Z"
_NAMESPACE = r"\A[0-9a-f-]{36} (?:inode )?[0-9]{1,20}\Z"
_MAY_LACK = ("unread_by", "namespace")
_MAX_INT = (1 << 31) - 1
_MAX_REASON = 300


class FileRecord(NamedTuple):
    """A file that we changed.

    kind: which format it has (sysctls, modules, cni), or whole for one that is ours from end to end, pods for such a
    one that gives pods their defaults, or link.
    original: its bytes without us, None for no file. hashes: SHA-256 (hex) of contents that we know as ours.
    ours: the values that we gave each key in it (more than one only while a run is under way).
    unread_by: of a file that its reader reads only when it starts, the one that ran when it was written (see
    _UNREAD_BY); None where that is not recorded.
    """

    kind: str
    original: Optional[bytes]
    hashes: Tuple[str, ...]
    ours: Dict[str, Tuple[str, ...]]
    unread_by: Optional[str] = None


class LiveRecord(NamedTuple):
    """A live value that we changed: what it was without us, and what we gave it (more only while a run is under way).

    original is None only while a module that brings the key is not loaded yet. namespace: of a value in a pod or
    container, which namespace that was (see namespaces.own_identity); None where it is not recorded.
    """

    original: Union[str, int, None]
    ours: Tuple[Union[str, int], ...]
    namespace: Optional[str] = None


class Originals(NamedTuple):
    """What has to be given back: files by path, live values by name, and directories that we made, outermost first.

    rps: the values of receive queues by their path below /sys. pods: the keepalive of running pods by their UID.
    containers: the same of those outside of pods by their engine and ID. namespace_ipvs_timeouts: IPVS timeouts in
    other network namespaces by the place of each (its path, or the engine and ID of its container) and their name.
    enforce: the keepalive that new connections are given, and all that may be excluded from it. rearmed: those that
    open connections were given, which end with them; they are kept to be told from what programs have set. plan_id: of
    the last plan that changed something.
    """

    files: Dict[str, FileRecord]
    sysctls: Dict[str, LiveRecord]
    ipvs_timeouts: Dict[str, LiveRecord]
    directories: Tuple[str, ...]
    rps: Dict[str, LiveRecord]
    pods: Dict[str, LiveRecord]
    containers: Dict[str, LiveRecord]
    namespace_ipvs_timeouts: Dict[str, LiveRecord]
    enforce: Optional[Enforcement] = None
    rearmed: Tuple[Keepalive, ...] = ()
    plan_id: Optional[str] = None


NOTHING = Originals({}, {}, {}, (), {}, {}, {}, {})


def dump(originals: Originals) -> Optional[bytes]:
    """The originals as the file has them, or None when there is nothing to keep.

    Raises NodeError for what parse would refuse: that could never be given back.
    """
    if originals._replace(plan_id=None) == NOTHING:
        return None
    document = {
        "version": VERSION,
        "files": {path: _file_to_json(record) for path, record in originals.files.items()},
        "sysctls": {name: _fields(record) for name, record in originals.sysctls.items()},
        "ipvs_timeouts": {name: _fields(record) for name, record in originals.ipvs_timeouts.items()},
        "directories": originals.directories,
        "rps": {name: _fields(record) for name, record in originals.rps.items()},
        "pods": {uid: _fields(record) for uid, record in originals.pods.items()},
        "containers": {key: _fields(record) for key, record in originals.containers.items()},
        "namespace_ipvs_timeouts": {
            name: _fields(record) for name, record in originals.namespace_ipvs_timeouts.items()
        },
    }
    if originals.enforce:
        from .enforced import to_json  # few records have it

        document["enforce"] = to_json(originals.enforce)
    if originals.rearmed:
        document["rearmed"] = [str(each) for each in originals.rearmed]
    if originals.plan_id:
        document["plan_id"] = originals.plan_id
    document[HASH] = hash_of(document)
    data = (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
    try:
        _refuse_strange(originals)
        if len(data) > MAX_BYTES:
            raise ValueError(f"the record would have {len(data)} bytes, at most {MAX_BYTES} are kept")
    except ValueError as error:
        raise NodeError(f"{PATH}: what this node has cannot be recorded: {error}. Choose another file.") from error
    return data


def parse(data: Optional[bytes], path: str = PATH) -> Originals:
    """The originals out of the file's bytes, nothing for no file. Raises NodeError for what dump did not write."""
    if data is None:
        return NOTHING
    try:
        document = json.loads(data.decode("utf-8"), parse_int=_whole_number)
        if document["version"] != VERSION:
            raise ValueError(f"it has version {document['version']!r}, expected {VERSION}")
        _refuse_changed(document)
        found = Originals(
            {str(name): _file_from_json(record) for name, record in document["files"].items()},
            {str(name): _live_from_json(record, str) for name, record in document["sysctls"].items()},
            {str(name): _live_from_json(record, int) for name, record in document["ipvs_timeouts"].items()},
            tuple(_typed(name, str) for name in document["directories"]),
            {str(name): _live_from_json(record, str) for name, record in document["rps"].items()},
            {str(uid): _live_from_json(record, str) for uid, record in document["pods"].items()},
            {str(key): _live_from_json(record, str) for key, record in document.get("containers", {}).items()},
            {
                str(name): _live_from_json(record, int)
                for name, record in document.get("namespace_ipvs_timeouts", {}).items()
            },
            _enforce_from_json(document.get("enforce")),
            _rearmed_from_json(document.get("rearmed")),
            _plan_id_from_json(document.get("plan_id")),
        )
        _refuse_strange(found)
        return found
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)[:_MAX_REASON]
        raise NodeError(
            f"{path}: the record of what this node had before the first run cannot be used ({why}). Put the "
            "file back from a backup; or move it away, then what the node has now counts as original."
        ) from error


def _refuse_changed(document: Dict[str, Any]) -> None:
    """Raise ValueError where a record is not as it was written."""
    unknown = sorted(set(document) - _KNOWN)
    if unknown:
        raise ValueError(f"{unknown[0]!r} in it is not known here: a newer kubenode.connections may have written it")
    if not is_as_written(document):
        raise ValueError("its sha256 is not that of its contents: something has changed it since it was written")


def _file_to_json(record: FileRecord) -> Dict[str, Any]:
    original = None if record.original is None else base64.b64encode(record.original).decode("ascii")
    return dict(_fields(record), original=original)


def _fields(record: Union[FileRecord, LiveRecord]) -> Dict[str, Any]:
    """Those of a record, without what it may lack."""
    return {name: value for name, value in record._asdict().items() if value is not None or name not in _MAY_LACK}


def _file_from_json(record: Dict[str, Any]) -> FileRecord:
    if record["kind"] not in ("sysctls", "modules", "whole", "link", "cni", "pods"):
        raise ValueError(f"a file of kind {record['kind']!r} is not known")
    original, unread_by = record["original"], record.get("unread_by")
    return FileRecord(
        record["kind"],
        None if original is None else base64.b64decode(_typed(original, str), validate=True),
        tuple(_typed(value, str) for value in record["hashes"]),
        {name: tuple(_typed(value, str) for value in known) for name, known in record["ours"].items()},
        None if unread_by is None else _typed(unread_by, str),
    )


def _live_from_json(record: Dict[str, Any], kind: type) -> LiveRecord:
    original = record["original"]
    known = tuple(_typed(value, kind) for value in record["ours"])
    namespace = record.get("namespace")
    return LiveRecord(
        None if original is None else _typed(original, kind),
        known,
        None if namespace is None else _typed(namespace, str),
    )


def _enforce_from_json(record: Any) -> Optional[Enforcement]:
    if record is None:
        return None
    from .enforced import from_json

    return from_json(record)


def _rearmed_from_json(texts: Any) -> Tuple[Keepalive, ...]:
    if texts is None:
        return ()
    from .rearming_options import from_json

    return from_json(texts)


def _plan_id_from_json(value: Any) -> Optional[str]:
    if value is not None and not is_plan_id(_typed(value, str)):
        raise ValueError(f"{value[:40]!r} is no ID of a plan")
    return None if value is None else str(value)


def _typed(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{repr(value)[:40]} is not of type {kind.__name__}")
    return value


def _whole_number(text: str) -> int:
    if len(text) > 10:
        raise ValueError(f"a number of {len(text)} digits is in it")
    return int(text)


def _refuse_strange(originals: Originals) -> None:
    """Raise ValueError for a place that no run writes to, or a value that none puts back."""
    for path, record in originals.files.items():
        if not _is_file_of_ours(path, record.kind):
            raise ValueError(f"{path!r} is no file that is written here (kind {record.kind})")
        if not all(record.ours.values()):
            raise ValueError(f"{path!r} has a key without a value that was written here")
        if record.unread_by is not None and not re.match(_UNREAD_BY, record.unread_by):
            raise ValueError(f"{path!r} has {record.unread_by[:40]!r} where a process is expected")
    for path in originals.directories:
        if not _is_plain_path(path):
            raise ValueError(f"{path!r} is no directory that is made here")
    _refuse_values("sysctl", originals.sysctls, _is_sysctl, _SYSCTL_VALUE)
    _refuse_values("setting of a receive queue", originals.rps, lambda path: bool(re.match(_QUEUE, path)), _QUEUE_VALUE)
    _refuse_values("pod", originals.pods, lambda uid: bool(re.match(_UID, uid)), _KEEPALIVE)
    _refuse_values("container", originals.containers, lambda key: bool(re.match(_CONTAINER, key)), _KEEPALIVE)
    _refuse_timeouts(originals.ipvs_timeouts, lambda name: name in _TIMEOUTS)
    _refuse_timeouts(originals.namespace_ipvs_timeouts, _is_namespace_timeout)


def _refuse_timeouts(records: Dict[str, LiveRecord], is_name: Callable[[str], bool]) -> None:
    for name, timeout in records.items():
        if (
            not is_name(name)
            or not timeout.ours
            or not all(0 <= int(seconds or 0) <= _MAX_INT for seconds in _values(timeout))
        ):
            raise ValueError(f"{name!r} is no IPVS timeout, or has no seconds from 0 to {_MAX_INT}")


def _is_namespace_timeout(name: str) -> bool:
    place, _blank, cell = name.rpartition(" ")
    return cell in _TIMEOUTS and bool(re.match(_CONTAINER, place) or re.match(_NAMED, place))


def _refuse_values(what: str, records: Dict[str, LiveRecord], is_name: Callable[[str], bool], allowed: str) -> None:
    for name, record in records.items():
        if not is_name(name):
            raise ValueError(f"{name!r} is no {what}")
        if not record.ours:
            raise ValueError(f"{name!r} has no value that was set here")
        if not all(value is None or re.match(allowed, str(value)) for value in _values(record)):
            raise ValueError(f"the value of {name!r} is none of a {what}")
        if record.namespace is not None and not re.match(_NAMESPACE, record.namespace):
            raise ValueError(f"{name!r} has {record.namespace[:40]!r} where a network namespace is expected")


def _values(record: LiveRecord) -> Tuple[Union[str, int, None], ...]:
    return (record.original, *record.ours)


def _is_file_of_ours(path: str, kind: str) -> bool:
    if kind == "whole":
        return path in _WHOLE
    if kind == "link":
        return path in _LINKS
    return _is_plain_path(path) and (kind != "pods" or path.endswith(_DROP_IN))


def _is_plain_path(path: str) -> bool:
    parts = [part for part in path.split("/") if part]
    if not path.startswith("/") or not path.isprintable() or not parts:
        return False
    return parts[0] not in _KERNEL and not {".", ".."} & set(parts)


def _is_sysctl(name: str) -> bool:
    try:
        return "." in name and name.isprintable() and canonical(name) == name and bool(sysctl_path(name))
    except ValueError:
        return False
