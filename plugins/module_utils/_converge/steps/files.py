# Copyright: (c) 2026, the kubenode.connections authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that write files, links and directories, and the originals. Private to this collection."""

import contextlib
import errno
import os
from typing import Any, Callable, Dict, List, Optional, Sequence

from ansible_collections.kubenode.connections.plugins.module_utils._common.errors import NodeError, refused
from ansible_collections.kubenode.connections.plugins.module_utils._files.atomic_write import (
    NEW,
    attributes,
    is_directory,
    read_file,
    refuse_unwritable,
    refuse_unwritable_directory,
    remove_file,
    remove_leftover,
    sync_directory,
    temporary_of,
    write_file,
)
from ansible_collections.kubenode.connections.plugins.module_utils._kernel.root_only import real_folder, real_path

from ..originals import PATH, Originals, dump, parse
from ..record import has_folder, read_record, tidy_folder, write_record
from ..restorable import FileTarget
from ..shown import Shown, as_text
from ..transaction import Step


def read_config(path: str) -> Optional[bytes]:
    """The bytes of a file that a run may write, None for no file. Raises NodeError unless it is root's to say which."""
    real_path(path)
    return read_file(path)


class TextFile(Step):
    """One file with the bytes it shall have (None: no such file); an existing one keeps mode, owner and labels.

    kind is the format, as in FileRecord. ``shown`` gives the part of some bytes of it that people may see.
    """

    area = "files"

    def __init__(
        self,
        path: str,
        before: Optional[bytes],
        target: FileTarget,
        kind: str = "whole",
        shown: Shown = as_text,
    ) -> None:
        super().__init__(path, before, target.after)
        self.target = target
        self.kind = kind
        self._shown = shown
        self._attributes = NEW

    def tidy(self) -> None:
        remove_leftover(real_path(self.name))

    def foresee(self) -> None:
        refuse_unwritable(self.name)

    def read(self) -> Optional[bytes]:
        return read_config(self.name)

    def apply(self) -> None:
        _refuse_others(self, self.before)
        self._attributes = attributes(self.name) or NEW
        self._write(self.after, self.before)

    def undo(self) -> None:
        if self.read() != self.before:
            _refuse_others(self, self.after)
            self._write(self.before, self.after)

    def show(self, value: Optional[bytes]) -> Optional[str]:
        return None if value is None else self._shown(value)

    def _write(self, data: Optional[bytes], instead_of: Optional[bytes]) -> None:
        if data is None:
            remove_file(self.name, lambda: _refuse_others(self, instead_of))
        else:
            write_file(self.name, data, self._attributes, lambda: _refuse_others(self, instead_of))


def _refuse_others(step: Step, expected: Optional[bytes]) -> None:
    """Raise NodeError where a place has not what we know of: a person's editor may have saved it meanwhile."""
    found = step.read()
    if found != expected:
        step.before = found  # it stays as they have left it, also when the run is undone
        raise NodeError(f"{step.name}: someone else changed it during this run, and it stays so. Run again.")


class Link(Step):
    """One symbolic link with the target it shall have as bytes (None: no link)."""

    area = "files"

    def __init__(self, path: str, before: Optional[bytes], target: FileTarget) -> None:
        super().__init__(path, before, target.after)
        self.target = target

    def tidy(self) -> None:
        remove_leftover(self.name)

    def foresee(self) -> None:
        refuse_unwritable_directory(os.path.dirname(self.name), self.name)

    def read(self) -> Optional[bytes]:
        return read_link(self.name)

    def apply(self) -> None:
        _refuse_others(self, self.before)
        self._write(self.after)

    def undo(self) -> None:
        if self.read() != self.before:
            _refuse_others(self, self.after)
            self._write(self.before)

    def show(self, value: Optional[bytes]) -> Optional[str]:
        return None if value is None else f"link to {os.fsdecode(value)}\n"

    def _write(self, target: Optional[bytes]) -> None:
        real_folder(os.path.dirname(self.name))
        temporary = temporary_of(self.name)
        try:
            if target is None:
                os.unlink(self.name)
            else:
                remove_leftover(self.name)
                os.symlink(os.fsdecode(target), temporary)
                os.replace(temporary, self.name)  # so that it is never missing
            sync_directory(os.path.dirname(self.name))
        except OSError as error:
            raise refused(f"{self.name}: the link was not changed", error) from error
        finally:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def read_link(path: str) -> Optional[bytes]:
    """Where a symbolic link leads, None where there is nothing. Raises NodeError for anything that is not a link."""
    try:
        return os.fsencode(os.readlink(path))
    except OSError as error:
        if error.errno == errno.ENOENT:
            return None
        if error.errno == errno.EINVAL:
            raise NodeError(f"{path}: is not a symbolic link, which is expected there. Move it away.") from error
        raise refused(f"{path}: not read", error) from error


class Directory(Step):
    """One directory that shall be there or not; 0755 when made, removed only while empty."""

    def __init__(self, path: str, after: bool) -> None:
        super().__init__(path, not after, after)

    def read(self) -> bool:
        return is_directory(self.name)

    def apply(self) -> None:
        self._bring(self.after)

    def undo(self) -> None:
        self._bring(self.before)

    def _bring(self, wanted: bool) -> None:
        real_folder(os.path.dirname(self.name))
        try:
            if wanted and not self.read():
                os.mkdir(self.name)
                os.chmod(self.name, 0o755)  # whatever the umask  # noqa: S103
            elif not wanted and self.read():
                os.rmdir(self.name)
            sync_directory(os.path.dirname(self.name))
        except OSError as error:
            raise refused(f"{self.name}: the directory was not {'made' if wanted else 'removed'}", error) from error


class OriginalsFile(Step):
    """The originals on the node. ``compose`` says what they shall hold, asked again when it is time to write.

    They are written twice in a run: before the first change with all that may have to be given back, and after the
    last (whose ``earlier`` is the first of the two) with what is left. That completes the run: what it forgets could
    not be undone any more.
    """

    needed_after_failure = True

    def __init__(
        self, before: Optional[bytes], compose: Callable[[], Originals], earlier: Optional["OriginalsFile"] = None
    ) -> None:
        same = parse(before) == compose()
        super().__init__(PATH, before, before if same else dump(compose()))
        self._compose = compose
        self._earlier = earlier
        self._previous = before
        self.completes = earlier is not None

    @property
    def changed(self) -> bool:
        return super().changed or (self._earlier is not None and self._earlier.changed)

    def tidy(self) -> None:
        tidy_folder()

    def foresee(self) -> None:
        has_folder()
        refuse_unwritable(self.name)

    def read(self) -> Optional[bytes]:
        return read_record()

    def apply(self) -> None:
        self._previous = self.read()
        self.after = dump(self._compose())
        write_record(self.after)

    def undo(self) -> None:
        write_record(self._previous)

    def show(self, value: Optional[bytes]) -> Optional[str]:
        return None if value is None else f"{len(value)} bytes"  # it holds files of others whole


def text_diff(steps: Sequence[Step]) -> List[Dict[str, Any]]:
    """One before/after pair for each file that changes, as ``--diff`` shows it."""
    changed = [step for step in steps if step.area == "files" and step.changed]
    return [
        {
            "before": step.show(step.before) or "",
            "after": step.show(step.after) or "",
            "before_header": step.name + ("" if step.before is not None else " (not there)"),
            "after_header": step.name + ("" if step.after is not None else " (not there)"),
        }
        for step in changed
    ]
