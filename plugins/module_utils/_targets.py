# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is there, recorded and wanted to what to write and record. Pure. Private to this collection."""

import hashlib
from typing import Mapping, NamedTuple, Optional, Union

from ansible_collections.kubenode.connections.plugins.module_utils._originals import FileRecord, LiveRecord
from ansible_collections.kubenode.connections.plugins.module_utils._sysctl_edit import MODULES, SYSCTLS, edit, undo

Value = Union[str, int]

_DIALECTS = {"sysctls": SYSCTLS, "modules": MODULES}


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
    if after == current:
        return FileTarget(current, record, record, None)
    known = {} if record is None else record.ours
    ahead = {key: tuple(known.get(key, ())) for key in list(known) + list(wanted)}
    ahead.update({key: (*ahead[key], value) for key, value in wanted.items()})
    return FileTarget(
        after,
        FileRecord(kind, original, (_hash(current), _hash(after)), ahead),
        FileRecord(kind, original, (_hash(after),), {key: (value,) for key, value in wanted.items()}),
        None,
    )


def whole_target(
    kind: str, path: str, current: Optional[bytes], record: Optional[FileRecord], wanted: Optional[bytes]
) -> FileTarget:
    """For a file that is wholly ours: as wanted, or as it was; if someone else has edited it since, it stays."""
    if wanted is not None:
        if current == wanted:
            return FileTarget(current, record, record, None)
        original = current if record is None else record.original
        known = () if record is None else record.hashes
        return FileTarget(
            wanted,
            FileRecord(kind, original, (*known, _hash(wanted)), {}),
            FileRecord(kind, original, (_hash(wanted),), {}),
            None,
        )
    if record is None or current is None or current == record.original:
        return FileTarget(current, record, None, None)
    if _hash(current) in record.hashes:
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
    if _hash(current) in record.hashes:
        return record.original
    data = undo(current, record.original or b"", record.ours, _DIALECTS[record.kind])
    return None if record.original is None and not data.strip() else data


def _without(current: Optional[bytes], record: Optional[FileRecord], wanted: Mapping[str, str]) -> bytes:
    """The file without those of our lines that are no longer wanted."""
    if current is None or record is None:
        return current or b""
    dropped = {key: known for key, known in record.ours.items() if key not in wanted}
    return undo(current, record.original or b"", dropped, _DIALECTS[record.kind])


def _hash(data: Optional[bytes]) -> str:
    return "absent" if data is None else hashlib.sha256(data).hexdigest()
