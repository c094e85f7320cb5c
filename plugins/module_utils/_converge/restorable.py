# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is there, recorded and wanted to what to write and record. Pure. Private to this collection."""

import hashlib
from typing import Mapping, NamedTuple, Optional, Union

from ansible_collections.kubenode.connections.plugins.module_utils._files.sysctl_editor import (
    MODULES,
    SYSCTLS,
    edit,
    undo,
    values,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.procfs import fold

from .originals import FileRecord, LiveRecord

Value = Union[str, int]

_DIALECTS = {"sysctls": SYSCTLS, "modules": MODULES}
_ABSENT = "absent"
_MAX_SHOWN = 80


class FileTarget(NamedTuple):
    """What to bring a file to (None: no file), what to record during the run and afterwards, and what to tell."""

    after: Optional[bytes]
    ahead: Optional[FileRecord]
    final: Optional[FileRecord]
    note: Optional[str]


class LiveTarget(NamedTuple):
    """What to bring a live value to (None: not there), what to record during the run and afterwards, what to tell."""

    after: Optional[Value]
    ahead: Optional[LiveRecord]
    final: Optional[LiveRecord]
    note: Optional[str]


def file_target(
    kind: str, current: Optional[bytes], record: Optional[FileRecord], wanted: Mapping[str, str]
) -> FileTarget:
    """For a file with lines of ours among others: our keys as wanted, those no longer wanted as they were."""
    original = current if record is None else _without_us(current, record)
    if not wanted:
        return FileTarget(original, record, None, None)
    after = edit(_without(current, record, wanted), wanted, _DIALECTS[kind])
    return lines_target(kind, current, original, after, record, wanted)


def lines_target(
    kind: str,
    current: Optional[bytes],
    original: Optional[bytes],
    after: bytes,
    record: Optional[FileRecord],
    wanted: Mapping[str, str],
) -> FileTarget:
    """For a file that shall have these values of ours among others: after is that file, original the one without us."""
    if after == current:
        return FileTarget(current, record, record, None)
    known = {} if record is None else record.ours
    ahead = {key: tuple(known.get(key, ())) for key in [*known, *wanted]}
    ahead.update({key: (*ahead[key], value) for key, value in wanted.items()})
    return FileTarget(
        after,
        FileRecord(kind, original, (content_hash(current), content_hash(after)), ahead),
        FileRecord(kind, original, (content_hash(after),), {key: (value,) for key, value in wanted.items()}),
        None,
    )


def changed_since(
    path: str, current: Optional[bytes], record: Optional[FileRecord], wanted: Mapping[str, str]
) -> Optional[str]:
    """The note about lines of ours that are to be given back and that someone else has changed or removed since."""
    if record is None or current == record.original or content_hash(current) in record.hashes:
        return None
    if current is None:
        return None if wanted else gone_since(path, record)
    dialect = _DIALECTS[record.kind]
    now, before = values(current, dialect), values(record.original or b"", dialect)
    given_back = {key: {fold(value) for value in known} for key, known in record.ours.items() if key not in wanted}
    changed = [
        key for key, known in given_back.items() if now.get(key) != before.get(key) and now.get(key) not in known
    ]
    if not changed:
        return None
    written = {key: record.ours[key][-1] for key in changed}
    told = ", ".join(_told(key, now, written, before) for key in changed)
    return f"{path}: someone else has changed lines since they were written here, so they stay as they are: {told}."


def gone_since(path: str, record: FileRecord) -> str:
    """The note about a file or link of ours that is not there any more."""
    if record.original is None:
        return f"{path} was removed by someone else since it was written here, so there is nothing left to remove."
    return (
        f"{path} was removed by someone else since it was written here, so it stays away, and so do the "
        f"{len(record.original)} bytes that it had before the first run."
    )


def is_ours(data: Optional[bytes]) -> bool:
    """Whether a file says in its first line that this collection has written it."""
    first = (data or b"").partition(b"\n")[0]
    return first.startswith(b"# Written by ") and b"kubenode.connections" in first


def whole_target(
    kind: str, path: str, current: Optional[bytes], record: Optional[FileRecord], wanted: Optional[bytes]
) -> FileTarget:
    """For a file that is wholly ours: as wanted, or as it was; if someone else has edited it since, it stays."""
    if wanted is not None:
        if record is None and (current == wanted or is_ours(current)):
            record = FileRecord(kind, None, (content_hash(current),), {})  # the record of an earlier run was lost
        if current == wanted:
            return FileTarget(current, record, record, None)
        original = current if record is None else record.original
        known = () if record is None else record.hashes
        absent = (_ABSENT,) if current is None else ()
        return FileTarget(
            wanted,
            FileRecord(kind, original, (*known, *absent, content_hash(wanted)), {}),
            FileRecord(kind, original, (content_hash(wanted),), {}),
            None,
        )
    if record is not None and current is None and _ABSENT not in record.hashes:
        return FileTarget(None, record, None, gone_since(path, record))
    if record is None or current is None or current == record.original:
        return FileTarget(current, record, None, None)
    if content_hash(current) in record.hashes:
        return FileTarget(record.original, record, None, None)
    note = f"{path} was edited by someone else since it was written here, so it stays. Remove it if it is of no use."
    return FileTarget(current, record, None, note)


def live_target(
    name: str, current: Optional[Value], record: Optional[LiveRecord], wanted: Optional[Value]
) -> LiveTarget:
    """For one live value: as wanted, or (wanted None) as it was; a value that someone else has set since stays."""
    if wanted is None:
        return _given_back(name, current, record)
    if current == wanted:
        return LiveTarget(wanted, record, record, None)
    if record is None or current not in (*record.ours, record.original):
        record = LiveRecord(current, ())  # what someone else has set since is the original from now on
    ahead = record if wanted in record.ours else record._replace(ours=(*record.ours, wanted))
    return LiveTarget(wanted, ahead, record._replace(ours=(wanted,)), None)


def _given_back(name: str, current: Optional[Value], record: Optional[LiveRecord]) -> LiveTarget:
    if record is None or current == record.original:
        return LiveTarget(current, record, None, None)
    if current is None:
        note = f"{name} is not there any more (its kernel module is gone), so its value was not put back."
        return LiveTarget(None, record, None, note)
    if current in record.ours:
        return LiveTarget(record.original, record, None, None)
    note = (
        f"{name} is {current}, not the {record.ours[-1]} that was set here: someone else has set it since, so it "
        f"stays. Before the first run it was {record.original}."
    )
    return LiveTarget(current, record, None, note)


def _without_us(current: Optional[bytes], record: FileRecord) -> Optional[bytes]:
    """The file as it would be without us: the original if nobody else has edited it, else with our lines undone."""
    if current is None or current == record.original:
        return current
    if content_hash(current) in record.hashes:
        return record.original
    data = undo(current, record.original or b"", record.ours, _DIALECTS[record.kind])
    return None if record.original is None and not data.strip() else data


def _without(current: Optional[bytes], record: Optional[FileRecord], wanted: Mapping[str, str]) -> bytes:
    """The file without those of our lines that are no longer wanted."""
    if current is None or record is None:
        return current or b""
    dropped = {key: known for key, known in record.ours.items() if key not in wanted}
    return undo(current, record.original or b"", dropped, _DIALECTS[record.kind])


def _told(key: str, *found: Mapping[str, str]) -> str:
    """What a key is in a file now, what was written here, and what it was before that."""
    now, written, before = ("not there" if key not in each else each[key][:_MAX_SHOWN] or "there" for each in found)
    return f"{key} ({now} now, {written} as written here, {before} before that)"


def content_hash(data: Optional[bytes]) -> str:
    """As FileRecord keeps it."""
    return _ABSENT if data is None else hashlib.sha256(data).hexdigest()
